"""Faults of the executions of atomic services: who may start, and what is recorded."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pytest_pynenc_state.backends.sqlite.orchestrator import PytestSQLiteOrchestrator
from pytest_pynenc_state.backends.sqlite.schema import OrchestratorTables
from pytest_pynenc_state.backends.timestamps import to_us
from pytest_pynenc_state.compat import AtomicServiceExecutionStatus as Status
from tests.conformance.mutants.mutant import mutant

_TABLE = OrchestratorTables.ATOMIC_SERVICE_EXECUTIONS
_END = (
    f"UPDATE {_TABLE} SET end_us = ?, status = ?, reason = ? "
    "WHERE app_id = ? AND atomic_service_run_id = ?"
)


@mutant("OR-ATO-01")
class WindowOfAll(PytestSQLiteOrchestrator):
    """Its update lacks the runner, and gives every runner the window of one."""

    def record_atomic_service_execution(self, runner_id: Any, *window: Any) -> None:
        del runner_id
        for runner in self.get_active_runners():
            super().record_atomic_service_execution(runner.runner_id, *window)


@mutant("OR-ATO-03", "OR-ATO-07")
class StartOfItsOwn(PytestSQLiteOrchestrator):
    """It records the instant of admission, also if a start is given."""

    def record_atomic_service_execution_start(self, run: Any, started_at: Any, *args: Any) -> bool:
        del started_at
        return super().record_atomic_service_execution_start(run, None, *args)


@mutant("OR-ATO-03", "OR-ATO-06", "OR-ATO-11")
class AdmissionNotReturned(PytestSQLiteOrchestrator):
    """It admits an execution, and does not say so."""

    def record_atomic_service_execution_start(self, *args: Any, **named: Any) -> Any:
        super().record_atomic_service_execution_start(*args, **named)


@mutant("OR-ATO-04", "OR-ATO-05")
class RefusedInSilence(PytestSQLiteOrchestrator):
    """It refuses whoever comes while one runs, that one too, and records nothing."""

    def record_atomic_service_execution_start(self, run: Any, *args: Any, **named: Any) -> bool:
        if self.get_active_atomic_service_executions():
            return False
        return super().record_atomic_service_execution_start(run, *args, **named)


@mutant("OR-ATO-04")
class NobodyInTheWay(PytestSQLiteOrchestrator):
    """It does not record which run was in the way of another."""

    def record_atomic_service_execution_start(
        self, run: Any, started_at: Any, status: Any = Status.RUNNING, reason: str = ""
    ) -> bool:
        said = reason or "blocked"
        return super().record_atomic_service_execution_start(run, started_at, status, said)


@mutant("OR-ATO-06")
class EndedIsInTheWay(PytestSQLiteOrchestrator):
    """It lets no execution start while there is a record of another one, ended or not."""

    def record_atomic_service_execution_start(self, run: Any, started_at: Any, *args: Any) -> bool:
        # Any record there is, was made after this.
        since = datetime.fromtimestamp(0, UTC)
        if self.get_atomic_service_executions_in_timerange(since, datetime.now(UTC)):
            return False
        return super().record_atomic_service_execution_start(run, started_at, *args)


@mutant("OR-ATO-07", "OR-ATO-11")
class RunNotTold(PytestSQLiteOrchestrator):
    """It does not tell a run when it started."""

    def record_atomic_service_execution_start(self, run: Any, *args: Any, **named: Any) -> bool:
        is_admitted = super().record_atomic_service_execution_start(run, *args, **named)
        run.started_at = None
        return is_admitted


@mutant("OR-ATO-08")
class BlockedMayWork(PytestSQLiteOrchestrator):
    """It admits what is given as blocked."""

    def record_atomic_service_execution_start(self, *args: Any, **named: Any) -> bool:
        is_alone = not self.get_active_atomic_service_executions()
        return super().record_atomic_service_execution_start(*args, **named) or is_alone


@mutant("OR-ATO-08", "OR-ATO-09")
class ReasonsLost(PytestSQLiteOrchestrator):
    """It stores no reason."""

    def record_atomic_service_execution_start(
        self, run: Any, started_at: Any, *args: Any, **named: Any
    ) -> bool:
        return super().record_atomic_service_execution_start(run, started_at, *args[:1], **named)

    def finalize_atomic_service_execution(
        self, run: Any, end_time: Any, status: Any, reason: str = ""
    ) -> None:
        del reason
        super().finalize_atomic_service_execution(run, end_time, status)


@mutant("OR-ATO-09")
class LastEndStands(PytestSQLiteOrchestrator):
    """A later end replaces the first."""

    def finalize_atomic_service_execution(
        self, run: Any, end_time: Any, status: Any, reason: str = ""
    ) -> None:
        super().finalize_atomic_service_execution(run, end_time, status, reason)
        identity = (self._app_id, run.atomic_service_run_id)
        self._database.write(_END, (to_us(end_time), status.value, reason, *identity))


@mutant("OR-ATO-10")
class EndWithoutStartIgnored(PytestSQLiteOrchestrator):
    """It updates the row of what ends, and does not notice if there is none."""

    def finalize_atomic_service_execution(self, run: Any, *args: Any, **named: Any) -> None:
        active = self.get_active_atomic_service_executions()
        if run.atomic_service_run_id in {each.atomic_service_run_id for each in active}:
            super().finalize_atomic_service_execution(run, *args, **named)
