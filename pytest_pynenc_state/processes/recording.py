"""In a process whose calls are recorded: each call of a store becomes two entries of a journal.

The first is written before the call, the second after it. Where the second one is missing, the
process was killed meanwhile, or is still at it.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from marshal import dumps, loads
from pathlib import Path
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from pynenc.exceptions import PynencError

from pytest_pynenc_state.history.operations import EVERY_KEY, Ending, Operation, Value
from pytest_pynenc_state.processes.journal import JOURNALS_VARIABLE, Journal, entries_of
from pytest_pynenc_state.processes.watching import Watching

if TYPE_CHECKING:
    from pynenc.app import Pynenc

#: The keys that a call is about, and what else it was given.
Described: TypeAlias = tuple[list[str], tuple[Value, ...]]

# The services of an app are one thing.
_SERVICES = "atomic services"

_SUFFIX = ".journal"

# Longer texts are told apart by what they begin with, their length, and a digest.
_LONGEST = 64


class _Method(NamedTuple):
    """How the calls of one method are recorded.

    :ivar described: Gets the arguments of a call.
    :ivar outcome: Gets what it has returned.
    """

    described: Callable[..., Described]
    outcome: Callable[[Any], Value]


def _registering(invocations: Sequence[Any], runner_id: str | None = None) -> Described:
    return [each.invocation_id for each in invocations], (runner_id,)


def _moving(invocation_id: str, status: Any, runner_id: str | None = None) -> Described:
    return [invocation_id], (str(status), runner_id)


def _about(invocation_id: str) -> Described:
    return [invocation_id], ()


def _writing(invocation_id: str, serialized_result: str) -> Described:
    return [invocation_id], (_short(serialized_result),)


def _starting(atomic_service_run: Any, *_: Any, **__: Any) -> Described:
    return [_SERVICES], (atomic_service_run.atomic_service_run_id,)


def _purging() -> Described:
    return [EVERY_KEY], ()


def _record(record: Any) -> Value:
    return [str(record.status), record.runner_id]


def _plain(value: Any) -> Value:
    return _short(value) if isinstance(value, str) else value


def _nothing(_: Any) -> Value:
    return None


def _short(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    digest = sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]
    return f"{text[:20]}... ({len(text)} characters, {digest})"


_METHODS: dict[str, dict[str, _Method]] = {
    "orchestrator": {
        "_register_new_invocations": _Method(_registering, _nothing),
        "_atomic_status_transition": _Method(_moving, _record),
        "get_invocation_status_record": _Method(_about, _record),
        "increment_invocation_retries": _Method(_about, _nothing),
        "get_invocation_retries": _Method(_about, _plain),
        "record_atomic_service_execution_start": _Method(_starting, _plain),
        "finalize_atomic_service_execution": _Method(_starting, _nothing),
        "purge": _Method(_purging, _nothing),
    },
    "state_backend": {
        "_set_result": _Method(_writing, _nothing),
        "_get_result": _Method(_about, _plain),
        "purge": _Method(_purging, _nothing),
    },
}


class _Thread:
    """What one thread records.

    :ivar append: Adds an entry to its journal.
    :ivar is_inside: Whether it is in a recorded call already: what a store does for that is its
        own business.
    """

    __slots__ = ("append", "is_inside")

    def __init__(self, append: Callable[[int, bytes], None]) -> None:
        self.append = append
        self.is_inside = False


class Recording:
    """Records what this process does from `install` on, in a folder of journals."""

    def __init__(self, folder: Path) -> None:
        self.watching = Watching(_METHODS, self._recorded)
        self._folder = folder
        self._numbers = itertools.count(1)
        self._local = threading.local()

    def forked(self) -> None:
        """Begin journals of its own in a process that was forked from the recorded one."""
        self._local = threading.local()

    def _recorded(
        self, _: Any, component: str, name: str, method: Callable[..., Any]
    ) -> Callable[..., Any]:
        described, outcome = _METHODS[component][name]
        told = f"{component}.purge" if name == "purge" else name.lstrip("_")
        ok = Ending.OK.value

        def recorded(*args: Any, **kwargs: Any) -> Any:
            try:
                thread: _Thread = self._local.thread
            except AttributeError:
                thread = self._local.thread = self._begun()
            if thread.is_inside:
                return method(*args, **kwargs)
            try:
                keys, arguments = described(*args, **kwargs)
                begun = dumps((told, keys, arguments))
            except (TypeError, ValueError, AttributeError):
                # No such call is possible; the method says what is wrong with it.
                return method(*args, **kwargs)
            append = thread.append
            thread.is_inside = True
            append(monotonic_ns(), begun)
            try:
                value = method(*args, **kwargs)
            except Exception as error:
                append(monotonic_ns(), dumps(_failed(error)))
                raise
            finally:
                thread.is_inside = False
            append(monotonic_ns(), dumps((ok, outcome(value))))
            return value

        return recorded

    def _begun(self) -> _Thread:
        name = f"{os.getpid()}-{next(self._numbers)}{_SUFFIX}"
        try:
            journal = Journal(self._folder / name)
        except FileNotFoundError:  # the test has ended
            return _Thread(_to_nobody)
        thread = threading.current_thread()
        is_main = thread is threading.main_thread()
        process = f"{os.getpid()}" if is_main else f"{os.getpid()} {thread.name}"
        journal.append(monotonic_ns(), dumps(process))
        return _Thread(journal.append)


def _to_nobody(instant_ns: int, content: bytes) -> None:
    pass


def _failed(error: Exception) -> tuple[str, str | None]:
    """How a call has ended that raised: only of some errors one knows that nothing was done."""
    if isinstance(error, PynencError | KeyError):
        return Ending.ERROR.value, type(error).__name__
    return Ending.UNKNOWN.value, None


def operations_in(folder: Path) -> list[Operation]:
    """What was recorded in a folder so far, by its start."""
    journals = sorted(folder.glob(f"*{_SUFFIX}"))
    operations = [each for journal in journals for each in _operations(journal)]
    return sorted(operations, key=lambda each: (each.start_ns, each.process))


def _operations(journal: Path) -> Iterator[Operation]:
    entries = entries_of(journal)
    for _, packed in entries:
        process: str = loads(packed)  # noqa: S302 - our own processes wrote it
        break
    else:  # it has just begun
        return
    unfinished: list[tuple[int, str, list[str], tuple[Value, ...]]] = []
    for instant_ns, packed in entries:
        content = loads(packed)  # noqa: S302 - as above
        if len(content) > len(("ending", "value")):
            name, keys, arguments = content
            unfinished.append((instant_ns, name, keys, arguments))
            continue
        ending, value = content
        start_ns, name, keys, arguments = unfinished.pop()
        end_ns = None if ending == Ending.UNKNOWN else instant_ns
        for key in keys:
            yield Operation(process, key, name, arguments, Ending(ending), value, start_ns, end_ns)
    for start_ns, name, keys, arguments in unfinished:
        for key in keys:
            yield Operation(process, key, name, arguments, Ending.UNKNOWN, None, start_ns, None)


_installed: Recording | None = None


def install() -> None:
    """Record what components do that are made from now on, if the test wants that.

    Repeating it changes nothing.
    """
    global _installed  # noqa: PLW0603 - pynenc's classes are changed for the whole process, too
    path = os.environ.get(JOURNALS_VARIABLE)
    if path and _installed is None:
        _installed = Recording(Path(path))
        _installed.watching.install()


def uninstall() -> None:
    """Leave alone components that are made from now on."""
    global _installed  # noqa: PLW0603 - as above
    if _installed is not None:
        _installed.watching.uninstall()
        _installed = None


@contextmanager
def installed(app: Pynenc | None = None) -> Iterator[None]:
    """`install` for a while; of *app*, the components that there are already, too."""
    install()
    recording = _installed
    try:
        if app is not None and recording is not None:
            recording.watching.watch_app(app)
        yield
    finally:
        if app is not None and recording is not None:
            recording.watching.leave_app(app)
        uninstall()


def _forked() -> None:
    if _installed is not None:
        _installed.forked()


os.register_at_fork(after_in_child=_forked)
