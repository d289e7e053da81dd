"""`PytestSQLiteClientDataStore`: large arguments and results, in the same file."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from pynenc.client_data_store.base_client_data_store import BaseClientDataStore

from pytest_pynenc_state.backends.sqlite.config import (
    ConfigPytestClientDataStoreSQLite,
    opened_database,
)
from pytest_pynenc_state.backends.sqlite.connection import text
from pytest_pynenc_state.backends.sqlite.queries import purge_tables
from pytest_pynenc_state.backends.sqlite.schema import ClientDataTables

if TYPE_CHECKING:
    from pynenc.app import Pynenc

_TABLE = ClientDataTables.VALUES
_STORE = f"INSERT OR REPLACE INTO {_TABLE} VALUES (?, ?, ?)"
_RETRIEVE = f"SELECT value FROM {_TABLE} WHERE app_id = ? AND data_key = ?"


class PytestSQLiteClientDataStore(BaseClientDataStore):
    """Values that pynenc keeps out of its records because of their size, by content hash.

    Every method is one transaction: atomic against threads and processes, and visible to
    all of them on return. Methods raise `BackendError` if the file fails.
    """

    def __init__(self, app: Pynenc) -> None:
        super().__init__(app)
        self._app_id = app.app_id
        self._database = opened_database(self.conf)

    @cached_property
    def conf(self) -> ConfigPytestClientDataStoreSQLite:
        """The configuration: pynenc's fields, the file and its timeout."""
        return ConfigPytestClientDataStoreSQLite(
            config_values=self.app.config_values, config_filepath=self.app.config_filepath
        )

    def _store(self, key: str, value: str) -> None:
        self._database.write(_STORE, (self._app_id, key, value))

    def _retrieve(self, key: str) -> str:
        rows = self._database.read(_RETRIEVE, (self._app_id, key))
        if not rows:
            message = f"app {self._app_id!r} has stored no client data under {key!r}"
            raise KeyError(message)
        return text(rows[0][0])

    def _purge(self) -> None:
        purge_tables(self._database, self._app_id, [_TABLE])
