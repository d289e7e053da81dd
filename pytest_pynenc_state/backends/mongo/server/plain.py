"""mongomock's collection as it is, except that failed and oversized writes change nothing.

Every update is first tried on a copy of its document in a store of its own. That is slow, and
needs of mongomock only what it has had since its first versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from pytest_pynenc_state.backends.mongo.server.clients import StorageClient
from pytest_pynenc_state.backends.mongo.server.fields import FieldsCollection
from pytest_pynenc_state.backends.mongo.server.sizes import (
    OversizeError,
    oversize_insert,
    oversize_update,
    refuse_oversize,
)


class RehearsingCollection(FieldsCollection):
    """A collection that scans, and whose failed writes change nothing."""

    def _insert(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(data, Mapping) and all(isinstance(name, str) for name in data):
            try:
                refuse_oversize({"_id": ObjectId(), **data})
            except OversizeError as error:
                raise oversize_insert(error) from None
        return super()._insert(data, *args, **kwargs)

    def _update(
        self,
        spec: Any,
        document: Any,
        upsert: Any = False,  # noqa: FBT002 - mongomock's
        *_: Any,
        multi: Any = False,
        **options: Any,
    ) -> Any:
        found = list(self.find(spec)) if multi else [self.find_one(spec)]
        matched = [{**spec, "_id": old["_id"]} for old in found if old is not None]
        result: dict[str, Any] = {}
        modified = 0
        for old, chosen in zip(found, matched, strict=False):
            self._rehearse([old], chosen, document, upsert=False, options=options)
            result = super()._update(chosen, document, **options)
            modified += result["nModified"]
        if matched:
            return {**result, "n": len(matched), "nModified": modified}
        self._rehearse([], spec, document, upsert=upsert, options=options)
        return super()._update(spec, document, upsert, **options)

    def _rehearse(
        self, documents: list[Any], spec: Any, update: Any, *, upsert: Any, options: Any
    ) -> None:
        """Update *documents* elsewhere.

        :raises WriteError: The result is too large, or mongomock refuses the update.
        """
        scratch = StorageClient(FieldsCollection)["rehearsal"]["documents"]
        if documents:
            scratch.insert_many(documents)
        scratch._update(spec, update, upsert, **options)
        try:
            for result in scratch.find():
                refuse_oversize(result)
        except OversizeError as error:
            raise oversize_update(error) from None
