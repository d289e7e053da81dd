"""`PytestSQLiteOrchestrator`: pynenc's orchestrator on one SQLite file."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from pytest_pynenc_state.backends.sqlite.atomic_service import AtomicServiceTable
from pytest_pynenc_state.backends.sqlite.blocking_control import PytestSQLiteBlockingControl
from pytest_pynenc_state.backends.sqlite.config import (
    ConfigPytestOrchestratorSQLite,
    opened_database,
)
from pytest_pynenc_state.backends.sqlite.queries import purge_tables
from pytest_pynenc_state.backends.sqlite.runners import HeartbeatTable
from pytest_pynenc_state.backends.sqlite.schema import OrchestratorTables as Tables
from pytest_pynenc_state.backends.sqlite.schema import prepare_file
from pytest_pynenc_state.backends.sqlite.search import SearchTables
from pytest_pynenc_state.backends.sqlite.statuses import StatusTable
from pytest_pynenc_state.backends.stored_orchestrator import StoredOrchestrator

if TYPE_CHECKING:
    from pynenc.app import Pynenc

__all__ = ["PytestSQLiteBlockingControl", "PytestSQLiteOrchestrator", "Tables"]

_PURGED_TABLES = (
    Tables.INVOCATIONS,
    Tables.INVOCATION_ARGS,
    Tables.BLOCKING_EDGES,
    Tables.RUNNER_HEARTBEATS,
    Tables.ATOMIC_SERVICE_EXECUTIONS,
)


class PytestSQLiteOrchestrator(StoredOrchestrator):
    """An orchestrator on one SQLite file, which several apps and processes may share.

    The file is ``sqlite_db_path``; ``sqlite_timeout_s`` bounds the wait for its lock.
    Every method is one transaction: atomic against threads and processes, visible to
    all of them on return, and kept when any process is killed. Methods raise
    `BackendError` if the file fails; what they were about to write is rolled back.
    """

    def __init__(self, app: Pynenc) -> None:
        super().__init__(app)
        self._app_id = app.app_id
        self.sqlite_db_path = self.conf.sqlite_db_path
        self._database = opened_database(self.conf)
        self._statuses = StatusTable(self._database, self._app_id)
        self._search = SearchTables(self._database, self._app_id)
        self._heartbeats = HeartbeatTable(self._database, self._app_id)
        self._executions = AtomicServiceTable(self._database, self._app_id)
        self._blocking_control = PytestSQLiteBlockingControl(app, self.sqlite_db_path)

    @cached_property
    def conf(self) -> ConfigPytestOrchestratorSQLite:
        """The configuration: pynenc's orchestrator fields, the file and its timeout."""
        return ConfigPytestOrchestratorSQLite(
            config_values=self.app.config_values, config_filepath=self.app.config_filepath
        )

    def _init_tables(self) -> None:
        prepare_file(self.sqlite_db_path)

    @property
    def blocking_control(self) -> PytestSQLiteBlockingControl:
        """The graph of who waits for whom."""
        return self._blocking_control

    def purge(self) -> None:
        """Remove everything of this app, heartbeats and executions too; nothing of others."""
        purge_tables(self._database, self._app_id, _PURGED_TABLES)
