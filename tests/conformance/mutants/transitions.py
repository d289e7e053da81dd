"""Faults of how an orchestrator moves an invocation from status to status."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pynenc.exceptions import InvocationStatusError
from pynenc.invocation.status import InvocationStatus, InvocationStatusRecord

from pytest_pynenc_state.backends.sqlite.orchestrator import PytestSQLiteOrchestrator
from pytest_pynenc_state.backends.sqlite.schema import OrchestratorTables
from pytest_pynenc_state.backends.sqlite.state_backend import PytestSQLiteStateBackend
from tests.conformance.mutants.mutant import mutant

_TABLE = OrchestratorTables.INVOCATIONS
_WHERE = "WHERE app_id = ? AND invocation_id = ?"
_TOUCH = f"UPDATE {_TABLE} SET status_timestamp_us = status_timestamp_us + 1 {_WHERE}"
_SET_OWNER = f"UPDATE {_TABLE} SET status_runner_id = ? {_WHERE}"
_MOVE_CALL = (
    f"UPDATE {_TABLE} SET status = ?, status_runner_id = ? "
    f"WHERE call_id_key = (SELECT call_id_key FROM {_TABLE} {_WHERE})"
)


@mutant("OR-TRA-01")
class OwnershipIgnored(PytestSQLiteOrchestrator):
    """It lets any runner move what another one owns."""

    def _atomic_status_transition(
        self, invocation_id: Any, status: InvocationStatus, runner_id: str | None = None
    ) -> InvocationStatusRecord:
        owner = self.get_invocation_status_record(invocation_id).runner_id
        return super()._atomic_status_transition(invocation_id, status, owner or runner_id)


@mutant("OR-TRA-02")
class AttemptStamped(PytestSQLiteOrchestrator):
    """It stamps the time of an attempt before it asks whether it is allowed."""

    def _atomic_status_transition(
        self, invocation_id: Any, status: InvocationStatus, runner_id: str | None = None
    ) -> InvocationStatusRecord:
        self._database.write(_TOUCH, (self._app_id, invocation_id))
        return super()._atomic_status_transition(invocation_id, status, runner_id)


@mutant("OR-TRA-03")
class TimeOfItsOwn(PytestSQLiteOrchestrator):
    """It stores the time of writing, and returns the time of asking."""

    def _atomic_status_transition(
        self, invocation_id: Any, status: InvocationStatus, runner_id: str | None = None
    ) -> InvocationStatusRecord:
        record = super()._atomic_status_transition(invocation_id, status, runner_id)
        self._database.write(_TOUCH, (self._app_id, invocation_id))
        return record


@mutant("OR-TRA-04")
class NoRowUpdated(PytestSQLiteOrchestrator):
    """A transition of an unknown invocation updates no row, and it does not notice."""

    def _atomic_status_transition(
        self, invocation_id: Any, status: InvocationStatus, runner_id: str | None = None
    ) -> InvocationStatusRecord:
        try:
            return super()._atomic_status_transition(invocation_id, status, runner_id)
        except KeyError:
            return InvocationStatusRecord(status, runner_id)


@mutant("OR-TRA-01", "OR-TRA-05")
class RepeatAccepted(PytestSQLiteOrchestrator):
    """It takes a move to the status that there is for a repeat, whoever makes it."""

    def _atomic_status_transition(
        self, invocation_id: Any, status: InvocationStatus, runner_id: str | None = None
    ) -> InvocationStatusRecord:
        current = self.get_invocation_status_record(invocation_id)
        if current.status == status:
            return current
        return super()._atomic_status_transition(invocation_id, status, runner_id)


@mutant("OR-TRA-06")
class WholeCallMoved(PytestSQLiteOrchestrator):
    """Its update names the call, and so moves all invocations of it."""

    def _atomic_status_transition(
        self, invocation_id: Any, status: InvocationStatus, runner_id: str | None = None
    ) -> InvocationStatusRecord:
        record = super()._atomic_status_transition(invocation_id, status, runner_id)
        values = (record.status.value, record.runner_id, self._app_id, invocation_id)
        self._database.write(_MOVE_CALL, values)
        return record


@mutant("OR-TRA-03", "OR-TRA-07")
class OwnerStays(PytestSQLiteOrchestrator):
    """It writes the owner if there is one, and so never removes it."""

    def _atomic_status_transition(
        self, invocation_id: Any, status: InvocationStatus, runner_id: str | None = None
    ) -> InvocationStatusRecord:
        former = self.get_invocation_status_record(invocation_id).runner_id
        record = super()._atomic_status_transition(invocation_id, status, runner_id)
        owner = record.runner_id or former
        self._database.write(_SET_OWNER, (owner, self._app_id, invocation_id))
        return record


@mutant("OR-TRA-07")
class OwnerOfPausedLost(PytestSQLiteOrchestrator):
    """It does not store who owns what is paused."""

    def get_invocation_status_record(self, invocation_id: str) -> InvocationStatusRecord:
        record = super().get_invocation_status_record(invocation_id)
        is_paused = record.status == InvocationStatus.PAUSED
        return replace(record, runner_id=None) if is_paused else record


@mutant("OR-TRA-08")
class RefusalRecorded(PytestSQLiteOrchestrator):
    """It adds a transition to the history even if it was refused."""

    def set_invocation_status(self, invocation_id: Any, status: Any, runner_ctx: Any) -> None:
        try:
            super().set_invocation_status(invocation_id, status, runner_ctx)
        except InvocationStatusError:
            record = InvocationStatusRecord(status, runner_ctx.runner_id)
            self.app.state_backend.add_history(invocation_id, record, runner_ctx)
            raise


@mutant("OR-TRA-08")
class ChangeNotRecorded(PytestSQLiteStateBackend):
    """It keeps records of registrations, and none of later changes."""

    def add_history(self, *args: Any, **named: Any) -> None:
        """Do nothing."""


@mutant("OR-TRA-09")
class ResultNotStored(PytestSQLiteOrchestrator):
    """It ends an invocation that has a result, and stores no result."""

    def set_invocation_result(self, invocation: Any, result: Any, runner_ctx: Any) -> None:
        del result
        success = InvocationStatus.SUCCESS
        self.set_invocation_status(invocation.invocation_id, success, runner_ctx)


@mutant("OR-TRA-09")
class ResultWithoutEnd(PytestSQLiteOrchestrator):
    """It stores a result, and leaves the invocation running."""

    def set_invocation_result(self, invocation: Any, result: Any, runner_ctx: Any) -> None:
        del runner_ctx
        self.app.state_backend.set_result(invocation.invocation_id, result)


@mutant("OR-TRA-10")
class ErrorOfAnotherClass(PytestSQLiteOrchestrator):
    """It stores the text of an error, and not its class."""

    def set_invocation_exception(self, invocation: Any, exception: Any, runner_ctx: Any) -> None:
        super().set_invocation_exception(invocation, RuntimeError(str(exception)), runner_ctx)


@mutant("OR-TRA-11", "BC-BLO-11")
class NobodyReleased(PytestSQLiteOrchestrator):
    """It leaves those waiting that wait for what has ended."""

    def release_waiters(self, waited_id: Any) -> None:
        """Do nothing."""
