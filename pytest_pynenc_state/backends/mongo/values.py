"""Collections of one value to a key: results, exceptions, and the data of workflows."""

from __future__ import annotations

from pytest_pynenc_state.backends.mongo.chunks import ChunkPrefix, Chunks
from pytest_pynenc_state.backends.mongo.connection import Database, Document
from pytest_pynenc_state.backends.mongo.documents import Documents
from pytest_pynenc_state.backends.mongo.schema import key


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

        def exchange(stored: Document) -> Document | None:
            document = {"_id": self._key(parts), "app_id": self._app_id, "value": stored}
            former = self._documents.exchange(document, ["value"])
            return former and former["value"]

        self._chunks.write(self._prefix, serialized, exchange)

    def get_at(self, parts: tuple[str, ...]) -> str | None:
        """The stored value; None if there is none."""

        def find() -> Document | None:
            found = self._documents.find_one({"_id": self._key(parts)}, ["value"])
            return found and found["value"]

        return self._chunks.read(find)

    def put(self, invocation_id: str, serialized: str) -> None:
        """Store an invocation's value in place of the former one."""
        self.put_at((invocation_id,), serialized)

    def get(self, invocation_id: str) -> str | None:
        """An invocation's value; None if there is none."""
        return self.get_at((invocation_id,))

    def _key(self, parts: tuple[str, ...]) -> str:
        return key(self._app_id, *parts)
