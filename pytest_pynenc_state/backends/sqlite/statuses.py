"""The orchestrator's table of invocations: their status, owner, and number of retries."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from pynenc.invocation.status import (
    InvocationStatus,
    InvocationStatusRecord,
    status_record_transition,
)

from pytest_pynenc_state.backends.sqlite.connection import (
    Connection,
    Database,
    Row,
    optional_text,
    text,
)
from pytest_pynenc_state.backends.sqlite.queries import (
    invocation_ids,
    marks,
    read_in_chunks,
    status_record,
)
from pytest_pynenc_state.backends.sqlite.schema import OrchestratorTables
from pytest_pynenc_state.backends.timestamps import from_us, now_us, to_us

if TYPE_CHECKING:
    from pynenc.identifiers.invocation_id import InvocationId
    from pynenc.invocation.dist_invocation import DistributedInvocation

_TABLE = OrchestratorTables.INVOCATIONS
_ONE = "WHERE app_id = ? AND invocation_id = ?"

_REGISTER = (
    f"INSERT INTO {_TABLE} (app_id, invocation_id, task_id_key, call_id_key, status, "
    "status_runner_id, status_timestamp_us, unfinished) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING"
)
_RECORD = f"SELECT status, status_runner_id, status_timestamp_us FROM {_TABLE} {_ONE}"
_STATES = (
    "SELECT invocation_id, retry_count, status, status_runner_id, status_timestamp_us "
    f"FROM {_TABLE} WHERE app_id = ? AND invocation_id IN ({{}})"
)
_SET = "SET status = ?, status_runner_id = ?, status_timestamp_us = ?"
# The first writes no index: two thirds of what the second takes.
_MOVE = f"UPDATE {_TABLE} {_SET} {_ONE}"
_MOVE_AND_FINISH = f"UPDATE {_TABLE} {_SET}, unfinished = NULL {_ONE}"
_RETRIES = f"SELECT retry_count FROM {_TABLE} {_ONE}"
_INCREMENT_RETRIES = f"UPDATE {_TABLE} SET retry_count = retry_count + 1 {_ONE}"
_SCHEDULE_PURGE = f"UPDATE {_TABLE} SET auto_purge_us = ? {_ONE}"
_DUE = f"SELECT invocation_id FROM {_TABLE} WHERE app_id = ? AND auto_purge_us <= ?"
_FORGET = (
    f"DELETE FROM {_TABLE} {_ONE}",
    f"DELETE FROM {OrchestratorTables.INVOCATION_ARGS} {_ONE}",
    f"DELETE FROM {OrchestratorTables.BLOCKING_EDGES} WHERE app_id = ? AND waited_id = ?",
    f"DELETE FROM {OrchestratorTables.BLOCKING_EDGES} WHERE app_id = ? AND waiter_id = ?",
)
_PENDING_SINCE = (
    f"SELECT invocation_id FROM {_TABLE} "
    "WHERE app_id = ? AND unfinished = 1 AND status = ? AND status_timestamp_us <= ?"
)
_RUNNING_UNATTENDED = (
    f"SELECT invocation_id FROM {_TABLE} AS invocation "
    "WHERE app_id = ? AND unfinished = 1 AND status = ? AND status_runner_id IS NOT NULL "
    "AND NOT EXISTS ("
    f"SELECT 1 FROM {OrchestratorTables.RUNNER_HEARTBEATS} AS runner "
    "WHERE runner.app_id = invocation.app_id "
    "AND runner.runner_id = invocation.status_runner_id AND runner.last_heartbeat_us >= ?)"
)


class StatusTable:
    """The status of each invocation of one app."""

    def __init__(self, database: Database, app_id: str) -> None:
        self._database = database
        self._app_id = app_id

    def register(
        self,
        invocations: Sequence[DistributedInvocation[Any, Any]],
        record: InvocationStatusRecord,
    ) -> None:
        """Add those of *invocations* that are not there yet, all in the status of *record*."""
        is_unfinished = None if record.status.is_final() else 1
        change = (record.status.value, record.runner_id, to_us(record.timestamp), is_unfinished)
        rows = [
            (
                self._app_id,
                invocation.invocation_id,
                invocation.call.task.task_id.key,
                invocation.call.call_id.key,
                *change,
            )
            for invocation in invocations
        ]
        self._database.write_all(_REGISTER, rows)

    def record(self, invocation_id: str) -> InvocationStatusRecord:
        """The current status record; KeyError if the invocation is unknown."""
        rows = self._database.read(_RECORD, (self._app_id, invocation_id))
        return self._known(rows[0] if rows else None, invocation_id)

    def states(
        self, invocation_ids: Sequence[str]
    ) -> dict[str, tuple[InvocationStatusRecord, int]]:
        """The status record and the retries of those of *invocation_ids* that are known."""
        rows = read_in_chunks(self._database, _STATES, [self._app_id], invocation_ids)
        return {text(row[0]): (_record(row[2:]), int(row[1])) for row in rows}

    def move(
        self, invocation_id: str, status: InvocationStatus, runner_id: str | None
    ) -> InvocationStatusRecord:
        """Read, validate with pynenc's rules and write, under one write lock."""

        def validated_move(connection: Connection) -> InvocationStatusRecord:
            row = connection.execute(_RECORD, (self._app_id, invocation_id)).fetchone()
            current = self._known(row, invocation_id)
            record = status_record_transition(current, status, runner_id)
            connection.execute(
                _MOVE_AND_FINISH if record.status.is_final() else _MOVE,
                (
                    record.status.value,
                    record.runner_id,
                    to_us(record.timestamp),
                    self._app_id,
                    invocation_id,
                ),
            )
            return record

        return self._database.transaction(validated_move)

    def _known(self, row: Row | None, invocation_id: str) -> InvocationStatusRecord:
        if row is None:
            message = f"app {self._app_id!r} has no invocation {invocation_id!r}"
            raise KeyError(message)
        return _record(row)

    def increment_retries(self, invocation_id: str) -> None:
        """Add one retry; nothing happens if the invocation is unknown."""
        self._database.write(_INCREMENT_RETRIES, (self._app_id, invocation_id))

    def retries(self, invocation_id: str) -> int:
        """The number of retries; 0 if the invocation is unknown."""
        rows = self._database.read(_RETRIES, (self._app_id, invocation_id))
        return int(rows[0][0]) if rows else 0

    def in_status(
        self, candidates: Sequence[InvocationId], statuses: Collection[InvocationStatus]
    ) -> list[InvocationId]:
        """Those of *candidates* that are in one of *statuses*, in the order given."""
        wanted = [status.value for status in statuses]
        sql = (
            f"SELECT invocation_id FROM {_TABLE} WHERE app_id = ? AND invocation_id IN ({{}}) "
            # The plus keeps SQLite from the index of statuses, which has every finished
            # invocation of the app: what is asked for are these ids.
            f"AND +status IN ({marks(len(wanted))})"
        )
        rows = read_in_chunks(self._database, sql, [self._app_id], candidates, *wanted)
        matching = set(invocation_ids(rows))
        return [invocation_id for invocation_id in candidates if invocation_id in matching]

    def pending_since(self, cutoff_us: int) -> list[InvocationId]:
        """The ids that have been PENDING since *cutoff_us* or longer."""
        return self._ids(_PENDING_SINCE, InvocationStatus.PENDING.value, cutoff_us)

    def running_unattended(self, cutoff_us: int) -> list[InvocationId]:
        """The ids that are RUNNING for an owner without heartbeat since *cutoff_us*."""
        return self._ids(_RUNNING_UNATTENDED, InvocationStatus.RUNNING.value, cutoff_us)

    def _ids(self, sql: str, *parameters: str | int) -> list[InvocationId]:
        return invocation_ids(self._database.read(sql, (self._app_id, *parameters)))

    def schedule_purge(self, invocation_id: str) -> None:
        """Note that the invocation may be forgotten some time after now."""
        self._database.write(_SCHEDULE_PURGE, (now_us(), self._app_id, invocation_id))

    def purge_due(self, scheduled_until_us: int) -> None:
        """Forget all invocations scheduled until then, with arguments, retries and waiters."""
        keys = (self._app_id, scheduled_until_us)

        def forget_due(connection: Connection) -> None:
            due = [(self._app_id, row[0]) for row in connection.execute(_DUE, keys)]
            for statement in _FORGET:
                connection.executemany(statement, due)

        self._database.transaction(forget_due)


def _record(row: Row) -> InvocationStatusRecord:
    status, owner, timestamp_us = row
    return status_record(status, optional_text(owner), from_us(timestamp_us))
