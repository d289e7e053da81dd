"""A table with one value for each invocation: results are one, exceptions another."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_pynenc_state.backends.sqlite.connection import Database, text
from pytest_pynenc_state.backends.sqlite.queries import read_in_chunks


class ValueTable:
    """The values of one app in *table*."""

    def __init__(self, database: Database, app_id: str, table: str) -> None:
        self._database = database
        self._app_id = app_id
        self._put = (
            f"INSERT INTO {table} VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
        )
        self._having = (
            f"SELECT invocation_id FROM {table} WHERE app_id = ? AND invocation_id IN ({{}})"
        )
        self._get = f"SELECT value FROM {table} WHERE app_id = ? AND invocation_id = ?"

    def put(self, invocation_id: str, serialized: str) -> None:
        """Store a value in place of the former one."""
        self._database.write(self._put, (self._app_id, invocation_id, serialized))

    def get(self, invocation_id: str) -> str | None:
        """The stored value; None if there is none."""
        rows = self._database.read(self._get, (self._app_id, invocation_id))
        return text(rows[0][0]) if rows else None

    def having(self, invocation_ids: Sequence[str]) -> set[str]:
        """Those of *invocation_ids* that have a value."""
        rows = read_in_chunks(self._database, self._having, [self._app_id], invocation_ids)
        return {text(row[0]) for row in rows}
