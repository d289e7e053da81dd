"""The table of atomic-service executions, of which at most one runs at a time."""

from __future__ import annotations

from datetime import datetime

from pytest_pynenc_state.backends.orchestrator import blocked_reason, stamped, surplus_executions
from pytest_pynenc_state.backends.sqlite.connection import Connection, Database, Row, text
from pytest_pynenc_state.backends.sqlite.schema import OrchestratorTables
from pytest_pynenc_state.backends.timestamps import from_us, to_us
from pytest_pynenc_state.compat import (
    AtomicServiceExecution,
    AtomicServiceExecutionStatus,
    AtomicServiceRun,
)

_TABLE = OrchestratorTables.ATOMIC_SERVICE_EXECUTIONS
_RUNNING = AtomicServiceExecutionStatus.RUNNING.value
_BLOCKED = AtomicServiceExecutionStatus.BLOCKED.value
_COLUMNS = "atomic_service_run_id, runner_id, start_us, end_us, status, reason"

_HOLDER = (
    f"SELECT atomic_service_run_id, runner_id FROM {_TABLE} "
    f"WHERE app_id = ? AND status = '{_RUNNING}'"
)
# Only a refused attempt may be made again; what has run, or runs, stays as it is.
_STORE = (
    f"INSERT INTO {_TABLE} (app_id, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (app_id, atomic_service_run_id) DO UPDATE SET runner_id = excluded.runner_id, "
    "start_us = excluded.start_us, end_us = excluded.end_us, status = excluded.status, "
    f"reason = excluded.reason WHERE status = '{_BLOCKED}'"
)
_STATUS = f"SELECT status FROM {_TABLE} WHERE app_id = ? AND atomic_service_run_id = ?"
_END = (
    f"UPDATE {_TABLE} SET end_us = ?, status = ?, reason = coalesce(nullif(?, ''), reason) "
    "WHERE app_id = ? AND atomic_service_run_id = ?"
)
_ACTIVE = (
    f"SELECT {_COLUMNS} FROM {_TABLE} "
    f"WHERE app_id = ? AND status = '{_RUNNING}' ORDER BY start_us DESC, seq DESC"
)
# A running execution counts by its start alone.
_IN_TIMERANGE = (
    f"SELECT {_COLUMNS} FROM {_TABLE} WHERE app_id = ? AND coalesce(end_us, start_us) >= ? "
    "AND start_us <= ? AND runner_id = coalesce(?, runner_id) "
    "AND coalesce(end_us, start_us) - start_us >= ? ORDER BY start_us DESC, seq DESC LIMIT ?"
)
_FINISHED = (
    f"SELECT seq, atomic_service_run_id, end_us FROM {_TABLE} "
    f"WHERE app_id = ? AND status <> '{_RUNNING}' ORDER BY start_us, seq"
)
_DROP = f"DELETE FROM {_TABLE} WHERE seq = ?"


class AtomicServiceTable:
    """The atomic-service executions of one app."""

    def __init__(self, database: Database, app_id: str) -> None:
        self._database = database
        self._app_id = app_id

    def admit(self, run: AtomicServiceRun, started_at: datetime | None, reason: str) -> bool:
        """Start *run* unless another one runs; record a refusal. True if it may work."""
        own_id = run.atomic_service_run_id

        def admitted(connection: Connection) -> bool:
            # Now that it holds the lock: whoever ran before has ended.
            start_us = to_us(stamped(run, started_at))
            holder = connection.execute(_HOLDER, (self._app_id,)).fetchone()
            if holder is None:
                return self._store(connection, run, (start_us, None, _RUNNING, reason))
            prior_run_id, prior_runner_id = map(text, holder)
            if prior_run_id == own_id:
                return True
            refusal = blocked_reason(reason, prior_run_id, prior_runner_id)
            self._store(connection, run, (start_us, start_us, _BLOCKED, refusal))
            return False

        return self._database.transaction(admitted)

    def record(
        self,
        run: AtomicServiceRun,
        started_at: datetime,
        status: AtomicServiceExecutionStatus,
        reason: str,
    ) -> None:
        """Record an attempt that is not to run: it ends when it starts."""
        start_us = to_us(started_at)
        columns = (start_us, start_us, status.value, reason)
        self._database.transaction(lambda connection: self._store(connection, run, columns))

    def finish(
        self,
        run: AtomicServiceRun,
        end_time: datetime,
        status: AtomicServiceExecutionStatus,
        reason: str,
    ) -> None:
        """End *run*; the first end stands. A run that never started appears as empty."""
        end_us = to_us(end_time)
        run_id = run.atomic_service_run_id

        def ended(connection: Connection) -> None:
            row = connection.execute(_STATUS, (self._app_id, run_id)).fetchone()
            if row is None:
                self._store(connection, run, (end_us, end_us, status.value, reason))
            elif row[0] == _RUNNING:
                connection.execute(_END, (end_us, status.value, reason, self._app_id, run_id))

        self._database.transaction(ended)

    def _store(
        self,
        connection: Connection,
        run: AtomicServiceRun,
        columns: tuple[int, int | None, str, str],
    ) -> bool:
        """Whether there was no record of *run* that has to stay."""
        identity = (self._app_id, run.atomic_service_run_id, run.runner_id)
        return connection.execute(_STORE, (*identity, *columns)).rowcount == 1

    def active(self) -> list[AtomicServiceExecution]:
        """The executions that run, newest first."""
        return [_execution(row) for row in self._database.read(_ACTIVE, (self._app_id,))]

    def in_timerange(
        self,
        start: datetime,
        end: datetime,
        limit: int,
        runner_id: str | None,
        min_duration_us: int,
    ) -> list[AtomicServiceExecution]:
        """At most *limit* executions that overlap the range, newest first."""
        keys = (self._app_id, to_us(start), to_us(end), runner_id, min_duration_us, max(limit, 0))
        return [_execution(row) for row in self._database.read(_IN_TIMERANGE, keys)]

    def drop(
        self, ended_before_us: int | None, keep_newest: int | None, protected: frozenset[str]
    ) -> int:
        """Remove finished executions by age, then by number; return how many."""

        def dropped(connection: Connection) -> int:
            rows = connection.execute(_FINISHED, (self._app_id,)).fetchall()
            finished = ((seq, text(run_id), end_us) for seq, run_id, end_us in rows)
            surplus = surplus_executions(finished, ended_before_us, keep_newest, protected)
            connection.executemany(_DROP, [(seq,) for seq in surplus])
            return len(surplus)

        return self._database.transaction(dropped)


def _execution(row: Row) -> AtomicServiceExecution:
    run_id, runner_id, start_us, end_us, status, reason = row
    return AtomicServiceExecution.from_raw(
        text(runner_id),
        text(run_id),
        from_us(start_us),
        None if end_us is None else from_us(end_us),
        AtomicServiceExecutionStatus(status),
        text(reason),
    )
