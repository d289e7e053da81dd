"""`PytestSQLiteStateBackend`: pynenc's state backend on one SQLite file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_pynenc_state.backends.sqlite.app_infos import AppInfoTable
from pytest_pynenc_state.backends.sqlite.config import (
    ConfigPytestStateBackendSQLite,
    opened_database,
)
from pytest_pynenc_state.backends.sqlite.connection import Connection, open_database
from pytest_pynenc_state.backends.sqlite.history import HistoryTable
from pytest_pynenc_state.backends.sqlite.invocations import InvocationTable
from pytest_pynenc_state.backends.sqlite.queries import purge_tables
from pytest_pynenc_state.backends.sqlite.runner_contexts import RunnerContextTable
from pytest_pynenc_state.backends.sqlite.schema import StateBackendTables as Tables
from pytest_pynenc_state.backends.sqlite.schema import is_ready, prepare_file
from pytest_pynenc_state.backends.sqlite.values import ValueTable
from pytest_pynenc_state.backends.sqlite.workflows import WorkflowTables
from pytest_pynenc_state.backends.state_backend import InvocationHistory
from pytest_pynenc_state.backends.stored_state_backend import StoredStateBackend

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.app_info import AppInfo
    from pynenc.runner.runner_context import RunnerContext
    from pynenc.state_backend.base_state_backend import (
        InvocationHistory as PynencInvocationHistory,
    )

__all__ = ["InvocationHistory", "PytestSQLiteStateBackend", "Tables", "init_tables"]

# App info is not among them: pynenc writes it once, and would never find the app again.
_PURGED_TABLES = (
    Tables.RESULTS,
    Tables.EXCEPTIONS,
    Tables.INVOCATIONS,
    Tables.HISTORY,
    Tables.RUNNER_CONTEXTS,
    Tables.WORKFLOWS,
    Tables.WORKFLOW_DATA,
    Tables.WORKFLOW_SUB_INVOCATIONS,
)


def init_tables(sqlite_db_path: str) -> None:
    """Make *sqlite_db_path* a file with this package's tables; a ready one is left alone.

    :raises StoreUnusable: The path is a directory, no database, damaged, unwritable, or
        has another schema version. It is left as it was.
    """
    prepare_file(sqlite_db_path)


class PytestSQLiteStateBackend(StoredStateBackend):
    """A state backend on one SQLite file, which several apps and processes may share.

    The file is ``sqlite_db_path``; ``sqlite_timeout_s`` bounds the wait for its lock.
    Every method is one transaction: atomic against threads and processes, visible to
    all of them on return, and kept when any process is killed. Methods raise
    `BackendError` if the file fails; what they were about to write is rolled back.
    """

    _history: HistoryTable
    _runner_contexts: RunnerContextTable

    def __init__(self, app: Pynenc) -> None:
        super().__init__(app)
        self._app_id = app.app_id
        self._database = opened_database(self.conf)
        self._invocations = InvocationTable(self._database, self._app_id)
        self._history = HistoryTable(self._database, self._app_id)
        self._results = ValueTable(self._database, self._app_id, Tables.RESULTS)
        self._exceptions = ValueTable(self._database, self._app_id, Tables.EXCEPTIONS)
        self._workflows = WorkflowTables(self._database, self._app_id)
        self._runner_contexts = RunnerContextTable(self._database, self._app_id)
        self._app_infos = AppInfoTable(self._database)

    @cached_property
    def conf(self) -> ConfigPytestStateBackendSQLite:
        """The configuration: ``sqlite_db_path`` and ``sqlite_timeout_s``."""
        return ConfigPytestStateBackendSQLite(
            config_values=self.app.config_values, config_filepath=self.app.config_filepath
        )

    def _add_records_of(
        self, author: RunnerContext, records: Sequence[PynencInvocationHistory]
    ) -> None:
        if not self._was_stored(author):
            super()._add_records_of(author, records)
            return

        # To look whether somebody has purged the context costs hardly anything under the lock
        # that the records need anyway.
        def write(connection: Connection) -> None:
            self._runner_contexts.restore(connection, author)
            self._history.write(connection, records)

        self._database.transaction(write)

    def _purge_store(self) -> None:
        retire = self._history.retire_numbers
        purge_tables(self._database, self._app_id, _PURGED_TABLES, retire)

    @staticmethod
    def discover_app_infos() -> dict[str, AppInfo]:
        """Return the info of all apps in the configured file by app id.

        The file is the one that environment and configuration files name, not that of any
        app's ``config_values``. A file that does not exist, or has none of our tables, holds no
        app, and stays so.

        :raises ValueError: No file is configured.
        :raises StoreUnusable: The file is no database, damaged, or has another schema version.
        """
        conf = ConfigPytestStateBackendSQLite()
        if not conf.sqlite_db_path:
            message = "no sqlite_db_path is configured; set PYNENC__SQLITE_DB_PATH"
            raise ValueError(message)
        database = open_database(conf.sqlite_db_path, conf.sqlite_timeout_s)
        path = Path(conf.sqlite_db_path)
        if not path.is_file() or not is_ready(path):
            return {}
        return {app_info.app_id: app_info for app_info in AppInfoTable(database).all()}
