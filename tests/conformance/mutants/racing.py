"""Faults that show when several processes use a store at once, or one of them is killed."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pynenc.invocation.status import (
    InvocationStatus,
    InvocationStatusRecord,
    status_record_transition,
)

from pytest_pynenc_state.backends.sqlite.connection import Connection
from pytest_pynenc_state.backends.sqlite.history import _COLUMNS, _records
from pytest_pynenc_state.backends.sqlite.orchestrator import PytestSQLiteOrchestrator
from pytest_pynenc_state.backends.sqlite.schema import OrchestratorTables, StateBackendTables
from pytest_pynenc_state.backends.sqlite.state_backend import PytestSQLiteStateBackend
from pytest_pynenc_state.backends.timestamps import to_us
from pytest_pynenc_state.waiting import wait_for_instant, wait_until
from tests.conformance.mutants.mutant import mutant

_WHERE = "WHERE app_id = ? AND invocation_id = ?"
_SET_STATUS = (
    f"UPDATE {OrchestratorTables.INVOCATIONS} "
    f"SET status = ?, status_runner_id = ?, status_timestamp_us = ? {_WHERE}"
)
_SET_RETRIES = f"UPDATE {OrchestratorTables.INVOCATIONS} SET retry_count = ? {_WHERE}"
_SET_CREATION = (
    f"UPDATE {OrchestratorTables.RUNNER_HEARTBEATS} SET creation_us = ? "
    "WHERE app_id = ? AND runner_id = ?"
)
_PAGE_BY_OFFSET = (
    f"SELECT {_COLUMNS} FROM {StateBackendTables.HISTORY} WHERE app_id = ? "
    "AND timestamp_us BETWEEN ? AND ? ORDER BY timestamp_us, seq LIMIT ? OFFSET ?"
)

# What is written in two steps leaves others time between them. A server that is slow at times lets
# them get far meanwhile; one that is always slow holds them up as well.
_SLOW_SHARE = 0.1
_SLOW_NS = 10_000_000

# So slow that a process is killed meanwhile, surely and not by chance.
_STUCK_S = 60.0

_REPLICA_LAG_S = 0.005


def _dawdle(share: float = _SLOW_SHARE) -> None:
    if random.random() < share:  # noqa: S311 - no cryptography
        wait_for_instant(time.monotonic_ns() + _SLOW_NS)


class _Unlocked(PytestSQLiteOrchestrator):
    """Reads, and writes a while later."""

    def _overwrite(self, invocation_id: str, record: InvocationStatusRecord) -> None:
        moment_us = to_us(record.timestamp)
        values = (record.status.value, record.runner_id, moment_us, self._app_id, invocation_id)
        self._database.write(_SET_STATUS, values)


@mutant("OR-RAC-01", "OR-RAC-02", "OR-LIN-01")
class TwoTransactions(_Unlocked):
    """It reads and validates a status in one transaction, and writes the next in another."""

    def _atomic_status_transition(
        self, invocation_id: Any, status: InvocationStatus, runner_id: str | None = None
    ) -> InvocationStatusRecord:
        current = self.get_invocation_status_record(invocation_id)
        record = status_record_transition(current, status, runner_id)
        _dawdle()
        self._overwrite(invocation_id, record)
        return record


@mutant("OR-RAC-02", "OR-LIN-01")
class OwnerCheckedOutside(_Unlocked):
    """It checks the owner before the transaction that moves the status, and not within."""

    def _atomic_status_transition(
        self, invocation_id: Any, status: InvocationStatus, runner_id: str | None = None
    ) -> InvocationStatusRecord:
        current = self.get_invocation_status_record(invocation_id)
        status_record_transition(current, status, runner_id)
        _dawdle()
        owner = self.get_invocation_status_record(invocation_id).runner_id or runner_id
        return super()._atomic_status_transition(invocation_id, status, owner)


@mutant("OR-RAC-03", "OR-LIN-02", "BE-LIN-01")
class RetriesReadAndWritten(_Unlocked):
    """It reads the number of retries, adds one, and writes it."""

    def increment_invocation_retries(self, invocation_id: Any) -> None:
        retries = self.get_invocation_retries(invocation_id)
        _dawdle()
        self._database.write(_SET_RETRIES, (retries + 1, self._app_id, invocation_id))


@mutant("OR-RAC-04")
class LastCreatorWins(_Unlocked):
    """Each process creates the runners that it has not seen, whoever else has done so."""

    def register_runner_heartbeats(self, runner_ids: list[str], *args: Any, **named: Any) -> None:
        super().register_runner_heartbeats(runner_ids, *args, **named)
        _dawdle()
        seen: set[str] = self.__dict__.setdefault("_seen", set())
        for runner_id in set(runner_ids) - seen:
            now_us = to_us(datetime.now(UTC))
            self._database.write(_SET_CREATION, (now_us, self._app_id, runner_id))
        seen.update(runner_ids)


@mutant("OR-RAC-05", "BE-PRG-01")
class RegistersAgain(_Unlocked):
    """Registering an invocation that is there takes it back to where it began."""

    def _register_new_invocations(
        self, invocations: Any, runner_id: str | None = None
    ) -> InvocationStatusRecord:
        record = super()._register_new_invocations(invocations, runner_id)
        for invocation in invocations:
            self._overwrite(invocation.invocation_id, record)
        return record


@mutant("OR-RAC-06", "OR-LIN-03")
class AdmitsWhoeverLooks(_Unlocked):
    """It looks whether services are running, and admits a runner some time later."""

    def record_atomic_service_execution_start(self, run: Any, *args: Any, **named: Any) -> bool:
        is_free = not list(self.get_active_atomic_service_executions())
        if is_free:
            _dawdle(0.5)  # there are few who find it free
        admitted = super().record_atomic_service_execution_start(run, *args, **named)
        return admitted or is_free


@mutant("OR-LIN-01")
class StaleReplica(PytestSQLiteOrchestrator):
    """It answers from a copy of the statuses that is up to five milliseconds old."""

    def get_invocation_status_record(self, invocation_id: Any) -> InvocationStatusRecord:
        copies = self.__dict__.setdefault("_copies", {})
        taken_s, record = copies.get(invocation_id, (0.0, None))
        if record is None or time.monotonic() > taken_s + _REPLICA_LAG_S:
            record = super().get_invocation_status_record(invocation_id)
            copies[invocation_id] = (time.monotonic(), record)
        return record


@mutant("BE-RAC-01", "SB-LIN-01")
class CachesResults(PytestSQLiteStateBackend):
    """It remembers that there was no result, and does not look again."""

    def _get_result(self, invocation_id: str) -> str:
        missing = self.__dict__.setdefault("_missing", set())
        if invocation_id in missing:
            raise KeyError(invocation_id)
        try:
            return super()._get_result(invocation_id)
        except KeyError:
            missing.add(invocation_id)
            raise


@mutant("SB-RAC-01")
class ResultInTwoHalves(PytestSQLiteStateBackend):
    """It writes the two halves of a result one after the other."""

    def _set_result(self, invocation_id: str, serialized_result: str) -> None:
        half = len(serialized_result) // 2
        super()._set_result(f"{invocation_id} one", serialized_result[:half])
        self._pause()
        super()._set_result(f"{invocation_id} two", serialized_result[half:])

    def _get_result(self, invocation_id: str) -> str:
        one = super()._get_result(f"{invocation_id} one")
        return one + super()._get_result(f"{invocation_id} two")

    def _pause(self) -> None:
        _dawdle()


@mutant("SB-KIL-01")
class StuckBetweenHalves(ResultInTwoHalves):
    """It writes the two halves of a result one after the other, and of all but the first late."""

    def _pause(self) -> None:
        if self.__dict__.setdefault("_has_written", False):
            time.sleep(_STUCK_S)
        self.__dict__["_has_written"] = True


@mutant("SB-RAC-02")
class HistoryReadAndWritten(PytestSQLiteStateBackend):
    """It reads a history, adds a record, and writes all of it."""

    def _add_histories(self, invocation_ids: Any, history: Any) -> None:
        for invocation_id in invocation_ids:
            former = self.get_history(invocation_id)
            _dawdle()
            self._database.transaction(partial(self._replace, invocation_id, [*former, history]))

    def _replace(self, invocation_id: str, records: list[Any], connection: Connection) -> None:
        where = (self._app_id, invocation_id)
        connection.execute(f"DELETE FROM {StateBackendTables.HISTORY} {_WHERE}", where)
        self._history.write(connection, records)


@mutant("SB-RAC-03")
class ChildrenReadAndWritten(PytestSQLiteStateBackend):
    """It keeps a list of children that it reads, extends and writes."""

    def _upsert_invocations(self, entries: Any) -> None:
        super()._upsert_invocations(entries)
        for invocation, _ in entries:
            parent_id = str(invocation.parent_invocation_id)
            known = self._listed(parent_id)
            _dawdle()
            listed = "\n".join([*known, invocation.invocation_id])
            self._set_result(f"children of {parent_id}", listed)

    def get_child_invocations(self, parent_invocation_id: Any) -> Iterator[Any]:
        yield from self._listed(parent_invocation_id)

    def _listed(self, parent_id: str) -> list[str]:
        try:
            return self._get_result(f"children of {parent_id}").split("\n")
        except KeyError:
            return []


@mutant("SB-RAC-04")
class PagesByOffset(PytestSQLiteStateBackend):
    """It reads a range page by page, and counts from its beginning each time."""

    def iter_history_in_timerange(
        self, start_time: datetime, end_time: datetime, batch_size: int = 100
    ) -> Iterator[Any]:
        bounds = (self._app_id, to_us(start_time), to_us(end_time), batch_size)
        for offset in itertools.count(0, batch_size):
            rows = self._database.read(_PAGE_BY_OFFSET, (*bounds, offset))
            if not rows:
                return
            yield _records(rows)


@mutant("BE-KIL-01", "BE-LIN-01")
class WritesLater(PytestSQLiteStateBackend):
    """It keeps results until there are enough of them, and then writes them together."""

    def _set_result(self, invocation_id: str, serialized_result: str) -> None:
        waiting = self.__dict__.setdefault("_waiting", {})
        waiting[invocation_id] = serialized_result
        if len(waiting) > 50:
            for each, serialized in waiting.items():
                super()._set_result(each, serialized)
            waiting.clear()

    def _get_result(self, invocation_id: str) -> str:
        waiting = self.__dict__.get("_waiting", {})
        return waiting.get(invocation_id) or super()._get_result(invocation_id)


@mutant("BE-KIL-02")
class RowThenIndex(PytestSQLiteOrchestrator):
    """It stores an invocation in one transaction, and what finds it by its task much later."""

    def _register_new_invocations(
        self, invocations: Any, runner_id: str | None = None
    ) -> InvocationStatusRecord:
        record = super()._register_new_invocations(invocations, runner_id)
        time.sleep(_STUCK_S)
        for invocation in invocations:
            self._database.write(
                f"INSERT OR IGNORE INTO {OrchestratorTables.INVOCATION_ARGS} VALUES (?, ?, ?, ?)",
                (self._app_id, _listed(invocation.call.task.task_id), invocation.invocation_id, ""),
            )
        return record

    def get_task_invocation_ids(self, task_id: Any) -> Iterator[Any]:
        rows = self._database.read(
            f"SELECT arg_key FROM {OrchestratorTables.INVOCATION_ARGS} {_WHERE}",
            (self._app_id, _listed(task_id)),
        )
        yield from [str(row[0]) for row in rows]


def _listed(task_id: Any) -> str:
    return f"of {task_id.key}"


@mutant("BE-KIL-03")
class LockInATable(PytestSQLiteOrchestrator):
    """It holds a lock, at times for long, that nobody takes away when its holder is killed."""

    def increment_invocation_retries(self, invocation_id: Any) -> None:
        self._take()
        super().increment_invocation_retries(invocation_id)
        self._release()

    def register_runner_heartbeats(self, *args: Any, **named: Any) -> None:
        """Take the lock, and keep it for long from the fourth time on."""
        self._take()
        super().register_runner_heartbeats(*args, **named)
        count = self.__dict__["_times_given"] = self.__dict__.get("_times_given", 0) + 1
        if count > 3:
            time.sleep(_STUCK_S)
        self._release()

    def _take(self) -> None:
        if not wait_until(self._taken, 2.0):
            message = "somebody holds the lock"
            raise TimeoutError(message)

    def _taken(self) -> bool:
        table = OrchestratorTables.INVOCATION_ARGS
        sql = f"INSERT OR IGNORE INTO {table} VALUES (?, 'lock', 'lock', '')"
        return self._database.write(sql, (self._app_id,)) == 1

    def _release(self) -> None:
        sql = f"DELETE FROM {OrchestratorTables.INVOCATION_ARGS} WHERE invocation_id = 'lock'"
        self._database.write(sql)
