"""An orchestrator in the memory of one process."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from pynenc.invocation.status import (
    InvocationStatus,
    InvocationStatusRecord,
    status_record_transition,
)

from pytest_pynenc_state.backends.memory.blocking_control import PytestMemBlockingControl
from pytest_pynenc_state.backends.memory.registrations import RegistrationTable
from pytest_pynenc_state.backends.memory.runners import PytestMemRunners
from pytest_pynenc_state.backends.state_backend import key_of
from pytest_pynenc_state.backends.timestamps import now_us, us_ago

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.identifiers.call_id import CallId
    from pynenc.identifiers.invocation_id import InvocationId
    from pynenc.identifiers.task_id import TaskId
    from pynenc.invocation.dist_invocation import DistributedInvocation
    from pynenc.task import Task

__all__ = ["PytestMemBlockingControl", "PytestMemOrchestrator"]

_SECONDS_PER_HOUR = 3600


class PytestMemOrchestrator(PytestMemRunners):
    """Keeps the statuses of an app's invocations in memory: gone with the process.

    Iterators that are returned go over what was there at the call, whoever writes
    meanwhile.

    Concurrency: each method is atomic between threads. Other processes see nothing.
    """

    def __init__(self, app: Pynenc) -> None:
        super().__init__(app)
        self._registrations = RegistrationTable()
        self._purge_scheduled_us: dict[InvocationId, int] = {}
        self._blocking_control = PytestMemBlockingControl(self._lock, self._registrations)

    @property
    def blocking_control(self) -> PytestMemBlockingControl:
        """Who waits for whom; the same object for the life of the orchestrator."""
        return self._blocking_control

    def purge(self) -> None:
        """Remove everything: invocations, edges, heartbeats and executions."""
        with self._lock:
            self._registrations.clear()
            self._purge_scheduled_us.clear()
            self._blocking_control.clear()
            self._forget_runners()

    def _register_new_invocations(
        self,
        invocations: Sequence[DistributedInvocation[..., Any]],
        runner_id: str | None = None,
    ) -> InvocationStatusRecord:
        """Register *invocations*, those that are not registered yet, as one batch.

        :returns: The record of all of them; also for no invocations at all. What is
            registered already keeps its status, owner and retries.
        """
        record = InvocationStatusRecord(InvocationStatus.REGISTERED, runner_id)
        newcomers = [
            (each.invocation_id, each.call.task.task_id.key, each.call.call_id.key)
            for each in invocations
        ]
        with self._lock:
            self._registrations.add(newcomers, record)
        return record

    def _atomic_status_transition(
        self,
        invocation_id: InvocationId,
        status: InvocationStatus,
        runner_id: str | None = None,
    ) -> InvocationStatusRecord:
        """Change an invocation's status, if pynenc's rules allow *runner_id* to do so.

        :returns: The record that is stored now.
        :raises KeyError: The invocation is not registered, whatever *status* is.
        :raises InvocationStatusError: The rules refuse it; the record is as it was.

        Concurrency: of equal changes in several threads exactly one succeeds.
        """
        with self._lock:
            registration = self._registrations.by_id[invocation_id]
            record = status_record_transition(registration.record, status, runner_id)
            self._registrations.change(registration, record)
        return record

    def get_invocation_status(self, invocation_id: InvocationId) -> InvocationStatus:
        """Return the current status; `get_invocation_status_record` without the rest.

        :raises KeyError: The invocation is not registered.
        """
        return self._registrations.by_id[invocation_id].record.status

    def get_invocation_status_record(self, invocation_id: InvocationId) -> InvocationStatusRecord:
        """Return the current status, its owner and its time.

        :raises KeyError: The invocation is not registered.
        """
        return self._registrations.by_id[invocation_id].record

    def increment_invocation_retries(self, invocation_id: InvocationId) -> None:
        """Count one more retry; of an unknown invocation nothing is counted."""
        with self._lock:
            registration = self._registrations.by_id.get(invocation_id)
            if registration is not None:
                registration.retries += 1

    def get_invocation_retries(self, invocation_id: InvocationId) -> int:
        """Return how many retries were counted; 0 for an unknown invocation."""
        registration = self._registrations.by_id.get(invocation_id)
        return 0 if registration is None else registration.retries

    def filter_by_status(
        self,
        invocation_ids: Sequence[InvocationId],
        status_filter: Collection[InvocationStatus] | None,
    ) -> list[InvocationId]:
        """Return those of *invocation_ids* that are in one of the statuses.

        :returns: In the order given, repeated ids repeated, unknown ids left out; ``[]``
            for no ids or no statuses.
        """
        if not invocation_ids or not status_filter:
            return []
        with self._lock:
            by_id = self._registrations.by_id
            return [
                invocation_id
                for invocation_id in invocation_ids
                if (registration := by_id.get(invocation_id))
                and registration.record.status in status_filter
            ]

    def index_arguments_for_concurrency_control(
        self, invocation: DistributedInvocation[..., Any]
    ) -> None:
        """Make *invocation* searchable by its arguments; repeating it changes nothing."""
        arguments = invocation.call.serialized_arguments
        with self._lock:
            self._registrations.index_arguments(invocation.invocation_id, arguments)

    def get_existing_invocations(
        self,
        task: Task[..., Any],
        key_serialized_arguments: dict[str, str] | None = None,
        statuses: Sequence[InvocationStatus] | None = None,
    ) -> Iterator[InvocationId]:
        """Return the ids of *task*'s invocations with these arguments and statuses.

        :param key_serialized_arguments: All of them have to be indexed for the
            invocation; None and ``{}`` let all pass.
        :param statuses: One of them has to be current; None and ``[]`` let all pass.
        :returns: In the order of registration.
        """
        with self._lock:
            return iter(
                self._registrations.matching(
                    task.task_id.key, key_serialized_arguments or {}, statuses or ()
                )
            )

    def get_task_invocation_ids(self, task_id: TaskId) -> Iterator[InvocationId]:
        """Return the ids of exactly that task's invocations, in the order of registration."""
        with self._lock:
            return iter(self._registrations.of_task(key_of(task_id)))

    def get_call_invocation_ids(self, call_id: CallId) -> Iterator[InvocationId]:
        """Return the ids of exactly that call's invocations, in the order of registration."""
        with self._lock:
            return iter(self._registrations.of_call(key_of(call_id)))

    def get_invocation_ids_paginated(
        self,
        task_id: TaskId | None = None,
        statuses: Sequence[InvocationStatus] | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[InvocationId]:
        """Return one page of invocation ids, newest registration first.

        A status change moves no id to another page, unless *statuses* are given.

        :param limit: How many at most; 0 or less means none.
        :param offset: How many to leave out first; less than 0 means none.
        """
        task_key = None if task_id is None else key_of(task_id)
        first = max(offset, 0)
        with self._lock:
            newest_first = self._registrations.newest_first(task_key, statuses)
            return list(islice(newest_first, first, first + max(limit, 0)))

    def count_invocations(
        self,
        task_id: TaskId | None = None,
        statuses: Sequence[InvocationStatus] | None = None,
    ) -> int:
        """Return how many ids `get_invocation_ids_paginated` has on all pages."""
        task_key = None if task_id is None else key_of(task_id)
        with self._lock:
            return sum(1 for _ in self._registrations.newest_first(task_key, statuses))

    def set_up_invocation_auto_purge(self, invocation_id: InvocationId) -> None:
        """Let `auto_purge` remove an invocation later; the time runs from the last call."""
        with self._lock:
            self._purge_scheduled_us[invocation_id] = now_us()

    def auto_purge(self) -> None:
        """Remove what was scheduled ``auto_final_invocation_purge_hours`` ago or earlier.

        Removed are an invocation's status, retries, indexed arguments and edges. What
        the state backend has of it stays.

        Concurrency: atomic between threads.
        """
        latest_us = us_ago(self.conf.auto_final_invocation_purge_hours * _SECONDS_PER_HOUR)
        with self._lock:
            scheduled = list(self._purge_scheduled_us.items())
            for invocation_id, scheduled_us in scheduled:
                if scheduled_us <= latest_us:
                    del self._purge_scheduled_us[invocation_id]
                    self._registrations.remove(invocation_id)
                    self._blocking_control.release_waiters(invocation_id)

    def get_pending_invocations_for_recovery(self) -> Iterator[InvocationId]:
        """Return the ids that have been PENDING for ``max_pending_seconds`` or longer."""
        latest_us = us_ago(self.app.conf.max_pending_seconds)
        with self._lock:
            return iter(self._registrations.pending_since(latest_us))

    def _get_running_invocations_for_recovery(
        self, timeout_seconds: float
    ) -> Iterator[InvocationId]:
        """Return the ids that are RUNNING for a runner not heard of within the timeout."""
        with self._lock:
            alive = self._heartbeats.alive_since(us_ago(timeout_seconds))
            return iter(self._registrations.running_without(frozenset(alive)))
