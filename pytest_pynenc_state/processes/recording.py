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
from weakref import WeakSet

from pynenc.exceptions import InvocationStatusError
from pynenc.invocation.status import InvocationStatus

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

#: In that folder: the id of the app that is recorded.
APP_FILE = "app"

_UNKNOWN = dumps((Ending.UNKNOWN.value, None))

# Longer texts are told apart by what they begin with, their length, and a digest.
_LONGEST = 64


class _Method(NamedTuple):
    """How the calls of one method are recorded.

    :ivar described: Gets the arguments of a call; None if no model is about such a call.
    :ivar outcome: Gets what it has returned.
    :ivar refusals: The errors that say that nothing was done; of others, nobody knows.
    """

    described: Callable[..., Described | None]
    outcome: Callable[[Any], Value]
    refusals: tuple[type[Exception], ...] = ()


def _registering(invocations: Sequence[Any], runner_id: str | None = None) -> Described:
    return [_plain(each.invocation_id) for each in invocations], (_plain(runner_id),)


def _moving(invocation_id: str, status: Any, runner_id: str | None = None) -> Described:
    told = _STATUSES.get(status) or _plain(status)
    return [_plain(invocation_id)], (told, _plain(runner_id))


def _about(invocation_id: str) -> Described:
    return [_plain(invocation_id)], ()


def _writing(invocation_id: str, serialized_result: str) -> Described:
    return [_plain(invocation_id)], (_plain(serialized_result),)


def _starting(
    atomic_service_run: Any, started_at: Any = None, status: Any = "running", reason: str = ""
) -> Described | None:
    del started_at, reason
    # What was not to run is recorded by pynenc, and keeps nobody out.
    return _running(atomic_service_run) if _plain(status) == "running" else None


def _running(atomic_service_run: Any, *_: Any, **__: Any) -> Described:
    return [_SERVICES], (_plain(atomic_service_run.atomic_service_run_id),)


def _purging() -> Described:
    return [EVERY_KEY], ()


def _record(record: Any) -> Value:
    try:
        status = record.status
        return [_STATUSES.get(status) or _plain(status), _plain(record.runner_id)]
    except (AttributeError, TypeError):
        no_record: Value = _plain(record)
        return no_record


def _plain(value: Any) -> Any:
    """What a journal can have in place of any value."""
    kind = type(value)
    if kind is str:
        return value if len(value) <= _LONGEST else _short(value)
    if kind in _PLAIN:
        return value
    return _short(str.__str__(value) if isinstance(value, str) else repr(value))


# Quicker than asking the status for its value.
_STATUSES: dict[Any, str] = {status: status.value for status in InvocationStatus}

_PLAIN = frozenset({int, bool, float, type(None)})


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
        "_atomic_status_transition": _Method(_moving, _record, (InvocationStatusError, KeyError)),
        "get_invocation_status_record": _Method(_about, _record, (KeyError,)),
        "increment_invocation_retries": _Method(_about, _nothing),
        "get_invocation_retries": _Method(_about, _plain),
        "record_atomic_service_execution_start": _Method(_starting, _plain),
        "finalize_atomic_service_execution": _Method(_running, _nothing),
        "purge": _Method(_purging, _nothing),
    },
    "state_backend": {
        "_set_result": _Method(_writing, _nothing),
        "_get_result": _Method(_about, _plain, (KeyError,)),
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
    """Records what this process does from `install` on, in a folder of journals.

    Only of one app: the invocations of another one may have the same ids.

    :param is_shared: Whether a process that is forked has the store of this one, and not a copy
        that nobody else sees: then it is recorded, too.
    """

    def __init__(self, folder: Path, *, is_shared: bool = True) -> None:
        self.watching = Watching(_METHODS, self._recorded)
        self.folder = folder
        self._app_id = (folder / APP_FILE).read_text()
        self._numbers = itertools.count(1)
        self._local = threading.local()
        self._is_shared = is_shared
        self._has_store = True
        _recordings.add(self)

    def forked(self) -> None:
        """Begin other journals, or none, in a process that was forked from the recorded one."""
        self._local = threading.local()
        self._has_store = self._is_shared

    def _recorded(  # noqa: C901 - in one piece, as each operation pays for each call
        self, instance: Any, component: str, name: str, method: Callable[..., Any]
    ) -> Callable[..., Any] | None:
        if instance.app.app_id != self._app_id:
            return None
        described, outcome, refusals = _METHODS[component][name]
        told = f"{component}.purge" if name == "purge" else name.lstrip("_")
        ok, refused, unknown = Ending.OK.value, Ending.ERROR.value, _UNKNOWN

        def recorded(*args: Any, **kwargs: Any) -> Any:
            try:
                thread: _Thread = self._local.thread
            except AttributeError:
                thread = self._local.thread = self._begun()
            if thread.is_inside:
                return method(*args, **kwargs)
            try:
                description = described(*args, **kwargs)
            except (TypeError, AttributeError):
                # No such call is possible; the method says what is wrong with it.
                description = None
            if description is None:
                return method(*args, **kwargs)
            append = thread.append
            begun = dumps((told, *description))
            append(monotonic_ns(), begun)
            thread.is_inside = True
            try:
                value = method(*args, **kwargs)
            except refusals as error:
                append(monotonic_ns(), dumps((refused, type(error).__name__)))
                raise
            except Exception:
                append(monotonic_ns(), unknown)
                raise
            finally:
                thread.is_inside = False
            append(monotonic_ns(), dumps((ok, outcome(value))))
            return value

        return recorded

    def _begun(self) -> _Thread:
        if not self._has_store:
            return _Thread(_to_nobody)
        name = f"{os.getpid()}-{next(self._numbers)}{_SUFFIX}"
        try:
            journal = Journal(self.folder / name)
        except FileNotFoundError:  # the test has ended
            return _Thread(_to_nobody)
        thread = threading.current_thread()
        is_main = thread is threading.main_thread()
        # Threads may have the same name, and the next one that of one that has ended.
        process = f"{os.getpid()}" if is_main else f"{name.removesuffix(_SUFFIX)} {thread.name}"
        journal.append(monotonic_ns(), dumps(process))
        return _Thread(journal.append)


def _to_nobody(instant_ns: int, content: bytes) -> None:
    pass


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


# All of this process, each of which is told of a fork.
_recordings: WeakSet[Recording] = WeakSet()
_installed: Recording | None = None


def install() -> Recording | None:
    """Record what components do that are made from now on, if the test wants that.

    Repeating it changes nothing.
    """
    global _installed  # noqa: PLW0603 - pynenc's classes are changed for the whole process, too
    path = os.environ.get(JOURNALS_VARIABLE)
    if path and _installed is None:
        _installed = Recording(Path(path))
        _installed.watching.install()
    return _installed


def uninstall() -> None:
    """Leave alone components that are made from now on."""
    global _installed  # noqa: PLW0603 - as above
    if _installed is not None:
        _installed.watching.uninstall()
        _installed = None


@contextmanager
def installed(app: Pynenc | None = None) -> Iterator[None]:
    """Record as the variable says, for a while; of *app*, the components that it has already.

    What was recorded before into another folder goes on afterwards.
    """
    global _installed  # noqa: PLW0603 - as above
    outer = None
    if _installed is not None and str(_installed.folder) != os.environ.get(JOURNALS_VARIABLE):
        outer, _installed = _installed, None
    recording = install()
    try:
        if app is not None and recording is not None:
            recording.watching.watch_app(app)
        yield
    finally:
        uninstall()
        _installed = outer


@contextmanager
def only_of(folder: Path, app: Pynenc) -> Iterator[None]:
    """Record what *app* does in this process, with the components that it has, and nothing else.

    A process that is forked has a copy of its store, and is not recorded.
    """
    recording = Recording(folder, is_shared=False)
    recording.watching.watch_app(app)
    try:
        yield
    finally:
        recording.watching.uninstall()


def _forked() -> None:
    for recording in _recordings:
        recording.forked()


os.register_at_fork(after_in_child=_forked)
