"""The table of apps: how to find and rebuild each one that uses the file."""

from __future__ import annotations

from pynenc.app_info import AppInfo

from pytest_pynenc_state.backends.app_info_text import decoded_app_info, encoded_app_info
from pytest_pynenc_state.backends.sqlite.connection import Database
from pytest_pynenc_state.backends.sqlite.schema import StateBackendTables

_PUT = f"INSERT OR REPLACE INTO {StateBackendTables.APP_INFO} VALUES (?, ?)"
_ALL = f"SELECT app_info_json FROM {StateBackendTables.APP_INFO}"
_ONE = f"{_ALL} WHERE app_id = ?"


class AppInfoTable:
    """The apps of one file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, app_info: AppInfo) -> None:
        """Store the info of an app in place of its former one."""
        self._database.write(_PUT, (app_info.app_id, encoded_app_info(app_info)))

    def get(self, app_id: str) -> AppInfo | None:
        """The info of an app; None if none was stored."""
        rows = self._database.read(_ONE, (app_id,))
        return decoded_app_info(rows[0][0]) if rows else None

    def all(self) -> list[AppInfo]:
        """The info of every app in the file."""
        return [decoded_app_info(app_info_json) for (app_info_json,) in self._database.read(_ALL)]
