"""A process that does what it is told, for tests that need another one, or several at once."""

from __future__ import annotations

import multiprocessing
import os
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_pynenc_state.conformance.together import HANG_GUARD_S

if TYPE_CHECKING:
    from multiprocessing.connection import Connection as Pipe

_READY, _GO = "ready", "go"


@dataclass
class _Raised:
    error: BaseException


class OtherProcess:
    """A spawned process that runs one function after the other, as they are sent to it."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,))
        self._process.start()
        theirs.close()

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return ``function(*arguments)``, called there; what it raises is raised here."""
        return run_at_once([self], function, [arguments])[0]

    def send(self, item: object) -> None:
        """Send a task, or the word to begin it."""
        self._pipe.send(item)

    def receive(self) -> Any:
        """Return what the process sends next, if it sends anything."""
        if not self._pipe.poll(HANG_GUARD_S):
            message = f"the other process did not answer within {HANG_GUARD_S} s"
            raise TimeoutError(message)
        return self._pipe.recv()

    def restart(self) -> None:
        """Replace a process that may be in the middle of something by a new one."""
        self._process.kill()
        self.close()
        self._start()

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join()


def run_at_once(
    processes: Sequence[OtherProcess],
    function: Callable[..., Any],
    arguments: Sequence[tuple[Any, ...]],
) -> list[Any]:
    """Call *function* in each of *processes*, once all of them are ready to.

    :param arguments: Those of each process.
    :returns: What was returned, in their order; the first error is raised again.
    """
    try:
        outcomes = _outcomes(processes, function, arguments)
    except BaseException:
        for process in processes:
            process.restart()
        raise
    for outcome in outcomes:
        if isinstance(outcome, _Raised):
            raise outcome.error
    return outcomes


def _outcomes(
    processes: Sequence[OtherProcess],
    function: Callable[..., Any],
    arguments: Sequence[tuple[Any, ...]],
) -> list[Any]:
    for process, each in zip(processes, arguments, strict=True):
        process.send((function, each))
    for process in processes:
        assert process.receive() == _READY
    for process in processes:
        process.send(_GO)
    return [process.receive() for process in processes]


def _serve(pipe: Pipe) -> None:
    # Whatever test this process was started for, it also serves others.
    for name in [name for name in os.environ if name.startswith("PYNENC__")]:
        del os.environ[name]
    while True:
        try:
            function, arguments = pipe.recv()
        except EOFError:
            return
        pipe.send(_READY)
        pipe.recv()
        pipe.send(_outcome(function, arguments))


def _outcome(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    try:
        return function(*arguments)
    except Exception as error:  # noqa: BLE001 - it is raised again where it was asked for
        error.add_note(traceback.format_exc())
        return _Raised(error)
