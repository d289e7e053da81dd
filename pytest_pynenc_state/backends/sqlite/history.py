"""The history table: append only, read by invocation or by time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from pynenc.identifiers.invocation_id import InvocationId
from pynenc.state_backend.base_state_backend import InvocationHistory as PynencInvocationHistory

from pytest_pynenc_state.backends.sqlite.connection import Connection, Database, Row, texts
from pytest_pynenc_state.backends.sqlite.queries import invocation_ids, status_record
from pytest_pynenc_state.backends.sqlite.schema import StateBackendTables
from pytest_pynenc_state.backends.state_backend import InvocationHistory
from pytest_pynenc_state.backends.timestamps import EPOCH, MICROSECOND, to_us

_COLUMNS = (
    "invocation_id, timestamp_us, status, status_runner_id, status_timestamp_us, "
    "runner_context_id, registered_by_inv_id"
)

# A number is never used again, also not after a purge of any app: whoever reads on after it would
# take what is new for what was there. AUTOINCREMENT would write a row of its own for each record.
_NEXT_SEQ = (
    f"(SELECT 1 + max(coalesce((SELECT max(seq) FROM {StateBackendTables.HISTORY}), 0), coalesce("
    f"(SELECT seq FROM {StateBackendTables.HISTORY_NUMBERS} WHERE one = 1), 0)))"
)
_APPEND = (
    f"INSERT INTO {StateBackendTables.HISTORY} (seq, app_id, {_COLUMNS}) "
    f"VALUES ({_NEXT_SEQ}, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_RETIRE_NUMBERS = (
    f"INSERT OR REPLACE INTO {StateBackendTables.HISTORY_NUMBERS} VALUES (1, {_NEXT_SEQ} - 1)"
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
        self._database.write_all(_APPEND, self._rows(records))

    def write(self, connection: Connection, records: Sequence[PynencInvocationHistory]) -> None:
        """Add *records*, as part of a transaction."""
        connection.executemany(_APPEND, self._rows(records))

    def retire_numbers(self, connection: Connection) -> None:
        """Let none of the numbers be used again that are about to be purged."""
        connection.execute(_RETIRE_NUMBERS)

    def _rows(self, records: Sequence[PynencInvocationHistory]) -> list[Row]:
        return [
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

    def of_invocation(self, invocation_id: str) -> list[PynencInvocationHistory]:
        """The records of one invocation by time stamp; ties in the order written."""
        rows = self._database.read(_OF_INVOCATION, (self._app_id, invocation_id))
        return _records(rows)

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
            yield _records(rows)

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


def _records(rows: list[Row]) -> list[PynencInvocationHistory]:
    # What `from_us` does, without calling it twice for each row.
    restored, epoch, microsecond = InvocationHistory.restored, EPOCH, MICROSECOND
    return [
        restored(
            invocation_id,
            epoch + added_us * microsecond,
            status_record(status, owner, epoch + status_us * microsecond),
            context_id,
            parent_id,
        )
        for invocation_id, added_us, status, owner, status_us, context_id, parent_id, *_ in texts(
            rows
        )
    ]
