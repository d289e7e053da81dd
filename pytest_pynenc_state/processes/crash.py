"""One crash that a test has arranged: whether it has happened, and to whom."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress

import psutil

from pytest_pynenc_state.errors import CrashNotReached
from pytest_pynenc_state.processes.crash_files import CrashFolder, Hit, Point
from pytest_pynenc_state.processes.tree import has_ended
from pytest_pynenc_state.waiting import wait_until

# What a process does at a point is done by the kernel a moment after it has said so.
_KERNEL_S = 10.0

_SHOWN_NOTES = 10


class Crash:
    """One crash that was arranged: it happens to one process, once.

    :param runs_here: Whether a runner in pytest's own process may be what came by instead.
    """

    def __init__(
        self, point: Point, folder: CrashFolder, timeout_s: float, runs_here: Callable[[], bool]
    ) -> None:
        self._point = point
        self._folder = folder
        self._timeout_s = timeout_s
        self._runs_here = runs_here
        self._was_resumed = False

    @property
    def hit(self) -> Hit | None:
        """The process that came to the point; None if there is none yet."""
        return self._folder.hit(self._point)

    def wait(self, timeout_s: float | None = None) -> Hit:
        """Return once it has happened: the process is dead, or stopped.

        :param timeout_s: By default that of ``--pynenc-timeout``.
        :raises CrashNotReached: No process came to the point in time.
        """
        __tracebackhide__ = True
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        wait_until(lambda: self.hit is not None, limit_s)
        hit = self.hit
        if hit is None:
            raise self._not_reached(limit_s)
        has_happened = _is_gone if hit.action == "kill" else _is_stopped
        if not wait_until(lambda: has_happened(hit.pid), _KERNEL_S):
            message = f"{hit.point}: process {hit.pid} was to {hit.action}, but goes on"
            raise CrashNotReached(message, "nobody else may resume a process that is paused")
        return hit

    def resume(self) -> None:
        """Let the process go on that was paused here; do nothing if there is none."""
        hit = self.hit
        if self._was_resumed or hit is None or hit.action != "pause":
            return
        self._was_resumed = True
        # It may have come to the point this very moment.
        wait_until(lambda: _is_stopped(hit.pid) or _is_gone(hit.pid), _KERNEL_S)
        if _is_stopped(hit.pid):
            os.kill(hit.pid, signal.SIGCONT)
            wait_until(lambda: not _is_stopped(hit.pid), _KERNEL_S)

    def __repr__(self) -> str:
        return f"<{self._point.action} {self._point.name}: {self.hit or 'not reached yet'}>"

    def _not_reached(self, limit_s: float) -> CrashNotReached:
        notes, watchers = self._folder.notes(self._point), self._folder.watchers()
        seen = notes[-_SHOWN_NOTES:] or ["nothing of the kind"]
        message = (
            f"no process came to {self._point.name} within {limit_s:g} s\n"
            f"{len(watchers)} processes looked for it, {watchers}, besides those that they have "
            f"forked; of other calls there, the last they saw: \n  " + "\n  ".join(seen)
        )
        here = "a runner in the pytest process runs tasks, too, and is never hit: choose another"
        return CrashNotReached(
            message,
            *([here] if self._runs_here() else []),
            "let a runner in other processes do it, or a child of pynenc_process",
            "or raise --pynenc-timeout, if it may take that long",
        )


def _is_gone(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return has_ended(psutil.Process(pid))
    return True


def _is_stopped(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED
    return False
