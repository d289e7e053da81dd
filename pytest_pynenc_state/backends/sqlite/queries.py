"""Queries that several tables share: a purge of one app, and lists of any length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from pynenc.identifiers.invocation_id import InvocationId
from pynenc.invocation.status import InvocationStatus, InvocationStatusRecord

from pytest_pynenc_state.backends.sqlite.connection import (
    Connection,
    Database,
    Row,
    text,
)


class _Statuses(dict[str, InvocationStatus]):
    def __missing__(self, value: str) -> InvocationStatus:
        return InvocationStatus(value)  # which says what is wrong with it


# The statuses by the values that are stored: much faster than asking the enum.
_STATUSES = _Statuses((status.value, status) for status in InvocationStatus)

# Parameters of one statement: the smallest limit that a SQLite build has is 999.
_CHUNK = 900


def status_record(status: str, owner: str | None, timestamp: datetime) -> InvocationStatusRecord:
    """Build a status record of what is stored of it."""
    # Not by the constructor: it takes three times as long to set the fields of a frozen class.
    record = object.__new__(InvocationStatusRecord)
    fields = record.__dict__
    fields["status"] = _STATUSES[status]
    fields["runner_id"] = owner
    fields["timestamp"] = timestamp
    return record


def invocation_ids(rows: Iterable[Row]) -> list[InvocationId]:
    """The ids in the first column of *rows*, in their order."""
    return [InvocationId(text(row[0])) for row in rows]


def marks(count: int) -> str:
    """*count* parameter marks for an SQL list."""
    return ",".join("?" * count)


def chunks(values: Sequence[str], size: int = _CHUNK) -> Iterator[list[str]]:
    """*values* in lists that fit into one statement."""
    remaining = iter(values)
    while chunk := list(islice(remaining, size)):
        yield chunk


def read_in_chunks(
    database: Database, sql: str, before: Sequence[str], values: Sequence[str], *after: str
) -> list[Row]:
    """Return the rows of *sql* for all of *values*, however many, from one state of the store.

    :param sql: A SELECT with ``{}`` where the marks of *values* go.
    :param before: Parameters in front of them; *after* those behind them.
    """

    def read_all(connection: Connection) -> list[Row]:
        rows: list[Row] = []
        for chunk in chunks(values):
            statement = sql.format(marks(len(chunk)))
            rows += connection.execute(statement, [*before, *chunk, *after])
        return rows

    # One chunk is one statement, which sees one state anyway.
    if len(values) <= _CHUNK:
        return database.read(sql.format(marks(len(values))), [*before, *values, *after])
    return database.snapshot(read_all)


def purge_tables(
    database: Database,
    app_id: str,
    tables: Sequence[str],
    before: Callable[[Connection], None] = lambda _: None,
) -> None:
    """Remove the rows of one app from all of *tables*, at once.

    :param before: Called first, as part of the transaction.
    """

    def delete_all(connection: Connection) -> None:
        before(connection)
        for table in tables:
            others = f"SELECT 1 FROM {table} WHERE app_id < ? OR app_id > ? LIMIT 1"
            if connection.execute(others, (app_id, app_id)).fetchall():
                connection.execute(f"DELETE FROM {table} WHERE app_id = ?", (app_id,))
            else:
                # Without a condition, SQLite lets go of all pages at once, and not row by row.
                connection.execute(f"DELETE FROM {table}")

    database.transaction(delete_all)
