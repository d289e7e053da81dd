"""Faults of an orchestrator that show when several threads use it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pynenc.invocation.status import (
    InvocationStatus,
    InvocationStatusRecord,
    status_record_transition,
)

from pytest_pynenc_state.backends.memory.orchestrator import PytestMemOrchestrator
from pytest_pynenc_state.backends.sqlite.orchestrator import PytestSQLiteOrchestrator
from tests.conformance.mutants.mutant import mutant


@mutant("OR-THR-01")
class MovedWithoutLock(PytestMemOrchestrator):
    """It reads, checks and writes a status without a lock."""

    def _atomic_status_transition(
        self, invocation_id: Any, status: InvocationStatus, runner_id: str | None = None
    ) -> InvocationStatusRecord:
        registration = self._registrations.by_id[invocation_id]
        record = status_record_transition(registration.record, status, runner_id)
        registration.record = record
        return record


@mutant("OR-THR-02")
class CountedWithoutLock(PytestMemOrchestrator):
    """It reads the number of retries, adds one, and writes it, without a lock."""

    def increment_invocation_retries(self, invocation_id: Any) -> None:
        retries = self.get_invocation_retries(invocation_id)
        self._registrations.by_id[invocation_id].retries = retries + 1


@mutant("OR-THR-03")
class ListedAfterwards(PytestMemOrchestrator):
    """It looks what is new, registers it, and then adds it to a list."""

    def _register_new_invocations(self, invocations: Any, *args: Any) -> InvocationStatusRecord:
        ids = [each.invocation_id for each in invocations]
        new = [each for each in ids if each not in self._registrations.by_id]
        record = super()._register_new_invocations(invocations, *args)
        self.__dict__.setdefault("_listed", []).extend(new)
        return record

    def get_invocation_ids_paginated(self, *args: Any, **named: Any) -> list[Any]:
        del args, named
        return list(self.__dict__["_listed"])


@mutant("OR-THR-04")
class AdmittedByALook(PytestMemOrchestrator):
    """It looks whether an execution runs, and admits another one afterwards."""

    def record_atomic_service_execution_start(self, *args: Any, **named: Any) -> bool:
        is_free = not self.get_active_atomic_service_executions()
        return super().record_atomic_service_execution_start(*args, **named) or is_free


@mutant("OR-THR-05", "OR-THR-06")
class LiveInvocations(PytestMemOrchestrator):
    """It gives out a view of what is there, which fails when something is added."""

    def get_task_invocation_ids(self, task_id: Any) -> Iterator[Any]:
        for each in self._registrations.by_id.values():
            if each.task_key == task_id.key:
                yield each.invocation_id


@mutant("OR-THR-06")
class CallsByOffset(PytestSQLiteOrchestrator):
    """It reads the invocations of a call one after the other, the newest first, by OFFSET."""

    def get_call_invocation_ids(self, call_id: Any) -> Iterator[Any]:
        offset = 0
        while page := [*super().get_call_invocation_ids(call_id)][::-1][offset : offset + 1]:
            yield from page
            offset += 1
