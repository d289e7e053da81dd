"""One update of one collection, as the update and findAndModify commands need it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bson.objectid import ObjectId

from pytest_pynenc_state.backends.mongo.server.changes import (
    check_suits,
    checked_change,
    needs_look,
)
from pytest_pynenc_state.backends.mongo.server.errors import Code, CommandError, refuse
from pytest_pynenc_state.backends.mongo.server.namespaces import Collection
from pytest_pynenc_state.backends.mongo.server.upserts import on_top, values_of, with_values
from pytest_pynenc_state.backends.mongo.server.wire import Document


@dataclass(frozen=True)
class Updated:
    """What an update did.

    :ivar matched: How many documents it found, or 1 if it inserted one.
    :ivar upserted_id: ``(_id,)`` of the document that it inserted, else empty.
    """

    matched: int = 0
    modified: int = 0
    upserted_id: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Update:
    """A change, checked, and which documents it is for.

    :ivar change: Operators, or the document to put in place of what is there.
    """

    wanted: Document
    change: Document
    is_replacement: bool
    multi: bool
    upsert: bool

    def apply_to(self, collection: Collection) -> Updated:
        """Do it.

        :raises CommandError: It does not suit a document; nothing was changed.
        """
        return self._replace(collection) if self.is_replacement else self._change(collection)

    def _change(self, collection: Collection) -> Updated:
        values = values_of(self.wanted) if self.upsert else None
        if needs_look(self.change):
            found = list(collection.find(self.wanted, limit=0 if self.multi else 1))
            inserted = () if values is None else (with_values(values),)
            for document in found or inserted:
                check_suits(self.change, document)
        wanted = self.wanted if values is None else on_top(values, self.wanted)
        update = collection.update_many if self.multi else collection.update_one
        result = update(wanted, self.change, upsert=self.upsert).raw_result
        is_insert = result["n"] and not result["updatedExisting"]
        inserted = (result["upserted"],) if is_insert else ()
        return Updated(result["n"], result["nModified"], inserted)

    def _replace(self, collection: Collection) -> Updated:
        # By its _id: mongomock would take the filter's condition on it for its value.
        found = collection.find_one(self.wanted, {"_id": 1})
        if found is not None:
            change = {"_id": found["_id"], **self.change}
            result = collection.replace_one({"_id": found["_id"]}, change).raw_result
            return Updated(result["n"], result["nModified"])
        if not self.upsert:
            return Updated()
        values = values_of(self.wanted)
        change = {"_id": self.change.get("_id", values.get("_id", ObjectId())), **self.change}
        if "_id" in values and values["_id"] != change["_id"]:
            message = f"The _id field cannot be changed from {values['_id']!r}"
            raise CommandError(Code.ImmutableField, message)
        collection.insert_one(change)
        return Updated(1, 0, (change["_id"],))


def checked_update(wanted: Document, change: Any, *, multi: bool, upsert: bool) -> Update:
    """Return the update that changes what matches *wanted*, a checked filter, by *change*.

    :raises CommandError: It is wrong, or mongomock would get it wrong.
    """
    if isinstance(change, list):
        refuse("an update by a pipeline", "mongomock changes it only in part")
    if not isinstance(change, dict):
        message = f"Update argument must be an object, got {type(change).__name__}"
        raise CommandError(Code.FailedToParse, message)
    is_replacement = not next(iter(change), "").startswith("$")
    if is_replacement and multi:
        message = "multi update is not supported for replacement-style update"
        raise CommandError(Code.FailedToParse, message)
    if is_replacement:
        check_storable(change)
    else:
        change = checked_change(change)
    return Update(wanted, change, is_replacement, multi, upsert)


def check_storable(document: Document) -> None:
    """Check that *document* may be stored as it is.

    :raises CommandError: Its ``_id`` is an array or a pattern, which equal other things.
    """
    kind = type(document.get("_id")).__name__
    if kind in {"list", "Regex"}:
        raise CommandError(Code.InvalidIdField, f"The '_id' value cannot be of type {kind}")
