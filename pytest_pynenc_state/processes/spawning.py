"""Starting a child process: afresh, by a fork of this process, or by a fork server's."""

from __future__ import annotations

import multiprocessing
import subprocess
import warnings
from multiprocessing import forkserver, reduction, resource_tracker
from multiprocessing.connection import Connection
from typing import Any, Literal, Protocol

from pytest_pynenc_state.errors import OptionsError
from pytest_pynenc_state.option_values import near_match
from pytest_pynenc_state.processes import serving
from pytest_pynenc_state.processes.output import Output

Method = Literal["spawn", "forkserver", "fork"]
METHODS: tuple[Method, ...] = ("spawn", "forkserver", "fork")


class Process(Protocol):
    """A started process that leads a session of its own, or is about to."""

    @property
    def pid(self) -> int:
        """The process's id, and its session's."""

    def exit_code(self) -> int | None:
        """How it ended: its code, or the negative number of a signal; None while it lives."""


class _Fresh:
    def __init__(self, theirs: Connection[Any, Any], stdout: Output, stderr: Output) -> None:
        descriptor = theirs.fileno()
        self._process = subprocess.Popen(
            (*serving.COMMAND, str(descriptor)),
            stdin=subprocess.DEVNULL,
            stdout=stdout.fileno(),
            stderr=stderr.fileno(),
            pass_fds=(descriptor,),
            start_new_session=True,
        )
        self.pid = self._process.pid

    def exit_code(self) -> int | None:
        return self._process.poll()


class _Forked:
    def __init__(self, method: Method, theirs: Connection[Any, Any]) -> None:
        context: Any = multiprocessing.get_context(method)
        self._process = context.Process(target=serving.serve_forked, args=(theirs,))
        with warnings.catch_warnings():
            # Python warns of a fork beside threads; whoever asks for one knows.
            warnings.filterwarnings("ignore", ".*multi-threaded", DeprecationWarning)
            self._process.start()
        self.pid: int = self._process.pid

    def exit_code(self) -> int | None:
        code: int | None = self._process.exitcode
        return code


def start(method: Method, stdout: Output, stderr: Output) -> tuple[Process, Connection[Any, Any]]:
    """Start a process that runs `serving.serve`, and return it with a connection to it.

    :raises OptionsError: There is no such start method.
    """
    if method not in METHODS:
        message = f"there is no start method {method!r}"
        raise OptionsError(message, near_match(str(method), METHODS))
    ours, theirs = multiprocessing.Pipe()
    try:
        if method == "spawn":
            process: Process = _Fresh(theirs, stdout, stderr)
        else:
            process = _Forked(method, theirs)
            for output in (stdout, stderr):
                reduction.send_handle(ours, output.fileno(), process.pid)
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return process, ours


class ForkServer:
    """multiprocessing's fork server, and the process that tracks its resources.

    Made before the first use: what runs by then belongs to somebody else.
    """

    def __init__(self) -> None:
        server: Any = forkserver._forkserver
        tracker: Any = resource_tracker._resource_tracker
        self._ours: list[Any] = []
        if server._forkserver_pid is None:
            self._ours.append(server)
        if tracker._fd is None:
            self._ours.append(tracker)

    def stop(self) -> None:
        """Stop them; multiprocessing would have them run until this process ends."""
        for process in self._ours:
            process._stop()
