"""In a process that may be hit: looks at each call of a component, and crashes where it is told.

Only processes that find the variable of a test with crash points look, and only at components
that are made from then on. All others have pynenc's classes as they are.
"""

from __future__ import annotations

import inspect
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from pynenc.invocation.status import InvocationStatus, InvocationStatusRecord

from pytest_pynenc_state import compat
from pytest_pynenc_state.processes.crash_files import (
    CRASHES_VARIABLE,
    SIGNALS,
    CrashFolder,
    Hit,
    Point,
)
from pytest_pynenc_state.processes.crash_methods import ABOUT, methods_of
from pytest_pynenc_state.processes.watching import COMPONENTS, Watching

# Every runner has these run whenever it likes; nobody means them by "any task".
_CORE_TASKS = "pynenc.core_tasks."

_inside = threading.local()
_installed: Watching | None = None


def install() -> None:
    """Look at what components do that are made from now on, if the test has crash points.

    Repeating it changes nothing; in the process of the test itself it does nothing.
    """
    global _installed  # noqa: PLW0603 - pynenc's classes are changed for the whole process, too
    pid, _, path = os.environ.get(CRASHES_VARIABLE, "").partition(":")
    if not path or os.getpid() == int(pid) or _installed is not None:
        return
    folder = CrashFolder(Path(path))
    folder.announce()
    methods = {component: methods_of(component) for component in COMPONENTS}
    _installed = Watching(methods, partial(_watched, folder))
    _installed.install()


def uninstall() -> None:
    """Leave alone components that are made from now on."""
    global _installed  # noqa: PLW0603 - as above
    if _installed is not None:
        _installed.uninstall()
        _installed = None


@contextmanager
def installed() -> Iterator[None]:
    """`install` for a while, in a process that serves one test after the other."""
    install()
    try:
        yield
    finally:
        uninstall()


def _watched(
    folder: CrashFolder, instance: Any, component: str, name: str, method: Callable[..., Any]
) -> Callable[..., Any]:
    call = _Call(folder, instance, component, name)

    def watched(*args: Any, **kwargs: Any) -> Any:
        call.look("before", args, kwargs, None)
        result = method(*args, **kwargs)
        if isinstance(result, Generator):
            return finished(result, args, kwargs)
        call.look("after", args, kwargs, result)
        return result

    def finished(result: Iterator[Any], args: Any, kwargs: Any) -> Iterator[Any]:
        # A generator has returned once its last item was asked for.
        yield from result
        call.look("after", args, kwargs, None)

    return watched


@dataclass(frozen=True)
class _Call:
    """Calls of one method of one component."""

    folder: CrashFolder
    instance: Any
    component: str
    name: str

    def look(self, moment: str, args: Any, kwargs: Any, result: Any) -> None:
        """Crash, if one of the test's points is here and now."""
        here = [
            point
            for point in self.folder.armed()
            if (point.component, point.moment) == (self.component, moment)
            and self.name in point.methods
        ]
        # To find out what a call is about takes calls, too.
        if not here or getattr(_inside, "looks", False):
            return
        _inside.looks = True
        try:
            method = getattr(type(self.instance), self.name)
            arguments = inspect.signature(method).bind(self.instance, *args, **kwargs).arguments
            for point in here:
                self._come_by(point, arguments, result)
        finally:
            _inside.looks = False

    def _come_by(self, point: Point, arguments: dict[str, Any], result: Any) -> None:
        status = _status(arguments, result)
        ids = [each for name in ABOUT.keys() & arguments for each in ABOUT[name](arguments[name])]
        tasks = [self._task(each) for each in ids]
        matching = [each for each, task in zip(ids, tasks, strict=True) if _is_meant(task, point)]
        if (matching or (not ids and point.task is None)) and point.status in (None, status):
            # A status comes to each invocation of a batch; a call is one, whatever it is about.
            counted: Sequence[str | None] = matching if point.status else matching[:1] or [None]
            for each in counted:
                count = self.folder.claim(point)
                if count is None:
                    return
                if count == point.nth:
                    self._crash(point, each)
                    return
        about = f"{status or self.name} of {', '.join(tasks) or 'no invocation'}"
        self.folder.note(point, f"pid {os.getpid()}: {about[:200]}")

    def _task(self, invocation_id: str) -> str:
        state_backend = self.instance.app.state_backend
        stored = state_backend._get_invocation(invocation_id)
        return stored[1].call_id.task_id.key if stored else "an unknown task"

    def _crash(self, point: Point, invocation_id: str | None) -> None:
        if invocation_id is not None:
            # Up to pynenc 0.2.0 threads write records, perhaps this one: what was called for
            # before this call is written, or else one and the same point would not always
            # leave one and the same store.
            with suppress(RuntimeError):
                compat.wait_for_writes(self.instance.app.state_backend, invocation_id)
        process = multiprocessing.current_process().name
        command = " ".join(sys.orig_argv)
        pid, at, now_ns = os.getpid(), datetime.now(UTC), time.monotonic_ns()
        hit = Hit(point.name, point.action, pid, process, command, invocation_id, at, now_ns)
        self.folder.put_hit(point, hit)
        # To this very thread, which then does nothing more; to the process, another one might
        # get it, and this one go on for a moment.
        signal.raise_signal(SIGNALS[point.action])


def _status(arguments: dict[str, Any], result: Any) -> str | None:
    """The status that a call is about."""
    for value in (result, *arguments.values()):
        if isinstance(value, InvocationStatusRecord):
            return value.status.value
        if isinstance(value, InvocationStatus):
            return value.value
    return None


def _is_meant(task: str, point: Point) -> bool:
    return task == point.task or (point.task is None and not task.startswith(_CORE_TASKS))
