"""`PytestMongoStateBackend`: pynenc's state backend on one MongoDB database."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from pytest_pynenc_state.backends.mongo.app_infos import AppInfoDocuments
from pytest_pynenc_state.backends.mongo.chunks import ChunkPrefix, Chunks
from pytest_pynenc_state.backends.mongo.config import (
    ConfigPytestStateBackendMongo,
    configured_database,
)
from pytest_pynenc_state.backends.mongo.documents import Documents, purge_collections
from pytest_pynenc_state.backends.mongo.history import HistoryDocuments
from pytest_pynenc_state.backends.mongo.invocations import InvocationDocuments
from pytest_pynenc_state.backends.mongo.runner_contexts import RunnerContextDocuments
from pytest_pynenc_state.backends.mongo.schema import StateBackendCollections as Collections
from pytest_pynenc_state.backends.mongo.schema import in_chunks
from pytest_pynenc_state.backends.mongo.values import ValueDocuments
from pytest_pynenc_state.backends.mongo.workflows import WorkflowDocuments
from pytest_pynenc_state.backends.state_backend import InvocationHistory
from pytest_pynenc_state.backends.stored_state_backend import StoredStateBackend

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.app_info import AppInfo

__all__ = ["ChunkPrefix", "InvocationHistory", "PytestMongoStateBackend"]

# App info is not among them: pynenc writes it once, and would never find the app again.
_PURGED_COLLECTIONS = (
    Collections.RESULTS,
    Collections.EXCEPTIONS,
    Collections.INVOCATIONS,
    Collections.HISTORY,
    Collections.RUNNER_CONTEXTS,
    Collections.WORKFLOWS,
    Collections.WORKFLOW_DATA,
    Collections.WORKFLOW_SUB_INVOCATIONS,
)
# Where large values are named, and by which field.
_OWNERS = {
    Collections.RESULTS: "value",
    Collections.EXCEPTIONS: "value",
    Collections.WORKFLOW_DATA: "value",
    Collections.INVOCATIONS: "arguments",
}


class PytestMongoStateBackend(StoredStateBackend):
    """A state backend on one MongoDB database, which several apps and processes may share.

    The server is ``mongo_url``, the database ``mongo_database``; ``mongo_timeout_s`` bounds
    the search for the server, and values of more than ``mongo_chunk_threshold`` bytes are
    compressed and stored in chunks, of any total size. What one document holds changes
    atomically for threads and processes, visible to all of them on return. Batches and
    `purge` touch several documents, without a transaction: others may see the first of
    them before the last. Methods raise `BackendError` if the server fails.
    """

    def __init__(self, app: Pynenc) -> None:
        super().__init__(app)
        app_id = app.app_id
        database = self._database = configured_database(self.conf)
        chunks = self._chunks = Chunks(database, app_id, self.conf.mongo_chunk_threshold)
        self._invocations = InvocationDocuments(database, app_id, chunks)
        self._history = HistoryDocuments(database, app_id)
        self._results = ValueDocuments(
            database, app_id, Collections.RESULTS, chunks, ChunkPrefix.RESULT
        )
        self._exceptions = ValueDocuments(
            database, app_id, Collections.EXCEPTIONS, chunks, ChunkPrefix.EXCEPTION
        )
        self._workflows = WorkflowDocuments(database, app_id, chunks)
        self._runner_contexts = RunnerContextDocuments(database, app_id)
        self._app_infos = AppInfoDocuments(database)

    @cached_property
    def conf(self) -> ConfigPytestStateBackendMongo:
        """The configuration: server, database, timeout and chunk threshold."""
        return ConfigPytestStateBackendMongo(
            config_values=self.app.config_values, config_filepath=self.app.config_filepath
        )

    def _purge_store(self) -> None:
        app_id = self.app.app_id
        doomed = self._chunks.ids()
        purge_collections(self._database, app_id, _PURGED_COLLECTIONS)
        self._chunks.remove_all(doomed)
        # What was named meanwhile, and has lost its chunks, counts as written before.
        for some in in_chunks(doomed):
            for name, field in _OWNERS.items():
                named = {"app_id": app_id, f"{field}.value_id": {"$in": some}}
                Documents(self._database, name).delete(named)

    @staticmethod
    def discover_app_infos() -> dict[str, AppInfo]:
        """Return the info of all apps in the configured database by app id.

        Server and database are those that environment and configuration files name, not
        those of any app's ``config_values``.

        :raises ValueError: No server is configured.
        :raises BackendUnavailable: The server cannot be reached.
        """
        app_infos = AppInfoDocuments(configured_database(ConfigPytestStateBackendMongo())).all()
        return {app_info.app_id: app_info for app_info in app_infos}
