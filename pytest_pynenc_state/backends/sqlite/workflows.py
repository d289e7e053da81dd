"""The workflow tables: runs, their data, and the invocations inside them."""

from __future__ import annotations

from pynenc.identifiers.invocation_id import InvocationId
from pynenc.identifiers.task_id import TaskId
from pynenc.workflow import WorkflowIdentity

from pytest_pynenc_state.backends.sqlite.connection import Database, text
from pytest_pynenc_state.backends.sqlite.queries import invocation_ids
from pytest_pynenc_state.backends.sqlite.schema import StateBackendTables

_SET_VALUE = (
    f"INSERT INTO {StateBackendTables.WORKFLOW_DATA} VALUES (?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET value = excluded.value"
)
_GET_VALUE = (
    f"SELECT value FROM {StateBackendTables.WORKFLOW_DATA} "
    "WHERE app_id = ? AND workflow_id = ? AND data_key = ?"
)
_STORE_RUN = f"INSERT OR REPLACE INTO {StateBackendTables.WORKFLOWS} VALUES (?, ?, ?, ?)"
_TYPES = f"SELECT DISTINCT workflow_type_key FROM {StateBackendTables.WORKFLOWS} WHERE app_id = ?"
_RUNS = (
    "SELECT workflow_id, workflow_type_key, parent_workflow_id "
    f"FROM {StateBackendTables.WORKFLOWS} WHERE app_id = ?"
)
_STORE_SUB_INVOCATION = (
    f"INSERT OR IGNORE INTO {StateBackendTables.WORKFLOW_SUB_INVOCATIONS} VALUES (?, ?, ?)"
)
_SUB_INVOCATIONS = (
    f"SELECT sub_invocation_id FROM {StateBackendTables.WORKFLOW_SUB_INVOCATIONS} "
    "WHERE app_id = ? AND parent_workflow_id = ?"
)


class WorkflowTables:
    """The workflows of one app."""

    def __init__(self, database: Database, app_id: str) -> None:
        self._database = database
        self._app_id = app_id

    def set_value(self, workflow_id: str, key: str, serialized: str) -> None:
        """Store one value of a workflow; the last one wins."""
        self._database.write(_SET_VALUE, (self._app_id, workflow_id, key, serialized))

    def get_value(self, workflow_id: str, key: str) -> str | None:
        """The serialized value of *key*; None if there is none."""
        rows = self._database.read(_GET_VALUE, (self._app_id, workflow_id, key))
        return text(rows[0][0]) if rows else None

    def store_run(self, identity: WorkflowIdentity) -> None:
        """Store one run; another identity of the same id replaces it."""
        self._database.write(
            _STORE_RUN,
            (
                self._app_id,
                identity.workflow_id,
                identity.workflow_type.key,
                identity.parent_workflow_id,
            ),
        )

    def types(self) -> list[TaskId]:
        """The distinct workflow types, in no order."""
        return [
            TaskId.from_key(text(key)) for (key,) in self._database.read(_TYPES, (self._app_id,))
        ]

    def runs(self, workflow_type_key: str | None) -> list[WorkflowIdentity]:
        """The runs of one type, or all runs, in no order."""
        sql, parameters = _RUNS, [self._app_id]
        if workflow_type_key is not None:
            sql += " AND workflow_type_key = ?"
            parameters.append(workflow_type_key)
        return [
            workflow_identity(run_id, type_key, parent_id)
            for run_id, type_key, parent_id in self._database.read(sql, parameters)
        ]

    def store_sub_invocation(self, workflow_id: str, invocation_id: str) -> None:
        """Store that an invocation runs inside a workflow; repeating it changes nothing."""
        self._database.write(_STORE_SUB_INVOCATION, (self._app_id, workflow_id, invocation_id))

    def sub_invocations(self, workflow_id: str) -> list[InvocationId]:
        """The ids of the invocations inside a workflow, each once, in no order."""
        rows = self._database.read(_SUB_INVOCATIONS, (self._app_id, workflow_id))
        return invocation_ids(rows)


def workflow_identity(
    workflow_id: str | bytes, type_key: str | bytes, parent_id: str | bytes | None
) -> WorkflowIdentity:
    """The identity that was stored in these columns."""
    parent = None if parent_id is None else InvocationId(text(parent_id))
    return WorkflowIdentity(
        InvocationId(text(workflow_id)), TaskId.from_key(text(type_key)), parent
    )
