"""The records of an atomic-service execution, for a pynenc that does not have them yet.

Field names and defaults are those of pynenc 0.2.4, where they appeared; `compat`
takes pynenc's own wherever they exist.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class AtomicServiceExecutionStatus(StrEnum):
    """What became of one attempt to run the atomic services."""

    RUNNING = "running"
    COMPLETED = "completed"
    ABANDONED = "abandoned"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class AtomicServiceId:
    """One attempt of one runner."""

    runner_id: str
    atomic_service_run_id: str = field(default_factory=lambda: str(uuid.uuid4()))


class AtomicServiceRun:
    """An attempt that a runner has claimed; the store stamps ``started_at``."""

    def __init__(
        self,
        atomic_service_id: AtomicServiceId | None = None,
        started_at: datetime | None = None,
        *,
        runner_id: str | None = None,
        atomic_service_run_id: str | None = None,
    ) -> None:
        if atomic_service_id is None:
            if runner_id is None:
                message = "AtomicServiceRun needs an atomic_service_id or a runner_id"
                raise TypeError(message)
            given = (atomic_service_run_id,) if atomic_service_run_id else ()
            atomic_service_id = AtomicServiceId(runner_id, *given)
        self.atomic_service_id = atomic_service_id
        self.runner_id = atomic_service_id.runner_id
        self.atomic_service_run_id = atomic_service_id.atomic_service_run_id
        self.started_at = started_at


class AtomicServiceExecution(NamedTuple):
    """One recorded attempt."""

    atomic_service_id: AtomicServiceId
    start_time: datetime
    end_time: datetime | None
    status: AtomicServiceExecutionStatus = AtomicServiceExecutionStatus.RUNNING
    reason: str = ""

    @classmethod
    def from_raw(
        cls,
        runner_id: str,
        atomic_service_run_id: str,
        start_time: datetime,
        end_time: datetime | None,
        status: AtomicServiceExecutionStatus = AtomicServiceExecutionStatus.RUNNING,
        reason: str = "",
    ) -> AtomicServiceExecution:
        """Build a record from its columns."""
        identity = AtomicServiceId(runner_id, atomic_service_run_id)
        return cls(identity, start_time, end_time, status, reason)

    @property
    def runner_id(self) -> str:
        """The runner that made the attempt."""
        return self.atomic_service_id.runner_id

    @property
    def atomic_service_run_id(self) -> str:
        """The id of the attempt."""
        return self.atomic_service_id.atomic_service_run_id

    @property
    def is_active(self) -> bool:
        """Whether the attempt still runs."""
        return self.status == AtomicServiceExecutionStatus.RUNNING

    @property
    def duration_seconds(self) -> float:
        """How long it ran; 0.0 while it still does."""
        return (self.end_time - self.start_time).total_seconds() if self.end_time else 0.0
