"""Closing the connections that pynenc's own broker and trigger leave to the garbage collector.

They share our file, and open a connection for each operation. In pynenc these stay open
until a cyclic collection: files of finished tests would stay open, too, and Python 3.13
would warn of each one, which fails a test run where warnings are errors.
"""

from __future__ import annotations

from typing import Any

from pynenc.util.sqlite_utils import SQLiteConnection


class ClosingConnections:
    """While at least one place is open, a ``with`` over pynenc's connection also closes it."""

    def __init__(self) -> None:
        self._places = 0
        self._leave = SQLiteConnection.__exit__

    def begin(self) -> None:
        """Note that a place was opened."""
        if self._places == 0:
            leave = self._leave

            def leave_and_close(connection: SQLiteConnection, *failure: Any) -> None:
                try:
                    leave(connection, *failure)
                finally:
                    connection._conn.close()

            SQLiteConnection.__exit__ = leave_and_close  # type: ignore[method-assign]
        self._places += 1

    def end(self) -> None:
        """Note that a place was closed; after the last one pynenc is as it was."""
        self._places -= 1
        if self._places == 0:
            SQLiteConnection.__exit__ = self._leave  # type: ignore[method-assign]


closing_connections = ClosingConnections()
