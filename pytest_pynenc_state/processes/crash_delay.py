"""A crash from outside: after a delay, whatever the process is doing then."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import psutil

from pytest_pynenc_state.processes.crash_files import SIGNALS, CrashFolder, Hit, Point
from pytest_pynenc_state.processes.tree import has_ended


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
