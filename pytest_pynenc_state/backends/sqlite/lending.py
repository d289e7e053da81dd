"""Our connections, lent to pynenc's trigger, which would open one for each operation.

What it opens by itself goes past the doorway: a child that is forked meanwhile hangs. And its
errors are SQLite's own, after a wait that nobody configured.

Its code is ``with sqlite_conn(self.sqlite_db_path) as conn:``, all over. So what is replaced is
that function, which looks at the path that it is given: a `LentFile` leads to our connection, any
other path to pynenc's. That is why it need not be put back: nobody else has such a path.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pynenc.trigger import sqlite_trigger
from pynenc.util.sqlite_utils import create_sqlite_connection

from pytest_pynenc_state.backends.sqlite.connection import (
    Connection,
    Database,
    Row,
    Transaction,
    storable,
)

# What needs no transaction. Whatever else there is at worst begins one in vain.
_READING = ("SELECT", "PRAGMA")


class LentFile(str):
    """The path of a file, by which pynenc's trigger comes to our connection."""

    __slots__ = ("database",)
    database: Database

    def __new__(cls, database: Database) -> Self:
        """Return the path of *database*."""
        path = super().__new__(cls, database.path)
        path.database = database
        return path


class Block:
    """What a ``with`` block of pynenc's has for a connection.

    A statement that reads is done at once and as a whole, outside of any transaction; pynenc makes
    objects of what it has read, by code of its users, while no lock is held. The first that
    writes begins a transaction, which `commit` or the end of the block ends; an exception rolls it
    back. A block inside another one belongs to that one's transaction.

    Concurrency: for one thread; blocks others as `Database.begin` does. Its methods raise
    `BackendError` if the file fails.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._transaction: tuple[Connection, Transaction] | None = None

    def __enter__(self) -> Self:
        """Begin nothing yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the transaction, if there is one."""
        begun, self._transaction = self._transaction, None
        if begun is not None:
            _, transaction = begun
            transaction.__exit__(kind, error, traceback)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Execute one statement; return what its rows are fetched from."""
        if self._transaction is None and sql.lstrip()[:6].upper() in _READING:
            return _Rows(self._database.read(sql, parameters))
        connection = self.begin()
        try:
            return connection.execute(sql, parameters)
        except UnicodeEncodeError:
            return connection.execute(sql, storable(parameters))

    def begin(self) -> Connection:
        """Begin the transaction, unless it has begun; return its connection."""
        if self._transaction is None:
            self._transaction = self._database.begin()
        return self._transaction[0]

    def commit(self) -> None:
        """End the transaction, if there is one."""
        self.__exit__(None, None, None)


class _Rows:
    """What is fetched from: the rows that were read."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = iter(rows)

    def fetchone(self) -> Row | None:
        """Return the next row, or None."""
        return next(self._rows, None)

    def fetchall(self) -> list[Row]:
        """Return those that are left."""
        return list(self._rows)

    def close(self) -> None:
        """Nothing is open."""


def _connected(sqlite_db_path: str | Path) -> Any:
    if isinstance(sqlite_db_path, LentFile):
        return Block(sqlite_db_path.database)
    return create_sqlite_connection(sqlite_db_path)


def lend_connections() -> None:
    """From now on, pynenc's trigger finds our connection behind a `LentFile`."""
    # Not a name that pynenc exports: it is what its methods look up.
    sqlite_trigger.sqlite_conn = _connected  # type: ignore[attr-defined]
