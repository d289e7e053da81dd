"""Faults of how invocations are registered with an orchestrator."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import patch

from pynenc.invocation.status import InvocationStatus, InvocationStatusRecord

from pytest_pynenc_state.backends.sqlite.orchestrator import PytestSQLiteOrchestrator
from pytest_pynenc_state.backends.sqlite.schema import OrchestratorTables
from pytest_pynenc_state.backends.sqlite.state_backend import PytestSQLiteStateBackend
from tests.conformance.mutants.mutant import mutant

_REMOVE = f"DELETE FROM {OrchestratorTables.INVOCATIONS} WHERE app_id = ? AND invocation_id = ?"


@mutant("OR-REG-01")
class RegistrarNotStored(PytestSQLiteOrchestrator):
    """It returns who registered an invocation, and does not store it."""

    def _register_new_invocations(
        self, invocations: Any, runner_id: str | None = None
    ) -> InvocationStatusRecord:
        return replace(super()._register_new_invocations(invocations), runner_id=runner_id)


@mutant("OR-REG-01", "OR-TRA-03")
class StatusInMilliseconds(PytestSQLiteOrchestrator):
    """It stores the time of a status in whole milliseconds."""

    def get_invocation_status_record(self, invocation_id: str) -> InvocationStatusRecord:
        record = super().get_invocation_status_record(invocation_id)
        cut_us = record.timestamp.microsecond // 1000 * 1000
        return replace(record, timestamp=record.timestamp.replace(microsecond=cut_us))


@mutant("OR-REG-02")
class OneInsertEach(PytestSQLiteOrchestrator):
    """It registers the invocations of a batch one by one, each at its own time."""

    def _register_new_invocations(
        self, invocations: Any, runner_id: str | None = None
    ) -> InvocationStatusRecord:
        record = super()._register_new_invocations([], runner_id)
        for invocation in invocations:
            record = super()._register_new_invocations([invocation], runner_id)
        return record


@mutant("OR-REG-03")
class StatusWithoutOffset(PytestSQLiteOrchestrator):
    """It reads the time of a status as the driver gives it, without a UTC offset."""

    def get_invocation_status_record(self, invocation_id: str) -> InvocationStatusRecord:
        record = super().get_invocation_status_record(invocation_id)
        return replace(record, timestamp=record.timestamp.replace(tzinfo=None))


@mutant("OR-REG-04", "OR-REG-05")
class InsertOrReplace(PytestSQLiteOrchestrator):
    """It registers with INSERT OR REPLACE, and so begins a known invocation anew."""

    def _register_new_invocations(
        self, invocations: Any, runner_id: str | None = None
    ) -> InvocationStatusRecord:
        for invocation in invocations:
            self._database.write(_REMOVE, (self._app_id, invocation.invocation_id))
        return super()._register_new_invocations(invocations, runner_id)


@mutant("OR-REG-05")
class AllOrNothing(PytestSQLiteOrchestrator):
    """It registers none of a batch of which one invocation is known."""

    def _register_new_invocations(
        self, invocations: Any, runner_id: str | None = None
    ) -> InvocationStatusRecord:
        known = self.get_invocation_states([each.invocation_id for each in invocations])
        return super()._register_new_invocations([] if known else invocations, runner_id)


@mutant("OR-REG-06", "OR-TRA-04")
class RegisteredByDefault(PytestSQLiteOrchestrator):
    """It takes what it does not know for registered."""

    def get_invocation_status_record(self, invocation_id: str) -> InvocationStatusRecord:
        try:
            return super().get_invocation_status_record(invocation_id)
        except KeyError:
            return InvocationStatusRecord(InvocationStatus.REGISTERED)


@mutant("OR-REG-06")
class StoreErrorForKeyError(PytestSQLiteOrchestrator):
    """It raises another error than KeyError if there is no status."""

    def get_invocation_status_record(self, invocation_id: str) -> InvocationStatusRecord:
        try:
            return super().get_invocation_status_record(invocation_id)
        except KeyError as error:
            raise LookupError(*error.args) from None


@mutant("OR-REG-07")
class RegistrationNotRecorded(PytestSQLiteStateBackend):
    """It keeps no record of a batch, only of single invocations."""

    def add_histories(self, *args: Any, **named: Any) -> None:
        """Do nothing."""


@mutant("OR-REG-07")
class RegisteredBeforeStored(PytestSQLiteOrchestrator):
    """It registers invocations, and forgets to store what they are."""

    def register_new_invocations(self, invocations: Any) -> None:
        with patch.object(self.app.state_backend, "upsert_invocations"):
            super().register_new_invocations(invocations)


@mutant("OR-REG-08")
class EqualCallReused(PytestSQLiteOrchestrator):
    """It reuses the invocation of an equal call, whether or not its task asks for that."""

    def route_call(self, call: Any) -> Any:
        for invocation_id in self.get_call_invocation_ids(call.call_id):
            return self.app.state_backend.get_invocation(invocation_id)
        return super().route_call(call)


@mutant("OR-REG-09")
class BatchOfDistinctCalls(PytestSQLiteOrchestrator):
    """Of equal calls in a batch it routes one."""

    def route_calls(self, calls: Any) -> Any:
        return super().route_calls([*{call.call_id.key: call for call in calls}.values()])


@mutant("OR-REG-10", "OR-SEA-01")
class ArgumentsNotIndexed(PytestSQLiteOrchestrator):
    """It does not index the arguments of invocations."""

    def index_arguments_for_concurrency_control(self, invocation: Any) -> None:
        """Do nothing."""
