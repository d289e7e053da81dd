"""What all runners of a test have in common: they start, are ready, and stop within bounds."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_pynenc_state.errors import ProcessNotReady
from pytest_pynenc_state.waiting import wait_until

if TYPE_CHECKING:
    from pynenc.app import Pynenc

#: The kind that runs in threads of the test process; all others are processes.
IN_PROCESS_KIND = "thread"

#: The kind that pynenc's own command line runs.
COMMAND_LINE_KIND = "command-line"

#: Runner kind to pynenc's class; that of the command line runs any class, by default this one.
RUNNER_CLASSES = {
    IN_PROCESS_KIND: "ThreadRunner",
    "multi-thread": "MultiThreadRunner",
    "process": "ProcessRunner",
    "persistent-process": "PersistentProcessRunner",
    COMMAND_LINE_KIND: "ThreadRunner",
}


class Runner(ABC):
    """One runner that was started for a test.

    :ivar runner_id: What the store knows it by.
    :ivar made_at: Before this it has done nothing.
    """

    def __init__(self, app: Pynenc, kind: str) -> None:
        self.app = app
        self.kind = kind
        self.runner_id = str(uuid.uuid4())
        self.made_at = datetime.now(UTC)

    @abstractmethod
    def start(self) -> None:
        """Start it; it need not be ready yet."""

    @abstractmethod
    def is_alive(self) -> bool:
        """Whether it still runs."""

    @abstractmethod
    def stop(self, timeout_s: float) -> None:
        """End it, and all that it started, within *timeout_s* and some; do nothing if it has.

        :raises ProcessLeaked: Something outlived it. Processes have been killed by now.
        """

    def has_died(self) -> bool:
        """Whether it ended, perhaps in the middle of its work, before it was stopped."""
        return False

    def log(self) -> str:
        """What it printed last, where nobody else does."""
        return ""

    def fate(self) -> str:
        """What became of a runner that is not alive."""
        return f"the {self.kind} runner has stopped"

    def wait_until_ready(self, timeout_s: float) -> None:
        """Return once the runner's heartbeat is in the store.

        :raises ProcessNotReady: It ended, or gave no sign of life before *timeout_s*.
        """
        wait_until(lambda: self._has_heartbeat() or not self.is_alive(), timeout_s)
        if self.is_alive() and self._has_heartbeat():
            return
        fate = f"gave no heartbeat within {timeout_s:g} s" if self.is_alive() else "ended at once"
        message = f"the {self.kind} runner {fate}\n{self.log()}".rstrip()
        raise ProcessNotReady(message, "see its log above", "or raise --pynenc-timeout")

    def _has_heartbeat(self) -> bool:
        active = self.app.orchestrator.get_active_runners()
        return any(runner.runner_id == self.runner_id for runner in active)
