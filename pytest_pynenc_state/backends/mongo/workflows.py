"""The workflow collections: runs, their data, and the invocations inside them."""

from __future__ import annotations

from pynenc.identifiers.invocation_id import InvocationId
from pynenc.identifiers.task_id import TaskId
from pynenc.workflow import WorkflowIdentity

from pytest_pynenc_state.backends.mongo.chunks import ChunkPrefix, Chunks
from pytest_pynenc_state.backends.mongo.connection import Database, Document
from pytest_pynenc_state.backends.mongo.documents import Documents
from pytest_pynenc_state.backends.mongo.schema import StateBackendCollections, key
from pytest_pynenc_state.backends.mongo.values import ValueDocuments


class WorkflowDocuments:
    """The workflows of one app."""

    def __init__(self, database: Database, app_id: str, chunks: Chunks) -> None:
        self._app_id = app_id
        self._runs = Documents(database, StateBackendCollections.WORKFLOWS)
        self._members = Documents(database, StateBackendCollections.WORKFLOW_SUB_INVOCATIONS)
        self._values = ValueDocuments(
            database,
            app_id,
            StateBackendCollections.WORKFLOW_DATA,
            chunks,
            ChunkPrefix.WORKFLOW_DATA,
        )

    def set_value(self, workflow_id: str, data_key: str, serialized: str) -> None:
        """Store one value of a workflow; the last one wins."""
        self._values.put_at((workflow_id, data_key), serialized)

    def get_value(self, workflow_id: str, data_key: str) -> str | None:
        """One value of a workflow; None if it was never stored."""
        return self._values.get_at((workflow_id, data_key))

    def store_run(self, identity: WorkflowIdentity) -> None:
        """Store one run; another identity of the same id replaces it."""
        self._runs.put(
            [
                {
                    "_id": key(self._app_id, identity.workflow_id),
                    "app_id": self._app_id,
                    "workflow_id": identity.workflow_id,
                    "workflow_type_key": identity.workflow_type.key,
                    "parent_workflow_id": identity.parent_workflow_id,
                }
            ]
        )

    def types(self) -> list[TaskId]:
        """The distinct workflow types, in no order."""
        keys = self._runs.distinct("workflow_type_key", {"app_id": self._app_id})
        return [TaskId.from_key(type_key) for type_key in keys]

    def runs(self, workflow_type_key: str | None) -> list[WorkflowIdentity]:
        """The runs of one type, or all runs, in no order."""
        wanted = {"app_id": self._app_id}
        if workflow_type_key is not None:
            wanted["workflow_type_key"] = workflow_type_key
        return [workflow_identity(document) for document in self._runs.find(wanted)]

    def store_sub_invocation(self, workflow_id: str, invocation_id: str) -> None:
        """Store that an invocation runs inside a workflow; repeating it changes nothing."""
        self._members.put(
            [
                {
                    "_id": key(self._app_id, workflow_id, invocation_id),
                    "app_id": self._app_id,
                    "workflow_id": workflow_id,
                    "invocation_id": invocation_id,
                }
            ]
        )

    def sub_invocations(self, workflow_id: str) -> list[InvocationId]:
        """The ids of the invocations inside a workflow, each once, in no order."""
        wanted = {"app_id": self._app_id, "workflow_id": workflow_id}
        found = self._members.find(wanted, ["invocation_id"])
        return [InvocationId(document["invocation_id"]) for document in found]


def workflow_identity(document: Document) -> WorkflowIdentity:
    """The identity that *document* has in its fields."""
    parent_id = document["parent_workflow_id"]
    return WorkflowIdentity(
        InvocationId(document["workflow_id"]),
        TaskId.from_key(document["workflow_type_key"]),
        None if parent_id is None else InvocationId(parent_id),
    )
