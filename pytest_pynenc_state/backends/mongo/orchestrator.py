"""`PytestMongoOrchestrator`: pynenc's orchestrator on one MongoDB database."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from pytest_pynenc_state.backends.mongo.atomic_service import ExecutionDocuments
from pytest_pynenc_state.backends.mongo.blocking_control import PytestMongoBlockingControl
from pytest_pynenc_state.backends.mongo.config import (
    ConfigPytestOrchestratorMongo,
    configured_database,
)
from pytest_pynenc_state.backends.mongo.documents import purge_collections
from pytest_pynenc_state.backends.mongo.runners import HeartbeatDocuments
from pytest_pynenc_state.backends.mongo.schema import OrchestratorCollections as Collections
from pytest_pynenc_state.backends.mongo.search import SearchDocuments
from pytest_pynenc_state.backends.mongo.statuses import StatusDocuments
from pytest_pynenc_state.backends.stored_orchestrator import StoredOrchestrator

if TYPE_CHECKING:
    from pynenc.app import Pynenc

__all__ = ["PytestMongoBlockingControl", "PytestMongoOrchestrator"]

_PURGED_COLLECTIONS = (
    Collections.INVOCATIONS,
    Collections.BLOCKING_EDGES,
    Collections.RUNNER_HEARTBEATS,
    Collections.ATOMIC_SERVICE_EXECUTIONS,
)


class PytestMongoOrchestrator(StoredOrchestrator):
    """An orchestrator on one MongoDB database, which several apps and processes may share.

    The server is ``mongo_url``, the database ``mongo_database``; ``mongo_timeout_s`` bounds
    the search for the server. A status transition is one conditional write: of the status,
    owner and version that were read, or it is validated anew. What one document holds
    changes atomically for threads and processes, visible to all of them on return. Batches,
    `auto_purge` and `purge` touch several documents, without a transaction. Methods raise
    `BackendError` if the server fails.
    """

    def __init__(self, app: Pynenc) -> None:
        super().__init__(app)
        app_id = app.app_id
        database = self._database = configured_database(self.conf)
        self._statuses = StatusDocuments(database, app_id)
        self._search = SearchDocuments(database, app_id)
        self._heartbeats = HeartbeatDocuments(database, app_id)
        self._executions = ExecutionDocuments(database, app_id)
        self._blocking_control = PytestMongoBlockingControl(app, database)

    @cached_property
    def conf(self) -> ConfigPytestOrchestratorMongo:
        """The configuration: pynenc's orchestrator fields, server, database and timeout."""
        return ConfigPytestOrchestratorMongo(
            config_values=self.app.config_values, config_filepath=self.app.config_filepath
        )

    @property
    def blocking_control(self) -> PytestMongoBlockingControl:
        """The graph of who waits for whom."""
        return self._blocking_control

    def purge(self) -> None:
        """Remove everything of this app, heartbeats and executions too; nothing of others."""
        purge_collections(self._database, self.app.app_id, _PURGED_COLLECTIONS)
