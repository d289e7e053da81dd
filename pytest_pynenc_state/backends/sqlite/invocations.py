"""The table of invocations: what was called, by whom, in which workflow."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pynenc.identifiers.call_id import CallId
from pynenc.identifiers.invocation_id import InvocationId
from pynenc.models.call_dto import CallDTO

from pytest_pynenc_state import compat
from pytest_pynenc_state.backends.sqlite.connection import Database, Row, optional_text, text
from pytest_pynenc_state.backends.sqlite.queries import invocation_ids, read_in_chunks
from pytest_pynenc_state.backends.sqlite.schema import StateBackendTables
from pytest_pynenc_state.backends.sqlite.workflows import workflow_identity
from pytest_pynenc_state.backends.state_backend_tables import Invocations

if TYPE_CHECKING:
    from pynenc.models.invocation_dto import InvocationDTO

_UPSERT = (
    f"INSERT INTO {StateBackendTables.INVOCATIONS} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET call_id_key = excluded.call_id_key, "
    "arguments_json = excluded.arguments_json, workflow_id = excluded.workflow_id, "
    "workflow_type_key = excluded.workflow_type_key, "
    "parent_workflow_id = excluded.parent_workflow_id, "
    "parent_invocation_id = excluded.parent_invocation_id, "
    "parent_event_id = excluded.parent_event_id"
)
_GET_ALL = (
    "SELECT invocation_id, call_id_key, arguments_json, workflow_id, workflow_type_key, "
    "parent_workflow_id, parent_invocation_id, parent_event_id "
    f"FROM {StateBackendTables.INVOCATIONS} WHERE app_id = ? AND invocation_id IN ({{}})"
)
_GET = _GET_ALL.format("?")
_IDS = f"SELECT invocation_id FROM {StateBackendTables.INVOCATIONS} WHERE app_id = ?"

# By the one index of workflows, which begins with the type: from each type, of which there are few,
# to the next one. The join is a cross join, because SQLite keeps the order of those. An index of
# its own would make it an eighth slower to store an invocation.
_NEXT_TYPE = (
    f"(SELECT min(workflow_type_key) FROM {StateBackendTables.INVOCATIONS} "
    "WHERE app_id = ? AND workflow_type_key > {})"
)
_OF_WORKFLOW = (
    f"WITH RECURSIVE types(type_key) AS (SELECT {_NEXT_TYPE.format(repr(''))} UNION ALL "
    f"SELECT {_NEXT_TYPE.format('type_key')} FROM types WHERE type_key IS NOT NULL) "
    f"SELECT invocation_id FROM types CROSS JOIN {StateBackendTables.INVOCATIONS} "
    "ON app_id = ? AND workflow_type_key = type_key AND workflow_id = ?"
)


class InvocationTable(Invocations):
    """The invocations of one app, as pynenc's pairs of transfer objects."""

    def __init__(self, database: Database, app_id: str) -> None:
        self._database = database
        self._app_id = app_id

    def upsert(self, entries: Sequence[tuple[InvocationDTO, CallDTO]]) -> None:
        """Store all of *entries*, each replacing what its invocation had, or none."""
        rows = [(self._app_id, *_columns(*entry)) for entry in entries]
        self._database.write_all(_UPSERT, rows)

    def get(self, invocation_id: str) -> tuple[InvocationDTO, CallDTO] | None:
        """What was stored of an invocation; None if it is unknown."""
        rows = self._database.read(_GET, (self._app_id, invocation_id))
        return _transfer_objects(rows[0]) if rows else None

    def get_all(self, invocation_ids: Sequence[str]) -> dict[str, tuple[InvocationDTO, CallDTO]]:
        """What was stored of those of *invocation_ids* that are known."""
        rows = read_in_chunks(self._database, _GET_ALL, [self._app_id], invocation_ids)
        return {text(row[0]): _transfer_objects(row) for row in rows}

    def _ids_where(self, wanted: Mapping[str, str]) -> list[InvocationId]:
        if wanted.keys() == {"workflow_id"}:
            parameters = (self._app_id, self._app_id, self._app_id, wanted["workflow_id"])
            return invocation_ids(self._database.read(_OF_WORKFLOW, parameters))
        sql = _IDS + "".join(f" AND {column} = ?" for column in wanted)
        return invocation_ids(self._database.read(sql, (self._app_id, *wanted.values())))


def _columns(invocation: InvocationDTO, call: CallDTO) -> tuple[str | None, ...]:
    workflow = invocation.workflow
    membership = (
        (workflow.workflow_id, workflow.workflow_type.key, workflow.parent_workflow_id)
        if workflow
        else (None, None, None)
    )
    return (
        invocation.invocation_id,
        call.call_id.key,
        json.dumps(call.serialized_arguments),
        *membership,
        invocation.parent_invocation_id,
        compat.parent_event_id(invocation),
    )


def _transfer_objects(row: Row) -> tuple[InvocationDTO, CallDTO]:
    invocation_id, call_key, arguments_json, *membership, parent_id, event_id = row
    call_id = CallId.from_key(text(call_key))
    invocation = compat.invocation_dto(
        InvocationId(text(invocation_id)),
        call_id,
        None if membership[0] is None else workflow_identity(*membership),
        None if parent_id is None else InvocationId(text(parent_id)),
        optional_text(event_id),
    )
    return invocation, CallDTO(call_id, json.loads(arguments_json))
