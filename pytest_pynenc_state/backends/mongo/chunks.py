"""Large values, compressed and in chunks, because a document is limited to 16 MiB.

A value is small, and then a field of its owner's document, or it is large, and then that
field names its chunks, which are documents of their own. Chunks are written first, under
an id that nobody knows; then one write to the owner's document names them in place of what
was there. So nobody ever reads half a value, and a crash in between leaves the former one.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any

from bson import ObjectId

from pytest_pynenc_state.backends.mongo.connection import Database, Document
from pytest_pynenc_state.backends.mongo.documents import Documents
from pytest_pynenc_state.backends.mongo.schema import (
    StateBackendCollections,
    in_chunks,
    key,
)
from pytest_pynenc_state.errors import BackendError

#: Bytes of one chunk: half of what a document may have.
CHUNK_SIZE = 8 * 1024 * 1024

# Large values are mostly text; higher levels cost several times as much for little less.
_LEVEL = 1


class ChunkPrefix(StrEnum):
    """What a chunk is a part of."""

    ARGS = auto()
    RESULT = auto()
    EXCEPTION = auto()
    WORKFLOW_DATA = auto()


@dataclass(frozen=True)
class Owner:
    """The document that a value is a field of.

    :param key: The document's ``_id``.
    """

    documents: Documents
    key: str
    field: str

    @property
    def id_field(self) -> str:
        """Where the document names the chunks of a large value."""
        return f"{self.field}.value_id"


class Chunks:
    """The large values of one app.

    :param threshold: Values of more bytes than this are large.
    """

    def __init__(self, database: Database, app_id: str, threshold: int) -> None:
        self._chunks = Documents(database, StateBackendCollections.CHUNKS)
        self._app_id = app_id
        # A small value has to fit into its owner's document.
        self._threshold = min(threshold, CHUNK_SIZE)

    def is_large(self, text: str) -> bool:
        """Whether *text* is too large for a field of its owner's document."""
        return len(_encoded(text)) > self._threshold

    def write(self, prefix: ChunkPrefix, text: str, owner: Owner, **fields: Any) -> None:
        """Write *text*, and *fields* beside it, in place of what *owner* was.

        Whatever is purged meanwhile takes this value along, as if it had been there before.
        """
        stored = self._stored(prefix, text)
        document = {"_id": owner.key, **fields, owner.field: stored}
        former = owner.documents.exchange(document, [owner.field])
        if former is not None:
            self.remove(former[owner.field])
        # A purge also takes chunks that nobody names yet.
        if not self._has_all(stored):
            owner.documents.delete({"_id": owner.key, owner.id_field: stored["value_id"]})

    def read(self, owner: Owner) -> tuple[str, Document] | None:
        """Return the text that was written, and its document; None if there is none.

        :raises BackendError: Chunks are missing.
        """
        former_id = None
        while (document := owner.documents.find_one({"_id": owner.key})) is not None:
            stored = document[owner.field]
            raw = self._raw(stored)
            if raw is not None:
                return raw.decode("utf-8", "surrogatepass"), document
            if stored["value_id"] == former_id:
                message = f"value {former_id} of app {self._app_id!r} has lost some of its chunks"
                raise BackendError(message, "remove what deletes documents of this database")
            # It was replaced after its owner's document was read.
            former_id = stored["value_id"]
        return None

    @staticmethod
    def small(stored: Document) -> str | None:
        """The text in a field of its owner's document; None if it is in chunks."""
        return (
            bytes(stored["bytes"]).decode("utf-8", "surrogatepass") if "bytes" in stored else None
        )

    def ids(self) -> list[ObjectId]:
        """The ids of all values that have chunks now."""
        return self._chunks.distinct("value_id", {"app_id": self._app_id})

    def remove_all(self, value_ids: Sequence[ObjectId]) -> None:
        """Remove the chunks of these values."""
        for some in in_chunks(value_ids):
            self._chunks.delete({"app_id": self._app_id, "value_id": {"$in": some}})

    def remove(self, stored: Document) -> None:
        """Remove the chunks that a field named, now that it no longer does."""
        if "value_id" in stored:
            self._chunks.delete(self._of(stored))

    def _stored(self, prefix: ChunkPrefix, text: str) -> Document:
        raw = _encoded(text)
        if len(raw) <= self._threshold:
            return {"bytes": raw}
        compressed = zlib.compress(raw, _LEVEL)
        value_id = ObjectId()
        starts = range(0, len(compressed), CHUNK_SIZE)
        for number, start in enumerate(starts):
            chunk = {
                "_id": key(self._app_id, str(value_id), str(number)),
                "app_id": self._app_id,
                "prefix": prefix.value,
                "value_id": value_id,
                "number": number,
                "bytes": compressed[start : start + CHUNK_SIZE],
            }
            self._chunks.insert([chunk])
        return {"value_id": value_id, "count": len(starts)}

    def _raw(self, stored: Document) -> bytes | None:
        if "bytes" in stored:
            return bytes(stored["bytes"])
        parts = self._chunks.find(self._of(stored), ["bytes"], [("number", 1)])
        if len(parts) < stored["count"]:
            return None
        return zlib.decompress(b"".join(part["bytes"] for part in parts))

    def _has_all(self, stored: Document) -> bool:
        return "bytes" in stored or self._chunks.count(self._of(stored)) == stored["count"]

    def _of(self, stored: Document) -> Document:
        return {"app_id": self._app_id, "value_id": stored["value_id"]}


def _encoded(text: str) -> bytes:
    # A BSON string could not hold what Python can: half of a surrogate pair.
    return text.encode("utf-8", "surrogatepass")
