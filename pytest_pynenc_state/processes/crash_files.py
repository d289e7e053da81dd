"""What a test and the processes that are to crash tell each other, through a folder.

The test says where to crash in one file; a process that comes by claims a point by making a
file that nobody else can make, says what it is about to do in another one, and does it. What
is in a file survives a process that is killed (-9).
"""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

#: Set while a test has crash points: the process that is spared, and the folder.
CRASHES_VARIABLE = "PYTEST_PYNENC_CRASHES"

Action = Literal["kill", "pause"]

#: What each action is to the kernel.
SIGNALS: dict[str, signal.Signals] = {"kill": signal.SIGKILL, "pause": signal.SIGSTOP}

_ARMED = "armed"


@dataclass(frozen=True)
class Point:
    """Where one process is to crash, once.

    :param number: The how manieth of the test, from 1 on.
    :param name: How messages call it.
    :param component: The attribute of an app that has the methods.
    :param methods: Any of them will do.
    :param moment: ``"before"`` the call, or ``"after"`` it has returned.
    :param status: Only calls that are about this status; None is any call.
    :param task: Only calls that are about an invocation of this task, by its key; None is any
        task but pynenc's own, and calls about no invocation.
    :param nth: The how manieth this is in all processes: of the invocations that came to the
        status, or of the calls.
    :param action: ``"kill"`` or ``"pause"``.
    """

    number: int
    name: str
    component: str
    methods: tuple[str, ...]
    moment: str
    status: str | None
    task: str | None
    nth: int
    action: str


@dataclass(frozen=True)
class Hit:
    """A process that came to a crash point: what is known of it, and when that was.

    :param point: The name of the point.
    :param action: ``"kill"`` or ``"pause"``.
    :param process: What multiprocessing calls the process: ``"MainProcess"`` of one that it
        has not started. Of a random crash, nothing.
    :param command: Its command line; that of its parent, if it was forked.
    :param invocation_id: The invocation that it was about to deal with, or has dealt with; None
        if the point is not about one.
    :param at: When, by the wall clock.
    :param monotonic_ns: The same by `time.monotonic_ns`, which all processes share.
    """

    point: str
    action: str
    pid: int
    process: str
    command: str
    invocation_id: str | None
    at: datetime
    monotonic_ns: int


class CrashFolder:
    """One test's folder; any process may look into it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._armed = str(path / _ARMED)
        self._points: tuple[Point, ...] = ()
        self._version: tuple[int, int] | None = None

    def arm(self, points: list[Point]) -> None:
        """Have processes look for *points*, all there are by now; none disarms."""
        if points:
            self._put(_ARMED, [asdict(point) for point in points])
        else:
            Path(self._armed).unlink(missing_ok=True)

    def armed(self) -> tuple[Point, ...]:
        """The points of the test; where there are none, this is one call of the system."""
        try:
            found = os.stat(self._armed)  # noqa: PTH116 - a Path would cost more than the call
            version = (found.st_ino, found.st_mtime_ns)
            if version != self._version:
                entries = json.loads(Path(self._armed).read_text())
                self._points = tuple(
                    Point(**{**entry, "methods": tuple(entry["methods"])}) for entry in entries
                )
                self._version = version
        except FileNotFoundError:
            return ()
        return self._points

    def claim(self, point: Point) -> int | None:
        """Count one more, in all processes together; None once the point is spent."""
        for count in range(1, point.nth + 1):
            try:
                self._file(point.number, f"call-{count}").touch(exist_ok=False)
            except FileExistsError:
                continue
            except FileNotFoundError:  # the test has ended
                return None
            return count
        return None

    def put_hit(self, point: Point, hit: Hit) -> None:
        """Say what this process is about to do."""
        self._put(self._file(point.number, "hit").name, {**asdict(hit), "at": hit.at.isoformat()})

    def hit(self, point: Point) -> Hit | None:
        """What a process has done at a point, or is about to do; None if there is none yet."""
        try:
            entry = json.loads(self._file(point.number, "hit").read_text())
        except FileNotFoundError:
            return None
        return Hit(**{**entry, "at": datetime.fromisoformat(entry["at"]).astimezone(UTC)})

    def note(self, point: Point, line: str) -> None:
        """Add a line on a call that was not the one; short, so that lines do not mix."""
        try:
            with self._file(point.number, "seen").open("a") as lines:
                lines.write(line + "\n")
        except FileNotFoundError:  # the test has ended
            return

    def notes(self, point: Point) -> list[str]:
        """The lines on calls that were not the one, oldest first."""
        try:
            return self._file(point.number, "seen").read_text().splitlines()
        except FileNotFoundError:
            return []

    def announce(self) -> None:
        """Say that this process, and what it forks, looks for points."""
        with suppress(FileNotFoundError):  # the test has ended
            (self._path / f"watcher-{os.getpid()}").touch()

    def watchers(self) -> list[int]:
        """The processes that look for points, but for those that were forked."""
        return sorted(int(file.name.partition("-")[2]) for file in self._path.glob("watcher-*"))

    def _file(self, number: int, name: str) -> Path:
        return self._path / f"{number}-{name}"

    def _put(self, name: str, entry: object) -> None:
        # Complete or not there at all, whoever looks, and whenever this process is killed.
        unfinished = self._path / f"{name}.{os.getpid()}"
        unfinished.write_text(json.dumps(entry))
        unfinished.replace(self._path / name)
