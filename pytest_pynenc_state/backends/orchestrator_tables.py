"""The tables that a store gives an orchestrator: what each operation does, as one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pynenc.identifiers.invocation_id import InvocationId
    from pynenc.invocation.dist_invocation import DistributedInvocation
    from pynenc.invocation.status import InvocationStatus, InvocationStatusRecord
    from pynenc.orchestrator.atomic_service import ActiveRunnerInfo

    from pytest_pynenc_state.compat import (
        AtomicServiceExecution,
        AtomicServiceExecutionStatus,
        AtomicServiceRun,
    )


class Statuses(Protocol):
    """The status, owner and retries of each invocation of one app."""

    def register(
        self,
        invocations: Sequence[DistributedInvocation[Any, Any]],
        record: InvocationStatusRecord,
    ) -> None:
        """Add those of *invocations* that are not there yet, all in the status of *record*."""

    def move(
        self, invocation_id: str, status: InvocationStatus, runner_id: str | None
    ) -> InvocationStatusRecord:
        """Validate a change of status with pynenc's rules and make it, as one."""

    def record(self, invocation_id: str) -> InvocationStatusRecord:
        """The current status record; KeyError if the invocation is unknown."""

    def states(
        self, invocation_ids: Sequence[str]
    ) -> dict[str, tuple[InvocationStatusRecord, int]]:
        """The status record and the retries of those of *invocation_ids* that are known."""

    def increment_retries(self, invocation_id: str) -> None:
        """Add one retry; nothing happens if the invocation is unknown."""

    def retries(self, invocation_id: str) -> int:
        """The number of retries; 0 if the invocation is unknown."""

    def in_status(
        self, candidates: Sequence[InvocationId], statuses: Collection[InvocationStatus]
    ) -> list[InvocationId]:
        """Those of *candidates* that are in one of *statuses*, in the order given."""

    def pending_since(self, cutoff_us: int) -> list[InvocationId]:
        """The ids that have been PENDING since *cutoff_us* or longer."""

    def running_unattended(self, cutoff_us: int) -> list[InvocationId]:
        """The ids that are RUNNING for an owner without heartbeat since *cutoff_us*."""

    def schedule_purge(self, invocation_id: str) -> None:
        """Note that the invocation may be forgotten some time after now."""

    def purge_due(self, scheduled_until_us: int) -> None:
        """Forget all invocations scheduled until then, with arguments, retries and waiters."""


class Search(ABC):
    """Finding the invocations of one app."""

    @abstractmethod
    def index_arguments(self, invocation_id: str, arguments: Mapping[str, str]) -> None:
        """Make an invocation findable by its serialized arguments; a repeat is harmless."""

    @abstractmethod
    def existing(
        self,
        task_key: str,
        arguments: Mapping[str, str] | None,
        statuses: Collection[InvocationStatus] | None,
    ) -> list[InvocationId]:
        """The ids of a task's invocations with all of these arguments, oldest first."""

    def of_task(self, task_key: str) -> list[InvocationId]:
        """The ids of a task's invocations, oldest registration first."""
        return self._ids_by("task_id_key", task_key)

    def of_call(self, call_key: str) -> list[InvocationId]:
        """The ids of a call's invocations, oldest registration first."""
        return self._ids_by("call_id_key", call_key)

    @abstractmethod
    def _ids_by(self, field: str, value: str) -> list[InvocationId]:
        """The ids of the invocations whose *field* has this value, oldest first."""

    @abstractmethod
    def page(
        self,
        task_key: str | None,
        statuses: Collection[InvocationStatus] | None,
        limit: int,
        offset: int,
    ) -> list[InvocationId]:
        """One page of the ids, newest registration first."""

    @abstractmethod
    def count(self, task_key: str | None, statuses: Collection[InvocationStatus] | None) -> int:
        """How many invocations all pages have together."""


class Heartbeats(Protocol):
    """The runners of one app."""

    def beat(
        self,
        runner_ids: Sequence[str],
        consumed_queues: Sequence[str] | None,
        *,
        can_run_atomic_service: bool,
    ) -> None:
        """Renew the heartbeat of each runner; those that are new get one creation time."""

    def active(
        self, heard_since_us: int, *, can_run_atomic_service: bool | None
    ) -> list[ActiveRunnerInfo]:
        """The runners heard of since then, by creation time and id."""

    def record_service(self, runner_id: str, start: datetime, end: datetime) -> None:
        """Keep when a runner last ran the atomic services."""


class Executions(Protocol):
    """The atomic-service executions of one app, of which at most one runs at a time."""

    def admit(self, run: AtomicServiceRun, started_at: datetime | None, reason: str) -> bool:
        """Start *run* unless another one runs; record a refusal. True if it may work.

        :param started_at: Stamped on the run. By default it is an instant at which nobody ran
            any more, however long that had to be waited for.
        """

    def record(
        self,
        run: AtomicServiceRun,
        started_at: datetime,
        status: AtomicServiceExecutionStatus,
        reason: str,
    ) -> None:
        """Record an attempt that is not to run: it ends when it starts."""

    def finish(
        self,
        run: AtomicServiceRun,
        end_time: datetime,
        status: AtomicServiceExecutionStatus,
        reason: str,
    ) -> None:
        """End *run*; the first end stands. A run that never started appears as empty."""

    def active(self) -> list[AtomicServiceExecution]:
        """The executions that run, newest first."""

    def in_timerange(
        self,
        start: datetime,
        end: datetime,
        limit: int,
        runner_id: str | None,
        min_duration_us: int,
    ) -> list[AtomicServiceExecution]:
        """At most *limit* executions that overlap the range, newest first."""

    def drop(
        self, ended_before_us: int | None, keep_newest: int | None, protected: frozenset[str]
    ) -> int:
        """Remove finished executions by age, then by number; return how many."""
