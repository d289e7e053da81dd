"""pytest's end of the guard: which processes die with this one, and how they are known."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

from pytest_pynenc_state.processes.guard import VARIABLE

_SCRIPT = Path(__file__).with_name("guard.py")

# Hang guard: an idle guard ends at once when its input is closed.
_STOP_TIMEOUT_S = 10.0


class Guard:
    """Started with the first runner or child; ended with `close`.

    :ivar mark: What the family of this process is known by; see `guard`.
    :ivar watched: The sessions that are watched now, each also the process that leads it.
    """

    def __init__(self) -> None:
        self.mark = _new_mark()
        self.watched: set[int] = set()
        self._memory: mmap.mmap | None = None
        self._process: subprocess.Popen[str] | None = None
        self._folder = ""
        _guards.add(self)

    @property
    def folder(self) -> str:
        """A folder that is removed when this process ends, however it does; its path is short."""
        self.start()
        return self._folder

    @property
    def pid(self) -> int | None:
        """The guard's process; None while there is none."""
        return None if self._process is None else self._process.pid

    @contextmanager
    def marking(self) -> Iterator[None]:
        """Mark all processes that are started meanwhile, and what they start in turn."""
        self._mark_forks()
        former = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = self.mark
        try:
            yield
        finally:
            os.environ.pop(VARIABLE, None)
            if former is not None:
                os.environ[VARIABLE] = former

    def start(self) -> None:
        """Let all that is marked die when this process is killed."""
        if self._process is None:
            # An xdist worker that is left alone can tell nobody how a test ends.
            starter = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else 0
            self._folder = mkdtemp(prefix="pynenc-")
            self._process = subprocess.Popen(
                # Isolated and without site: it starts in milliseconds and imports nothing.
                [sys.executable, "-I", "-S", str(_SCRIPT), self.mark, str(starter), self._folder],
                stdin=subprocess.PIPE,
                text=True,
                # Ctrl-C in a terminal goes to pytest's process group, and must not end it.
                start_new_session=True,
            )

    def watch(self, session_id: int) -> None:
        """Let the session die when this process does, however it ends."""
        self.start()
        self.watched.add(session_id)
        self._tell(f"+{session_id}")

    def forget(self, session_id: int) -> None:
        """Note that the session has ended."""
        self.watched.discard(session_id)
        self._tell(f"-{session_id}")

    def close(self) -> None:
        """End the guard; it kills what is still watched."""
        if self._process is not None:
            self._tell(".")
            process, self._process = self._process, None
            process.communicate(timeout=_STOP_TIMEOUT_S)

    def _mark_forks(self) -> None:
        # A file in memory, whose name the kernel tells of every process that has it.
        if self._memory is None and sys.platform == "linux":
            descriptor = os.memfd_create(self.mark)
            os.ftruncate(descriptor, mmap.PAGESIZE)
            self._memory = mmap.mmap(descriptor, mmap.PAGESIZE)
            os.close(descriptor)

    def _tell(self, line: str) -> None:
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _let_go(self) -> None:
        """Found, in a forked child, a family of its own, and close its copy of the pipe.

        Open, that would keep the guard waiting. And the guard that the child may start ends a
        family when the child ends: it must not be that of its parent.
        """
        self.mark = _new_mark()
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()
            _inherited.append(process)


def _new_mark() -> str:
    return f"pynenc-{uuid4().hex}"


_guards: weakref.WeakSet[Guard] = weakref.WeakSet()

# A parent's guards, in a forked child: kept referenced, because they are not the child's to end.
_inherited: list[subprocess.Popen[str]] = []


def _let_go_of_all() -> None:
    for guard in list(_guards):
        guard._let_go()


os.register_at_fork(after_in_child=_let_go_of_all)
