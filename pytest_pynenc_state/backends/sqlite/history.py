"""The history table: append only, read by invocation or by time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from pynenc.identifiers.invocation_id import InvocationId
from pynenc.invocation.status import InvocationStatusRecord
from pynenc.state_backend.base_state_backend import InvocationHistory as PynencInvocationHistory

from pytest_pynenc_state.backends.sqlite.connection import Database, Row, texts
from pytest_pynenc_state.backends.sqlite.queries import STATUSES, invocation_ids
from pytest_pynenc_state.backends.sqlite.schema import StateBackendTables
from pytest_pynenc_state.backends.state_backend import InvocationHistory
from pytest_pynenc_state.backends.timestamps import from_us, to_us

_COLUMNS = (
    "invocation_id, timestamp_us, status, status_runner_id, status_timestamp_us, "
    "runner_context_id, registered_by_inv_id"
)

_APPEND = (
    f"INSERT INTO {StateBackendTables.HISTORY} (app_id, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_OF_INVOCATION = (
    f"SELECT {_COLUMNS} FROM {StateBackendTables.HISTORY} "
    "WHERE app_id = ? AND invocation_id = ? ORDER BY timestamp_us, seq"
)
_LAST_SEQ = f"SELECT coalesce(max(seq), 0) FROM {StateBackendTables.HISTORY}"

# Both pages go on after a key, so that the last page costs what the first one does, and
# stop at the row that was the last when the iteration began: rows that are added
# meanwhile neither repeat nor displace any.
_PAGE = (
    f"SELECT {_COLUMNS}, seq FROM {StateBackendTables.HISTORY} "
    "WHERE app_id = ? AND timestamp_us <= ? AND (timestamp_us, seq) > (?, ?) AND seq <= ? "
    "ORDER BY timestamp_us, seq LIMIT ?"
)
# An invocation belongs to the page of its first row in the range.
_INVOCATION_PAGE = (
    f"SELECT invocation_id, timestamp_us, seq FROM {StateBackendTables.HISTORY} AS row "
    "WHERE app_id = ? AND timestamp_us <= ? AND (timestamp_us, seq) > (?, ?) AND seq <= ? "
    f"AND NOT EXISTS (SELECT 1 FROM {StateBackendTables.HISTORY} AS earlier "
    "WHERE earlier.app_id = row.app_id AND earlier.invocation_id = row.invocation_id "
    "AND earlier.timestamp_us >= ? AND earlier.seq <= ? "
    "AND (earlier.timestamp_us, earlier.seq) < (row.timestamp_us, row.seq)) "
    "ORDER BY timestamp_us, seq LIMIT ?"
)


class HistoryTable:
    """The status changes of one app's invocations."""

    def __init__(self, database: Database, app_id: str) -> None:
        self._database = database
        self._app_id = app_id

    def append(self, records: Sequence[PynencInvocationHistory]) -> None:
        """Add all of *records*, in their order, or none."""
        rows = [
            (
                self._app_id,
                record.invocation_id,
                to_us(record.timestamp),
                record.status_record.status.value,
                record.status_record.runner_id,
                to_us(record.status_record.timestamp),
                record.runner_context_id,
                record.registered_by_inv_id,
            )
            for record in records
        ]
        self._database.write_all(_APPEND, rows)

    def of_invocation(self, invocation_id: str) -> list[PynencInvocationHistory]:
        """The records of one invocation by time stamp; ties in the order written."""
        rows = self._database.read(_OF_INVOCATION, (self._app_id, invocation_id))
        return [_record(row) for row in rows]

    def in_timerange(
        self, start: datetime, end: datetime, batch_size: int
    ) -> Iterator[list[PynencInvocationHistory]]:
        """Batches of the records from *start* to *end*, both included, by time stamp."""
        end_us = to_us(end)
        newest_seq = self._newest_seq()
        # The first page goes on after every row of the microsecond before the start.
        last_us, last_seq = to_us(start) - 1, newest_seq
        while True:
            after = (self._app_id, end_us, last_us, last_seq, newest_seq)
            rows = self._database.read(_PAGE, (*after, batch_size))
            if not rows:
                return
            last_seq, last_us = rows[-1][-1], rows[-1][1]
            yield [_record(row) for row in rows]

    def invocations_in_timerange(
        self, start: datetime, end: datetime, batch_size: int
    ) -> Iterator[list[InvocationId]]:
        """Batches of the ids that have a record from *start* to *end*, as first seen there."""
        start_us, end_us = to_us(start), to_us(end)
        newest_seq = self._newest_seq()
        last_us, last_seq = start_us - 1, newest_seq
        while True:
            after = (self._app_id, end_us, last_us, last_seq, newest_seq)
            rows = self._database.read(_INVOCATION_PAGE, (*after, start_us, newest_seq, batch_size))
            if not rows:
                return
            _, last_us, last_seq = rows[-1]
            yield invocation_ids(rows)

    def _newest_seq(self) -> int:
        newest: int = self._database.read(_LAST_SEQ)[0][0]
        return newest


def _record(row: Row) -> PynencInvocationHistory:
    invocation_id, added_us, status, owner, status_us, context_id, parent_id, *_ = texts(row)
    return InvocationHistory.restored(
        invocation_id,
        from_us(added_us),
        InvocationStatusRecord(STATUSES[status], owner, from_us(status_us)),
        context_id,
        parent_id,
    )
