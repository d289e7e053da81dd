"""A runner in a process of its own, and how it ends with all that it has started."""

from __future__ import annotations

import subprocess
from abc import abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from pytest_pynenc_state.errors import ProcessLeaked
from pytest_pynenc_state.processes.base_runner import Runner
from pytest_pynenc_state.processes.output import Output
from pytest_pynenc_state.processes.serving import STACK_SIGNAL
from pytest_pynenc_state.processes.tree import (
    described,
    gone_within,
    kill_session,
    session_members,
)
from pytest_pynenc_state.waiting import wait_until

if TYPE_CHECKING:
    from pynenc.app import Pynenc

    from pytest_pynenc_state.processes.guarding import Guard

# After a runner has ended, its helpers (a manager, a resource tracker) see their pipes
# close and end by themselves; nothing else is left that could take time.
_HELPERS_END_S = 2.0

# A stack is printed within milliseconds, if there is a processor; many never print any.
_STACKS_S = 0.5


class SeparateRunner(Runner):
    """A runner in a child process that leads a session.

    :ivar output: What it and its workers have printed.
    """

    def __init__(self, app: Pynenc, kind: str, guard: Guard) -> None:
        super().__init__(app, kind)
        self.output = Output()
        self._guard = guard
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process that runs the runner; also the id of the session of all it starts."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process."""
        self._process = self._popen()
        self._guard.watch(self._process.pid)

    @abstractmethod
    def _popen(self) -> subprocess.Popen[bytes]:
        """Start the process, which prints to `output`."""

    def is_alive(self) -> bool:
        """Whether the process that runs the runner still does."""
        return self._process is not None and self._process.poll() is None

    def has_died(self) -> bool:
        """Whether its process ended before it was stopped."""
        return self._process is not None and not self.is_alive()

    def log(self) -> str:
        """What it and its workers printed last."""
        return self.output.tail()

    def fate(self) -> str:
        """How its process ended."""
        if self._process is None:
            return super().fate()
        return f"the {self.kind} runner, pid {self.pid}, ended with {self._process.poll()}"

    def stop(self, timeout_s: float) -> None:
        """Terminate the process, then kill what is left of its session."""
        if self._process is None:
            self.output.close()
            return
        # One that was killed could not end its helpers; that is no leak of the test's.
        had_ended = not self.is_alive()
        process, self._process = self._process, None
        process.terminate()
        try:
            process.wait(timeout_s)
            gone_within(process.pid, 0 if had_ended else _HELPERS_END_S)
            outcome = "outlived it"
        except subprocess.TimeoutExpired:
            outcome = f"outlived its test, which gave it {timeout_s:g} s,"
        survivors = [] if had_ended else session_members(process.pid)
        names = described(survivors)
        self._have_stacks_printed(survivors)
        kill_session(process.pid, timeout_s)
        process.wait(timeout_s)
        self._guard.forget(process.pid)
        self.output.close()
        if survivors:
            message = (
                f"processes of the {self.kind} runner {outcome} and were killed:\n"
                f"{names}\n{self.output.tail()}"
            )
            raise ProcessLeaked(message, "let the tasks that are still running come to an end")

    def _have_stacks_printed(self, processes: list[psutil.Process]) -> None:
        """Let those that can print where they are, and return when they have."""
        if not processes:
            return
        before = seen = self.output.size
        for process in processes:
            with suppress(psutil.Error):
                process.send_signal(STACK_SIGNAL)

        def is_complete() -> bool:
            nonlocal seen
            former, seen = seen, self.output.size
            return before < seen == former

        wait_until(is_complete, _STACKS_S)
