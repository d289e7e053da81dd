"""A crash from outside: after a delay, whatever the process is doing then."""

from __future__ import annotations

import math
import threading
import time
from datetime import UTC, datetime
from typing import Protocol, cast

import psutil

from pytest_pynenc_state.errors import CrashRefused
from pytest_pynenc_state.processes.crash_files import SIGNALS, CrashFolder, Hit, Point
from pytest_pynenc_state.processes.runner import RunnerControl
from pytest_pynenc_state.processes.threaded_runner import ThreadedRunner
from pytest_pynenc_state.processes.tree import has_ended

#: What to do where a runner is in the pytest process.
IN_OTHER_PROCESSES = (
    "choose one in other processes: --pynenc-runner process, or "
    "@pytest.mark.parametrize('pynenc_runner', ['process'], indirect=True)"
)


class HasPid(Protocol):
    """A process of a test: a runner of ``pynenc_runner``, a child of ``pynenc_process``."""

    @property
    def pid(self) -> int | None:
        """Its id; None while it has none."""


def pid_of(process: HasPid | RunnerControl | int) -> int:
    """The id of the process that is meant.

    :raises CrashRefused: It was not started by this test, or there are several.
    """
    where = f"at_random({process!r})"
    if isinstance(process, RunnerControl):
        alive = [runner for runner in process.runners if runner.is_alive()]
        if len(alive) != 1:
            message = f"{where}: {len(alive)} of its runners are alive, and one is to be hit"
            raise CrashRefused(message, "give one of pynenc_runner.runners")
        return pid_of(cast("HasPid", alive[0]))
    if isinstance(process, ThreadedRunner):
        message = f"at_random: a {process.kind} runner is in the pytest process, which is never hit"
        raise CrashRefused(message, IN_OTHER_PROCESSES)
    pid = process if isinstance(process, int) else getattr(process, "pid", None)
    if pid not in _descendants():
        message = f"{where}: this test has no such process"
        raise CrashRefused(message, "give a runner, a child, or the id of one of their workers")
    return pid


def is_range(within_s: object) -> bool:
    """Whether it is a shortest and a longest delay, in seconds."""
    match within_s:
        case [int() | float() as shortest, int() | float() as longest]:
            return 0 <= shortest <= longest < math.inf
    return False


def _descendants() -> set[int]:
    return {process.pid for process in psutil.Process().children(recursive=True)}


class Delay:
    """Counts from the moment it is made, in a thread of its own."""

    def __init__(self, point: Point, folder: CrashFolder, pid: int, delay_s: float) -> None:
        self._point = point
        self._folder = folder
        self._process = psutil.Process(pid)
        self._delay_s = delay_s
        self._cancelled = threading.Event()
        self._thread = threading.Thread(
            target=self._crash_later, name=f"pynenc-crash-{pid}", daemon=True
        )
        self._thread.start()

    def cancel(self) -> None:
        """Let it not happen any more; return once it will not."""
        self._cancelled.set()
        self._thread.join()

    def _crash_later(self) -> None:
        if self._cancelled.wait(self._delay_s):
            return
        try:
            self._crash()
        except psutil.NoSuchProcess:
            self._folder.note(self._point, f"pid {self._process.pid}: had ended before")

    def _crash(self) -> None:
        if has_ended(self._process):
            raise psutil.NoSuchProcess(self._process.pid)
        command = " ".join(self._process.cmdline())
        # psutil looks whether it is still the same process.
        self._process.send_signal(SIGNALS[self._point.action])
        hit = Hit(
            point=self._point.name,
            action=self._point.action,
            pid=self._process.pid,
            process="",
            command=command,
            invocation_id=None,
            at=datetime.now(UTC),
            monotonic_ns=time.monotonic_ns(),
        )
        self._folder.put_hit(self._point, hit)
