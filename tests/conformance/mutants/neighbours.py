"""Faults of one method each, which does not ask of which app it is what it finds, or changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.backends.sqlite.atomic_service import AtomicServiceTable
from pytest_pynenc_state.backends.sqlite.orchestrator import (
    PytestSQLiteBlockingControl,
    PytestSQLiteOrchestrator,
)
from pytest_pynenc_state.backends.sqlite.schema import OrchestratorTables, StateBackendTables
from pytest_pynenc_state.backends.sqlite.state_backend import PytestSQLiteStateBackend
from pytest_pynenc_state.backends.sqlite.workflows import workflow_identity
from pytest_pynenc_state.backends.timestamps import now_us, to_us
from tests.conformance.mutants.mutant import mutant
from tests.conformance.mutants.waiting import blocking_mutant

_INVOCATIONS = OrchestratorTables.INVOCATIONS
_RUNNERS = OrchestratorTables.RUNNER_HEARTBEATS
_EXECUTIONS = OrchestratorTables.ATOMIC_SERVICE_EXECUTIONS

_FORGET_DUE = f"DELETE FROM {_INVOCATIONS} WHERE app_id <> ? AND auto_purge_us <= ?"
_SCHEDULE = f"UPDATE {_INVOCATIONS} SET auto_purge_us = ? WHERE invocation_id = ?"
_MOVE = (
    f"UPDATE {_INVOCATIONS} SET status = ?, status_runner_id = ?, status_timestamp_us = ? "
    "WHERE invocation_id = ?"
)
_IN_STATUS = f"SELECT invocation_id FROM {_INVOCATIONS} WHERE status = ?"
_HEARD = f"SELECT runner_id FROM {_RUNNERS} WHERE last_heartbeat_us >= ?"
_RENEW = f"UPDATE {_RUNNERS} SET last_heartbeat_us = ? WHERE runner_id = ?"
_END = (
    f"UPDATE {_EXECUTIONS} SET end_us = ?, status = ? "
    "WHERE atomic_service_run_id = ? AND end_us IS NULL"
)
_DROP = f"DELETE FROM {_EXECUTIONS} WHERE app_id <> ? AND end_us < ?"
_RELEASE = f"DELETE FROM {OrchestratorTables.BLOCKING_EDGES} WHERE waited_id = ?"
_RUNS_OF_A_TYPE = (
    "SELECT workflow_id, workflow_type_key, parent_workflow_id "
    f"FROM {StateBackendTables.WORKFLOWS} WHERE workflow_type_key = ?"
)
_INVOCATIONS_OF_A_TYPE = (
    f"SELECT invocation_id FROM {StateBackendTables.INVOCATIONS} WHERE workflow_type_key = ?"
)
_OTHERS_WITH_EXECUTIONS = f"SELECT DISTINCT app_id FROM {_EXECUTIONS} WHERE app_id <> ?"


@mutant("OR-ISO-01")
class DueOfAllApps(PytestSQLiteOrchestrator):
    """It forgets what is due, of whatever app."""

    def auto_purge(self) -> None:
        super().auto_purge()
        until_us = now_us() - int(self.conf.auto_final_invocation_purge_hours * 3.6e9)
        self._database.write(_FORGET_DUE, (self._app_id, until_us))


@mutant("OR-ISO-01")
class ScheduledInAllApps(PytestSQLiteOrchestrator):
    """It schedules by the id of the invocation alone."""

    def set_up_invocation_auto_purge(self, invocation_id: Any) -> None:
        self._database.write(_SCHEDULE, (now_us(), invocation_id))


@mutant("OR-ISO-02")
class MovedInAllApps(PytestSQLiteOrchestrator):
    """It writes a status by the id of the invocation alone."""

    def _atomic_status_transition(self, invocation_id: Any, *args: Any) -> Any:
        record = super()._atomic_status_transition(invocation_id, *args)
        columns = (record.status.value, record.runner_id, to_us(record.timestamp))
        self._database.write(_MOVE, (*columns, invocation_id))
        return record


@mutant("OR-ISO-03")
class PendingOfAllApps(PytestSQLiteOrchestrator):
    """It recovers what is PENDING for too long, of whatever app."""

    def get_pending_invocations_for_recovery(self) -> Iterator[Any]:
        since_us = now_us() - int(self.app.conf.max_pending_seconds * 1e6)
        sql = f"{_IN_STATUS} AND status_timestamp_us <= ?"
        pending = (InvocationStatus.PENDING.value, since_us)
        yield from (each for (each,) in self._database.read(sql, pending))


@mutant("OR-ISO-03")
class RunningOfAllApps(PytestSQLiteOrchestrator):
    """It recovers what is RUNNING for a silent owner, of whatever app."""

    def _get_running_invocations_for_recovery(self, timeout_seconds: float) -> Iterator[Any]:
        heard = {runner.runner_id for runner in self._get_active_runners(timeout_seconds)}
        running = f"SELECT invocation_id, status_runner_id FROM {_INVOCATIONS} WHERE status = ?"
        for each, owner in self._database.read(running, (InvocationStatus.RUNNING.value,)):
            if owner not in heard:
                yield each


@mutant("OR-ISO-04")
class HeardInAnyApp(PytestSQLiteOrchestrator):
    """It recovers nothing of a runner that was heard of in any app."""

    def _get_running_invocations_for_recovery(self, timeout_seconds: float) -> Iterator[Any]:
        since_us = now_us() - int(timeout_seconds * 1e6)
        heard = {runner_id for (runner_id,) in self._database.read(_HEARD, (since_us,))}
        for each in super()._get_running_invocations_for_recovery(timeout_seconds):
            if self.get_invocation_status_record(each).runner_id not in heard:
                yield each


@mutant("OR-ISO-04")
class RenewedInAllApps(PytestSQLiteOrchestrator):
    """A heartbeat renews each runner of that id, in whatever app."""

    def register_runner_heartbeats(self, runner_ids: Any, *args: Any, **named: Any) -> None:
        super().register_runner_heartbeats(runner_ids, *args, **named)
        self._database.write_all(_RENEW, [(now_us(), each) for each in runner_ids])


@mutant("OR-ISO-05")
class EndedInAllApps(PytestSQLiteOrchestrator):
    """It ends an execution by the id of the run alone."""

    def finalize_atomic_service_execution(
        self, run: Any, end_time: Any, status: Any, reason: str = ""
    ) -> None:
        super().finalize_atomic_service_execution(run, end_time, status, reason)
        end = (to_us(end_time), status.value, run.atomic_service_run_id)
        self._database.write(_END, end)


@mutant("OR-ISO-05")
class ExecutionsOfAllAppsPurged(PytestSQLiteOrchestrator):
    """It drops what has ended long ago, of whatever app."""

    def purge_atomic_service_executions(self) -> int:
        minutes = self.app.conf.atomic_service_execution_retention_minutes
        before = datetime.now(UTC) - timedelta(minutes=minutes)
        dropped = super().purge_atomic_service_executions()
        return dropped + self._database.write(_DROP, (self._app_id, to_us(before)))


@blocking_mutant("BC-ISO-01")
class ReleasedInAllApps(PytestSQLiteBlockingControl):
    """It releases those who wait by the id of the awaited alone."""

    def release_waiters(self, waited_invocation_id: Any) -> None:
        self._database.write(_RELEASE, (waited_invocation_id,))


@mutant("BE-ISO-01")
class RunsOfATypeOfAllApps(PytestSQLiteStateBackend):
    """It finds the runs of a workflow type, of whatever app."""

    def get_workflow_runs(self, workflow_type: Any) -> Iterator[Any]:
        for row in self._database.read(_RUNS_OF_A_TYPE, (workflow_type.key,)):
            yield workflow_identity(*row)


@mutant("BE-ISO-01")
class InvocationsOfATypeOfAllApps(PytestSQLiteStateBackend):
    """It finds the invocations of a workflow type, of whatever app, if it is given no workflow."""

    def get_invocation_ids_by_workflow(
        self, workflow_id: Any = None, workflow_type_key: Any = None
    ) -> Iterator[Any]:
        if workflow_id or not workflow_type_key:
            yield from super().get_invocation_ids_by_workflow(workflow_id, workflow_type_key)
        else:
            rows = self._database.read(_INVOCATIONS_OF_A_TYPE, (workflow_type_key,))
            yield from (each for (each,) in rows)


@mutant("OR-ISO-05")
class ExecutionsInARangeOfAllApps(PytestSQLiteOrchestrator):
    """It finds the executions in a range, of whatever app."""

    def get_atomic_service_executions_in_timerange(
        self, start_time: Any, end_time: Any, limit: int = 1000, **filters: Any
    ) -> list[Any]:
        found = super().get_atomic_service_executions_in_timerange(
            start_time, end_time, limit, **filters
        )
        for (app_id,) in self._database.read(_OTHERS_WITH_EXECUTIONS, (self._app_id,)):
            others = AtomicServiceTable(self._database, app_id)
            found += others.in_timerange(start_time, end_time, limit, None, 0)
        return found
