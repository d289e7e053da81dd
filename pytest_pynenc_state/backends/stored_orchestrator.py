"""What an orchestrator does on a store that several processes share.

A store (SQLite, MongoDB) keeps four tables, whose operations are atomic. This class is the
rest: pynenc's methods, in terms of those tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pynenc.invocation.status import InvocationStatus, InvocationStatusRecord

from pytest_pynenc_state.backends.orchestrator import PytestOrchestrator, stamped
from pytest_pynenc_state.backends.orchestrator_tables import (
    Executions,
    Heartbeats,
    Search,
    Statuses,
)
from pytest_pynenc_state.backends.state_backend import key_of
from pytest_pynenc_state.backends.timestamps import span_us, us_ago
from pytest_pynenc_state.compat import AtomicServiceExecutionStatus

if TYPE_CHECKING:
    from pynenc.identifiers.call_id import CallId
    from pynenc.identifiers.invocation_id import InvocationId
    from pynenc.identifiers.task_id import TaskId
    from pynenc.invocation.dist_invocation import DistributedInvocation
    from pynenc.orchestrator.atomic_service import ActiveRunnerInfo
    from pynenc.task import Task

    from pytest_pynenc_state.compat import AtomicServiceExecution, AtomicServiceRun

_SECONDS_PER_HOUR = 3600


class StoredOrchestrator(PytestOrchestrator):
    """Base of the orchestrators whose state is in a store outside of the process.

    A subclass sets the four tables when it is constructed, and has ``purge`` and
    ``blocking_control``.
    """

    _statuses: Statuses
    _search: Search
    _heartbeats: Heartbeats
    _executions: Executions

    # -- registration and status -----------------------------------------------------

    def _register_new_invocations(
        self,
        invocations: list[DistributedInvocation[Any, Any]],
        runner_id: str | None = None,
    ) -> InvocationStatusRecord:
        """Register those of *invocations* that are new, all at one instant.

        :returns: The record of that registration. An invocation that was registered
            before keeps its status, owner and retries.
        """
        record = InvocationStatusRecord(InvocationStatus.REGISTERED, runner_id)
        self._statuses.register(invocations, record)
        return record

    def _atomic_status_transition(
        self, invocation_id: str, status: InvocationStatus, runner_id: str | None = None
    ) -> InvocationStatusRecord:
        """Move an invocation to *status* if pynenc's rules allow it, and return its record.

        :raises KeyError: The invocation is unknown.
        :raises InvocationStatusTransitionError: Its status does not lead to *status*.
        :raises InvocationStatusOwnershipError: *runner_id* does not own it, or is missing.
            After each of these nothing has changed.

        Concurrency: of any number of threads and processes that try the same move, one
        succeeds.
        """
        return self._statuses.move(invocation_id, status, runner_id)

    def get_invocation_status_record(self, invocation_id: str) -> InvocationStatusRecord:
        """Return the current status record of an invocation.

        :raises KeyError: The invocation is unknown.
        """
        return self._statuses.record(invocation_id)

    def get_invocation_states(
        self, invocation_ids: Sequence[str]
    ) -> dict[str, tuple[InvocationStatusRecord, int]]:
        """Return status record and number of retries of those of *invocation_ids* it knows.

        pynenc has no such method: it is for whoever looks at a whole app, as `check_histories`.
        """
        return self._statuses.states(invocation_ids)

    def increment_invocation_retries(self, invocation_id: str) -> None:
        """Add one to an invocation's retries; nothing happens if it is unknown."""
        self._statuses.increment_retries(invocation_id)

    def get_invocation_retries(self, invocation_id: str) -> int:
        """Return how often an invocation was retried; 0 if it is unknown."""
        return self._statuses.retries(invocation_id)

    def filter_by_status(
        self,
        invocation_ids: list[InvocationId],
        status_filter: frozenset[InvocationStatus] | None,
    ) -> list[InvocationId]:
        """Return those of *invocation_ids*, any number, whose status is in *status_filter*.

        They keep the order they were given in. Unknown ids are left out; an empty list or
        filter gives ``[]``.
        """
        if not invocation_ids or not status_filter:
            return []
        return self._statuses.in_status(invocation_ids, status_filter)

    def get_pending_invocations_for_recovery(self) -> Iterator[InvocationId]:
        """Return the ids that have been PENDING for ``max_pending_seconds`` or longer."""
        latest_us = us_ago(self.app.conf.max_pending_seconds)
        return iter(self._statuses.pending_since(latest_us))

    def _get_running_invocations_for_recovery(
        self, timeout_seconds: float
    ) -> Iterator[InvocationId]:
        """Return the ids that are RUNNING for an owner not heard of for *timeout_seconds*."""
        return iter(self._statuses.running_unattended(us_ago(timeout_seconds)))

    def set_up_invocation_auto_purge(self, invocation_id: str) -> None:
        """Let `auto_purge` forget an invocation once its hours have passed from now."""
        self._statuses.schedule_purge(invocation_id)

    def auto_purge(self) -> None:
        """Forget what was scheduled ``auto_final_invocation_purge_hours`` ago or earlier.

        Gone are status, retries, indexed arguments and waiting edges. The state backend
        keeps what it has.
        """
        latest_us = us_ago(self.conf.auto_final_invocation_purge_hours * _SECONDS_PER_HOUR)
        self._statuses.purge_due(latest_us)

    # -- search ----------------------------------------------------------------------

    def index_arguments_for_concurrency_control(
        self,
        invocation: DistributedInvocation[Any, Any],
    ) -> None:
        """Make an invocation findable by its serialized arguments; a repeat is harmless."""
        self._search.index_arguments(invocation.invocation_id, invocation.call.serialized_arguments)

    def get_existing_invocations(
        self,
        task: Task[Any, Any],
        key_serialized_arguments: dict[str, str] | None = None,
        statuses: list[InvocationStatus] | None = None,
    ) -> Iterator[InvocationId]:
        """Return the ids of *task* with all of these arguments, in one of *statuses*.

        Oldest registration first. Without arguments, or statuses, these do not filter.
        Only arguments that were indexed are found.
        """
        return iter(self._search.existing(task.task_id.key, key_serialized_arguments, statuses))

    def get_task_invocation_ids(self, task_id: TaskId) -> Iterator[InvocationId]:
        """Return the ids of a task's invocations, oldest registration first."""
        return iter(self._search.of_task(key_of(task_id)))

    def get_call_invocation_ids(self, call_id: CallId) -> Iterator[InvocationId]:
        """Return the ids of a call's invocations, oldest registration first."""
        return iter(self._search.of_call(key_of(call_id)))

    def get_invocation_ids_paginated(
        self,
        task_id: TaskId | None = None,
        statuses: list[InvocationStatus] | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[InvocationId]:
        """Return at most *limit* ids after the first *offset*, newest registration first."""
        return self._search.page(_optional_key(task_id), statuses, limit, offset)

    def count_invocations(
        self, task_id: TaskId | None = None, statuses: list[InvocationStatus] | None = None
    ) -> int:
        """Return how many invocations there are of a task, in one of *statuses*."""
        return self._search.count(_optional_key(task_id), statuses)

    # -- runners and atomic services -------------------------------------------------

    def register_runner_heartbeats(
        self,
        runner_ids: list[str],
        can_run_atomic_service: bool = False,  # noqa: FBT001, FBT002 - pynenc's signature
        consumed_queues: Sequence[str] | None = None,
    ) -> None:
        """Renew the heartbeat of each runner; create those that are new, at one instant.

        The creation time never changes, the right to run atomic services stays once it
        is given, and *consumed_queues* of None keeps what is known.
        """
        self._heartbeats.beat(
            runner_ids, consumed_queues, can_run_atomic_service=can_run_atomic_service
        )

    def _get_active_runners(
        self,
        timeout_seconds: float,
        can_run_atomic_service: bool | None = None,  # noqa: FBT001 - pynenc's signature
    ) -> list[ActiveRunnerInfo]:
        """Return the runners heard of within *timeout_seconds*, by creation time and id."""
        return self._heartbeats.active(
            us_ago(timeout_seconds), can_run_atomic_service=can_run_atomic_service
        )

    def record_atomic_service_execution(
        self, runner_id: str, start_time: datetime, end_time: datetime
    ) -> None:
        """Keep when a runner last ran the atomic services, instead of the time before.

        A runner of which no heartbeat is known is ignored.
        """
        self._heartbeats.record_service(runner_id, start_time, end_time)

    def record_atomic_service_execution_start(
        self,
        atomic_service_run: AtomicServiceRun,
        started_at: datetime | None,
        status: AtomicServiceExecutionStatus = AtomicServiceExecutionStatus.RUNNING,
        reason: str = "",
    ) -> bool:
        """Start an execution unless another one runs; return whether it may work.

        The run is stamped with its start, by default now. A refused attempt, and one
        whose *status* is not RUNNING, is recorded as ended when it started.

        Concurrency: at most one execution runs at any time, whoever tries.
        """
        if status == AtomicServiceExecutionStatus.RUNNING:
            admitted = self._executions.admit(atomic_service_run, started_at, reason)
        else:
            started = stamped(atomic_service_run, started_at)
            self._executions.record(atomic_service_run, started, status, reason)
            admitted = status != AtomicServiceExecutionStatus.BLOCKED
        if not admitted or status != AtomicServiceExecutionStatus.RUNNING:
            self.purge_atomic_service_executions()
        return admitted

    def finalize_atomic_service_execution(
        self,
        atomic_service_run: AtomicServiceRun,
        end_time: datetime,
        status: AtomicServiceExecutionStatus,
        reason: str = "",
    ) -> None:
        """End an execution; the first end stands, and one that never started is recorded."""
        self._executions.finish(atomic_service_run, end_time, status, reason)
        self.purge_atomic_service_executions()

    def get_active_atomic_service_executions(self) -> list[AtomicServiceExecution]:
        """Return the executions that run now, newest first."""
        return self._executions.active()

    def get_atomic_service_executions_in_timerange(
        self,
        start_time: datetime,
        end_time: datetime,
        limit: int = 1000,
        *,
        runner_id: str | None = None,
        min_duration_seconds: float = 0.0,
    ) -> list[AtomicServiceExecution]:
        """Return at most *limit* executions that overlap the range, newest first.

        Both ends, and *min_duration_seconds*, are included. A running execution counts
        by its start, and lasts no time yet.
        """
        return self._executions.in_timerange(
            start_time, end_time, limit, runner_id, span_us(min_duration_seconds)
        )

    def _drop_executions(
        self, ended_before_us: int | None, keep_newest: int | None, protected: frozenset[str]
    ) -> int:
        return self._executions.drop(ended_before_us, keep_newest, protected)


def _optional_key(task_id: TaskId | None) -> str | None:
    return None if task_id is None else key_of(task_id)
