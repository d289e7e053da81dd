"""The limit: the statements that our SQLite backend sends, on one bare connection.

They are recorded while our backend does the same work on a place of its own, so they
are the same by construction, whatever our backend sends. Repeating them wraps, checks
and converts nothing.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from benchmarks import contenders
from benchmarks.measuring import Slice
from benchmarks.suite import Operation
from benchmarks.workload import Workload
from pytest_pynenc_state.backends.sqlite.connection import Connection
from pytest_pynenc_state.backends.sqlite.schema import empty_file

_numbers = itertools.count(1)


class Statement(NamedTuple):
    """One statement that was sent."""

    sql: str
    parameters: Any
    is_query: bool
    is_repeated: bool


class _Round(NamedTuple):
    preparation: list[Statement]
    calls: list[list[Statement]]
    units: int | None


class PlainSQLite:
    """One bare connection, and what to send to it in each round of one operation."""

    def __init__(self, operation: Operation, rounds: int, directory: Path) -> None:
        self._path = directory / f"plain-{next(_numbers)}.db"
        self._rounds = deque(_recorded_rounds(operation, rounds, directory))
        self._connection = contenders.open_plain(self._path, empty_file())

    def next_slice(self) -> Slice:
        """What our backend did in the next round."""
        preparation, calls, units = self._rounds.popleft()
        self._repeat(preparation)
        return Slice(self._repeat, [(statements,) for statements in calls], units)

    def _repeat(self, statements: Iterable[Statement]) -> None:
        connection = self._connection
        for sql, parameters, is_query, is_repeated in statements:
            if is_query:
                connection.execute(sql, parameters).fetchall()
            elif is_repeated:
                connection.executemany(sql, parameters)
            else:
                connection.execute(sql, parameters)

    def close(self) -> None:
        """Close the connection and remove its file."""
        self._connection.close()
        self._path.unlink()


def _recorded_rounds(operation: Operation, rounds: int, directory: Path) -> Iterator[_Round]:
    with contenders.opened(contenders.SQLITE, directory) as app, _recording() as sent:
        workload = Workload(app)
        operation.prepare(workload)
        # One more than is timed, for warming up.
        for _ in range(rounds + 1):
            made = operation.make(workload)
            preparation = _taken(sent)
            calls = []
            for arguments in made.arguments:
                made.call(*arguments)
                calls.append(_taken(sent))
            yield _Round(preparation, calls, made.units)


def _taken(sent: list[Statement]) -> list[Statement]:
    statements = sent.copy()
    sent.clear()
    return statements


@contextmanager
def _recording() -> Iterator[list[Statement]]:
    """Collect what our connections execute meanwhile."""
    sent: list[Statement] = []
    execute, executemany = Connection.execute, Connection.executemany

    def recorded(connection: Connection, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        is_query = sql.startswith(("SELECT", "PRAGMA"))
        sent.append(Statement(sql, parameters, is_query, is_repeated=False))
        return execute(connection, sql, parameters)

    def recorded_many(connection: Connection, sql: str, rows: Iterable[Any], /) -> sqlite3.Cursor:
        rows = list(rows)
        sent.append(Statement(sql, rows, is_query=False, is_repeated=True))
        return executemany(connection, sql, rows)

    with (
        mock.patch.object(Connection, "execute", recorded),
        mock.patch.object(Connection, "executemany", recorded_many),
    ):
        yield sent
