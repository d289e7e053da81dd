"""Closing the connections that pynenc's own classes leave to the garbage collector.

They open a connection for each operation; so do those that a composite has on our file, but for
`PytestSQLiteTrigger`. In pynenc these stay open until a cyclic collection. Then files of finished
tests stay open; Python 3.13 warns of each one, which fails a test run where warnings are errors;
and a runner that forks hands them to its child, where SQLite takes the parent's locks on the file
for the child's own.
"""

from __future__ import annotations

from typing import Any

from pynenc.util.sqlite_utils import SQLiteConnection

_leave = SQLiteConnection.__exit__


def _leave_and_close(connection: SQLiteConnection, *failure: Any) -> None:
    try:
        _leave(connection, *failure)
    finally:
        connection._conn.close()


def close_upstream_connections() -> None:
    """From now on, leaving a ``with`` over pynenc's connection also closes it."""
    SQLiteConnection.__exit__ = _leave_and_close  # type: ignore[method-assign]


def restore_upstream() -> None:
    """Put pynenc's own behaviour back."""
    SQLiteConnection.__exit__ = _leave  # type: ignore[method-assign]
