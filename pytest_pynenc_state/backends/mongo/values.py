"""Collections of one value to a key: results, exceptions, and the data of workflows."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_pynenc_state.backends.mongo.chunks import ChunkPrefix, Chunks, Owner
from pytest_pynenc_state.backends.mongo.connection import Database
from pytest_pynenc_state.backends.mongo.documents import Documents
from pytest_pynenc_state.backends.mongo.schema import in_chunks, key


class ValueDocuments:
    """The values of one app in one collection, each under some parts of a key."""

    def __init__(
        self, database: Database, app_id: str, collection: str, chunks: Chunks, prefix: ChunkPrefix
    ) -> None:
        self._documents = Documents(database, collection)
        self._app_id = app_id
        self._chunks = chunks
        self._prefix = prefix

    def put_at(self, parts: tuple[str, ...], serialized: str) -> None:
        """Store a value in place of the former one."""
        self._chunks.write(self._prefix, serialized, self._owner(parts), app_id=self._app_id)

    def get_at(self, parts: tuple[str, ...]) -> str | None:
        """The stored value; None if there is none."""
        found = self._chunks.read(self._owner(parts))
        return found and found[0]

    def put(self, invocation_id: str, serialized: str) -> None:
        """Store an invocation's value in place of the former one."""
        self.put_at((invocation_id,), serialized)

    def get(self, invocation_id: str) -> str | None:
        """An invocation's value; None if there is none."""
        return self.get_at((invocation_id,))

    def having(self, invocation_ids: Sequence[str]) -> set[str]:
        """Those of *invocation_ids* that have a value."""
        names = {key(self._app_id, each): each for each in invocation_ids}
        return {
            names[document["_id"]]
            for some in in_chunks(list(names))
            for document in self._documents.find({"_id": {"$in": some}}, ["_id"])
        }

    def _owner(self, parts: tuple[str, ...]) -> Owner:
        return Owner(self._documents, key(self._app_id, *parts), "value")
