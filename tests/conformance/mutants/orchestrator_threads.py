"""Faults of an orchestrator that show when several threads use it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pynenc.invocation.status import (
    InvocationStatus,
    InvocationStatusRecord,
    status_record_transition,
)

from pytest_pynenc_state.backends.memory.orchestrator import PytestMemOrchestrator
from pytest_pynenc_state.backends.sqlite.orchestrator import PytestSQLiteOrchestrator
from pytest_pynenc_state.backends.sqlite.schema import OrchestratorTables
from tests.conformance.mutants.mutant import mutant

if TYPE_CHECKING:
    from pynenc.app import Pynenc

_TABLE = OrchestratorTables.INVOCATIONS
_WHERE = "WHERE app_id = ? AND invocation_id = ?"
_SET_STATUS = f"UPDATE {_TABLE} SET status = ?, status_runner_id = ? {_WHERE}"
_SET_RETRIES = f"UPDATE {_TABLE} SET retry_count = ? {_WHERE}"

# So long a thread waits for another one to come between its look and what follows.
_MOMENT_S = 0.1


class _Unlocked(PytestSQLiteOrchestrator):
    """Looks, and writes in another transaction what follows from it."""

    def __init__(self, app: Pynenc) -> None:
        super().__init__(app)
        self._meeting = threading.Barrier(2)

    def _meet(self) -> None:
        """Wait for a moment until another thread has looked, too."""
        with suppress(threading.BrokenBarrierError):
            self._meeting.wait(_MOMENT_S)
        if self._meeting.broken:
            self._meeting.reset()


@mutant("OR-THR-01")
class CheckedThenMoved(_Unlocked):
    """It reads and checks a status, and writes the next one in another transaction."""

    def _atomic_status_transition(
        self, invocation_id: Any, status: InvocationStatus, runner_id: str | None = None
    ) -> InvocationStatusRecord:
        current = self.get_invocation_status_record(invocation_id)
        record = status_record_transition(current, status, runner_id)
        self._meet()
        values = (record.status.value, record.runner_id, self._app_id, invocation_id)
        self._database.write(_SET_STATUS, values)
        return record


@mutant("OR-THR-02")
class ReadThenCounted(_Unlocked):
    """It reads the number of retries, and writes one more in another transaction."""

    def increment_invocation_retries(self, invocation_id: Any) -> None:
        retries = self.get_invocation_retries(invocation_id)
        self._meet()
        self._database.write(_SET_RETRIES, (retries + 1, self._app_id, invocation_id))


@mutant("OR-THR-03")
class LookedThenListed(_Unlocked):
    """It looks what is new, registers it, and then adds it to a list."""

    def _register_new_invocations(self, invocations: Any, *args: Any) -> InvocationStatusRecord:
        ids = [each.invocation_id for each in invocations]
        known = self.get_invocation_states(ids)
        if len(known) < len(ids):
            self._meet()
        record = super()._register_new_invocations(invocations, *args)
        listed = self.__dict__.setdefault("_listed", [])
        listed += [each for each in ids if each not in known]
        return record

    def get_invocation_ids_paginated(
        self, task_id: Any = None, statuses: Any = None, limit: int = 100, offset: int = 0
    ) -> list[Any]:
        del task_id, statuses
        return list(self.__dict__["_listed"][::-1][offset : offset + limit])


@mutant("OR-THR-04")
class LookedThenAdmitted(_Unlocked):
    """It looks whether an execution runs, and admits another one some time later."""

    def record_atomic_service_execution_start(self, *args: Any, **named: Any) -> bool:
        is_free = not self.get_active_atomic_service_executions()
        return super().record_atomic_service_execution_start(*args, **named) or is_free

    def get_active_atomic_service_executions(self) -> list[Any]:
        found = super().get_active_atomic_service_executions()
        self._meet()
        return found


@mutant("OR-THR-05")
class ListedThenRead(PytestSQLiteOrchestrator):
    """It lists ids, and reads each of them for a while after that, when it may be gone."""

    def get_task_invocation_ids(self, task_id: Any) -> Iterator[Any]:
        return map(self._read, super().get_task_invocation_ids(task_id))

    def get_call_invocation_ids(self, call_id: Any) -> Iterator[Any]:
        return map(self._read, super().get_call_invocation_ids(call_id))

    def _read(self, invocation_id: Any) -> Any:
        # Once would not do: what is gone may be there again by then.
        latest_s = time.monotonic() + _MOMENT_S
        while time.monotonic() < latest_s:
            self.get_invocation_status_record(invocation_id)
        return invocation_id


@mutant("OR-THR-06")
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
