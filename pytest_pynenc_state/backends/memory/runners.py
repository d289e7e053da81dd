"""What an orchestrator in memory knows of runners: heartbeats and atomic services."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pytest_pynenc_state.backends.memory.executions import ExecutionLog
from pytest_pynenc_state.backends.memory.heartbeats import HeartbeatTable
from pytest_pynenc_state.backends.orchestrator import PytestOrchestrator, blocked_reason, stamped
from pytest_pynenc_state.backends.timestamps import us_ago
from pytest_pynenc_state.compat import (
    AtomicServiceExecution,
    AtomicServiceExecutionStatus,
    AtomicServiceRun,
)

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.orchestrator.atomic_service import ActiveRunnerInfo


class PytestMemRunners(PytestOrchestrator):
    """The part of the orchestrator that knows runners.

    Concurrency: each method is atomic between threads.
    """

    def __init__(self, app: Pynenc) -> None:
        super().__init__(app)
        # Protects everything that an instance stores, here and in the subclass, and
        # the edges of its blocking control.
        self._lock = threading.RLock()
        self._heartbeats = HeartbeatTable()
        self._executions = ExecutionLog()

    def _forget_runners(self) -> None:
        """Remove all heartbeats and executions. The lock is held."""
        self._heartbeats = HeartbeatTable()
        self._executions = ExecutionLog()

    def register_runner_heartbeats(
        self,
        runner_ids: Sequence[str],
        can_run_atomic_service: bool = False,  # noqa: FBT001, FBT002 - pynenc's signature
        consumed_queues: Sequence[str] | None = None,
    ) -> None:
        """Note that runners are alive now; those that are new are created now.

        Runners that are new in one call share one creation time, which never changes.

        :param can_run_atomic_service: Makes the runners eligible; an eligible runner
            stays so, whatever later heartbeats say.
        :param consumed_queues: The queues they read; None keeps the former ones.
        """
        with self._lock:
            self._heartbeats.beat(
                runner_ids, consumed_queues, can_run_atomic_service=can_run_atomic_service
            )

    def _get_active_runners(
        self,
        timeout_seconds: float,
        can_run_atomic_service: bool | None = None,  # noqa: FBT001 - pynenc's signature
    ) -> list[ActiveRunnerInfo]:
        """Return the runners whose last heartbeat is not older than the timeout.

        :param can_run_atomic_service: Only runners that are, or are not, eligible;
            None means both.
        :returns: In the order of creation, those of one time by runner id.
        """
        with self._lock:
            return self._heartbeats.active_since(
                us_ago(timeout_seconds), can_run_atomic_service=can_run_atomic_service
            )

    def record_atomic_service_execution(
        self, runner_id: str, start_time: datetime, end_time: datetime
    ) -> None:
        """Keep when a runner last executed the atomic services; the last call wins.

        A runner of which no heartbeat is known is ignored.

        Shown by `get_active_runners` where pynenc's ``ActiveRunnerInfo`` has fields
        for it. `record_atomic_service_execution_start` and its like are independent.
        """
        with self._lock:
            self._heartbeats.record_service(runner_id, start_time, end_time)

    def record_atomic_service_execution_start(
        self,
        atomic_service_run: AtomicServiceRun,
        started_at: datetime | None,
        status: AtomicServiceExecutionStatus = AtomicServiceExecutionStatus.RUNNING,
        reason: str = "",
    ) -> bool:
        """Record that a run starts, unless another one is running.

        A run that loses is recorded as BLOCKED, from its start to its start, and may try
        again. The record of a run that is running or has ended stays as it is.

        :param started_at: When it started; None means the instant of admission. Written
            to the run's ``started_at``, too.
        :param reason: Free text; by default, a BLOCKED record names the run in its way.
        :returns: Whether the run may work: it was admitted, now or before.

        Concurrency: atomic between threads: one of many starts wins.
        """
        with self._lock:
            known = self._executions.get(atomic_service_run.atomic_service_id.atomic_service_run_id)
            if known is not None and known.status != AtomicServiceExecutionStatus.BLOCKED:
                stamped(atomic_service_run, known.start_time)
                return known.is_active and status == AtomicServiceExecutionStatus.RUNNING
            started = stamped(atomic_service_run, started_at)
            status, reason = self._admitted(status, reason)
            is_running = status == AtomicServiceExecutionStatus.RUNNING
            self._executions.put(
                AtomicServiceExecution(
                    atomic_service_run.atomic_service_id,
                    started,
                    None if is_running else started,
                    status,
                    reason,
                )
            )
        if not is_running:
            self.purge_atomic_service_executions()
        return status != AtomicServiceExecutionStatus.BLOCKED

    def _admitted(
        self, status: AtomicServiceExecutionStatus, reason: str
    ) -> tuple[AtomicServiceExecutionStatus, str]:
        """The status and reason that a new execution really gets."""
        running = self._executions.running()
        if status != AtomicServiceExecutionStatus.RUNNING or not running:
            return status, reason
        prior = running[0]
        return (
            AtomicServiceExecutionStatus.BLOCKED,
            blocked_reason(reason, prior.atomic_service_run_id, prior.runner_id),
        )

    def finalize_atomic_service_execution(
        self,
        atomic_service_run: AtomicServiceRun,
        end_time: datetime,
        status: AtomicServiceExecutionStatus,
        reason: str = "",
    ) -> None:
        """Record that a run ended, unless its end is recorded already: the first wins.

        A run whose start was never recorded is recorded now, from its end to its end.

        :param reason: Free text; by default, that of the start stays.
        """
        with self._lock:
            known = self._executions.get(atomic_service_run.atomic_service_id.atomic_service_run_id)
            if known is not None and not known.is_active:
                return
            started = end_time if known is None else known.start_time
            reason = reason or ("" if known is None else known.reason)
            self._executions.put(
                AtomicServiceExecution(
                    atomic_service_run.atomic_service_id, started, end_time, status, reason
                )
            )
        self.purge_atomic_service_executions()

    def get_active_atomic_service_executions(self) -> list[AtomicServiceExecution]:
        """Return the executions that still run, newest first."""
        with self._lock:
            return self._executions.running()

    def get_atomic_service_executions_in_timerange(
        self,
        start_time: datetime,
        end_time: datetime,
        limit: int = 1000,
        *,
        runner_id: str | None = None,
        min_duration_seconds: float = 0.0,
    ) -> list[AtomicServiceExecution]:
        """Return the executions that overlap a time range, newest first.

        Both ends are inside. A running one counts only if it started inside.

        :param limit: How many at most; 0 or less means none.
        :param runner_id: Only executions of that runner.
        :param min_duration_seconds: Only executions that took at least so long; a
            running one took 0 seconds.
        """
        with self._lock:
            overlapping = self._executions.between(start_time, end_time)
        found = [
            each
            for each in overlapping
            if runner_id in (None, each.runner_id)
            and (min_duration_seconds <= 0 or each.duration_seconds >= min_duration_seconds)
        ]
        return found[: max(limit, 0)]

    def _drop_executions(
        self, ended_before_us: int | None, keep_newest: int | None, protected: frozenset[str]
    ) -> int:
        with self._lock:
            return self._executions.drop(ended_before_us, keep_newest, protected)
