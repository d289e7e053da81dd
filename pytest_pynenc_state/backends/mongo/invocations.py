"""The collection of invocations: what was called, by whom, in which workflow."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pynenc.identifiers.call_id import CallId
from pynenc.identifiers.invocation_id import InvocationId
from pynenc.models.call_dto import CallDTO

from pytest_pynenc_state import compat
from pytest_pynenc_state.backends.mongo.chunks import ChunkPrefix, Chunks, Owner
from pytest_pynenc_state.backends.mongo.connection import Database, Document
from pytest_pynenc_state.backends.mongo.documents import Documents
from pytest_pynenc_state.backends.mongo.schema import StateBackendCollections, in_chunks, key
from pytest_pynenc_state.backends.mongo.workflows import workflow_identity
from pytest_pynenc_state.backends.state_backend_tables import Invocations

if TYPE_CHECKING:
    from pynenc.models.invocation_dto import InvocationDTO


class InvocationDocuments(Invocations):
    """The invocations of one app, as pynenc's pairs of transfer objects."""

    def __init__(self, database: Database, app_id: str, chunks: Chunks) -> None:
        self._documents = Documents(database, StateBackendCollections.INVOCATIONS)
        self._app_id = app_id
        self._chunks = chunks

    def upsert(self, entries: Sequence[tuple[InvocationDTO, CallDTO]]) -> None:
        """Store all of *entries*, each replacing what its invocation had.

        Small ones are one command; large ones are written one after the other.
        """
        arguments = [json.dumps(call.serialized_arguments) for _, call in entries]
        if len(entries) > 1 and not any(map(self._chunks.is_large, arguments)):
            self._upsert_small(entries, arguments)
            return
        for entry, text in zip(entries, arguments, strict=True):
            self._upsert_one(entry, text)

    def _upsert_one(self, entry: tuple[InvocationDTO, CallDTO], arguments: str) -> None:
        fields = self._fields(*entry)
        owner = self._owner(fields["invocation_id"])
        self._chunks.write(ChunkPrefix.ARGS, arguments, owner, **fields)

    def _upsert_small(
        self, entries: Sequence[tuple[InvocationDTO, CallDTO]], arguments: Sequence[str]
    ) -> None:
        documents = [
            {
                "_id": key(self._app_id, entry[0].invocation_id),
                **self._fields(*entry),
                "arguments": {"bytes": text.encode()},
            }
            for entry, text in zip(entries, arguments, strict=True)
        ]
        keys = [document["_id"] for document in documents]
        large = [
            former["arguments"]
            for some in in_chunks(keys)
            for former in self._documents.find(
                {"_id": {"$in": some}, "arguments.value_id": {"$exists": True}}, ["arguments"]
            )
        ]
        self._documents.put(documents)
        for stored in large:
            self._chunks.remove(stored)

    def get(self, invocation_id: str) -> tuple[InvocationDTO, CallDTO] | None:
        """What was stored of an invocation; None if it is unknown."""
        found = self._chunks.read(self._owner(invocation_id))
        return _transfer_objects(found[1], json.loads(found[0])) if found else None

    def get_all(self, invocation_ids: Sequence[str]) -> dict[str, tuple[InvocationDTO, CallDTO]]:
        """What was stored of those of *invocation_ids* that are known."""
        found = [
            (document["invocation_id"], self._chunks.small(document["arguments"]), document)
            for some in in_chunks([key(self._app_id, each) for each in invocation_ids])
            for document in self._documents.find({"_id": {"$in": some}})
        ]
        small = {
            invocation_id: _transfer_objects(document, json.loads(arguments))
            for invocation_id, arguments, document in found
            if arguments is not None
        }
        large = {each[0]: self.get(each[0]) for each in found if each[1] is None}
        return small | {each: pair for each, pair in large.items() if pair is not None}

    def _owner(self, invocation_id: str) -> Owner:
        return Owner(self._documents, key(self._app_id, invocation_id), "arguments")

    def _ids_where(self, wanted: Mapping[str, str]) -> list[InvocationId]:
        found = self._documents.find({"app_id": self._app_id, **wanted}, ["invocation_id"])
        return [InvocationId(document["invocation_id"]) for document in found]

    def _fields(self, invocation: InvocationDTO, call: CallDTO) -> Document:
        workflow = invocation.workflow
        return {
            "app_id": self._app_id,
            "invocation_id": invocation.invocation_id,
            "call_id_key": call.call_id.key,
            "workflow_id": workflow and workflow.workflow_id,
            "workflow_type_key": workflow and workflow.workflow_type.key,
            "parent_workflow_id": workflow and workflow.parent_workflow_id,
            "parent_invocation_id": invocation.parent_invocation_id,
            "parent_event_id": compat.parent_event_id(invocation),
        }


def _transfer_objects(
    document: Document, arguments: dict[str, str]
) -> tuple[InvocationDTO, CallDTO]:
    call_id = CallId.from_key(document["call_id_key"])
    parent_id = document["parent_invocation_id"]
    invocation = compat.invocation_dto(
        InvocationId(document["invocation_id"]),
        call_id,
        None if document["workflow_id"] is None else workflow_identity(document),
        None if parent_id is None else InvocationId(parent_id),
        document["parent_event_id"],
    )
    return invocation, CallDTO(call_id, arguments)
