"""mongomock's collection over an `IndexedStore`: what reads, and how documents are replaced.

mongomock's own methods do all that is not about finding and replacing documents: matching,
operators, projections, results. These are its internals that are relied upon, as of 4.3:

- ``Collection._iter_documents`` is the one way to the documents of a filter, ``_get_dataset``
  the one that sorts, and ``_store`` is the one that is written to;
- ``Collection._insert`` validates, adds an ``_id``, assigns to the store and then calls
  ``_ensure_uniques``, which has nothing left to do: the store refuses duplicates itself;
- ``Collection._update`` changes documents in place, so it is replaced; the operators are in
  ``_apply_update_document`` and ``_apply_update_pipeline``, which change what they are given:
  a copy. A failed update of several documents keeps those updated before, as on a server;
- ``Collection.create_index`` checks uniqueness without regard to filters, so it is replaced;
- ``Cursor._factory``, ``_skip`` and ``_limit`` are the query of a cursor.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import bson
from bson import ObjectId
from mongomock import aggregate, helpers
from mongomock import collection as mongomock_collection
from mongomock.command_cursor import CommandCursor
from mongomock.filtering import filter_applies
from pymongo.errors import DuplicateKeyError, OperationFailure, WriteError

from pytest_pynenc_state.backends.mongo.server.fields import FieldsCollection
from pytest_pynenc_state.backends.mongo.server.indexing.conditions import Filter
from pytest_pynenc_state.backends.mongo.server.indexing.cursor import LazyCursor, lazy
from pytest_pynenc_state.backends.mongo.server.indexing.keys import Document
from pytest_pynenc_state.backends.mongo.server.indexing.uniqueness import duplicate_key
from pytest_pynenc_state.backends.mongo.server.sizes import (
    OversizeError,
    oversize_insert,
    oversize_update,
)

_COUNT = {"$group": {"_id": 1, "n": {"$sum": 1}}}
_SLICES = frozenset({"$skip", "$limit"})
_IMMUTABLE_FIELD = 66
_INDEX_OPTIONS = ("sparse", "unique", "expireAfterSeconds", "partialFilterExpression")


class IndexedCollection(FieldsCollection):
    """A collection whose keyed reads do not scan, and whose failed writes change nothing."""

    def find(self, *args: Any, **kwargs: Any) -> LazyCursor:
        """Return a cursor over the documents that match a filter."""
        return lazy(super().find(*args, **kwargs))

    def aggregate(self, pipeline: Any, session: Any = None, **_: Any) -> Any:
        """Run *pipeline*; a filter at its beginning uses the indexes."""
        stages = list(pipeline)
        wanted: Filter = {}
        if stages and list(stages[0]) == ["$match"] and isinstance(stages[0]["$match"], Mapping):
            wanted = stages.pop(0)["$match"]
        if stages and stages[-1] == _COUNT and all(set(s) <= _SLICES for s in stages[:-1]):
            return self._counted(wanted, stages[:-1], session)
        return aggregate.process_pipeline(list(self.find(wanted)), self.database, stages, session)

    def _counted(self, wanted: Filter, slices: Sequence[Filter], session: Any) -> CommandCursor:
        """Answer what pymongo's ``count_documents`` asks; no document is copied for it."""
        spec = helpers.patch_datetime_awareness_in_document(wanted)
        matching = list(self._iter_documents(spec))
        left = list(aggregate.process_pipeline(matching, self.database, slices, session))
        return CommandCursor([{"_id": 1, "n": len(left)}] if left else [])

    def create_index(
        self, key_or_list: Any, cache_for: int = 300, session: Any = None, **options: Any
    ) -> str:
        """Create an index, over the documents that are there; return its name.

        :raises DuplicateKeyError: It is unique, and two documents are not; it was not added.
        :raises OperationFailure: There is another index of that name.
        """
        del cache_for
        _refuse_options({"session": session})
        keys = [tuple(field) for field in helpers.create_index_list(key_or_list)]
        name: str = options.get("name") or helpers.gen_index_name(keys)
        index: dict[str, Any] = {"key": keys}
        for option in _INDEX_OPTIONS:
            # Not by its truth: documents may expire after 0 seconds.
            if options.get(option) is not None and options[option] is not False:
                index[option] = options[option]
        existing = self._store.indexes.get(name)
        if existing is None:
            self._store.create_index(name, index)
        elif existing != index:
            message = f"Index with name: {name} already exists with different options"
            raise OperationFailure(message)
        return name

    def _iter_documents(self, filter: Filter) -> Iterator[Document]:  # noqa: A002 - mongomock's
        table = self._store.current_table()
        if not table.records:
            filter_applies(filter, {})
        return _matching(filter, table.candidates(filter))

    def _get_dataset(self, spec: Filter, sort: Any, fields: Any, as_class: Any) -> Iterator[Any]:
        order = list(sort.items()) if isinstance(sort, Mapping) else list(sort or ())
        documents = self._store.current_table().in_order(spec, order)
        if documents is None:
            yield from super()._get_dataset(spec, order, fields, as_class)
            return
        for document in _matching(spec, documents):
            yield self._copy_only_fields(document, fields, as_class)

    def _copy_only_fields(self, doc: Document, fields: Any, container: Any) -> Any:
        # mongomock's is slow, and leaves what some projections select uncopied.
        copied: Document = _copied(doc)
        if fields is None:
            return copied
        return super()._copy_only_fields(copied, fields, container)

    def _delete(self, filter: Any, *_: Any, multi: Any = False, **options: Any) -> Any:  # noqa: A002 - mongomock's
        if not multi:
            # mongomock reads all that match, to delete the first.
            first = self.find_one(filter, {"_id": 1})
            filter = {"_id": {"$in": [] if first is None else [first["_id"]]}}  # noqa: A001
        return super()._delete(filter, multi=multi, **options)

    def _insert(self, data: Any, session: Any = None, ordered: Any = True) -> Any:  # noqa: FBT002 - mongomock's
        if not isinstance(data, Mapping):
            return super()._insert(data, session, ordered)
        try:
            return self._store_new(data, session)
        except OversizeError as error:
            raise oversize_insert(error) from None

    def _store_new(self, document: Any, session: Any = None) -> Any:
        try:
            return super()._insert(document, session)
        except DuplicateKeyError as error:
            if error.details is not None:
                raise
            # mongomock looks for the _id itself, and says little.
            namespace = self._store.namespace
            raise duplicate_key(namespace, "_id_", [("_id", 1)], document) from None

    def _ensure_uniques(self, new_data: Any) -> None:
        """Do nothing: the store has refused duplicates already."""

    def _update(
        self,
        spec: Any,
        document: Any,
        upsert: Any = False,  # noqa: FBT002 - mongomock's
        *_: Any,
        multi: Any = False,
        **options: Any,
    ) -> dict[str, Any]:
        _refuse_options(options)
        mongomock_collection.validate_is_mapping("spec", spec)
        mongomock_collection.validate_list_or_mapping("document", document)
        if isinstance(document, list):
            mongomock_collection._validate_document_stages(document)
        spec = helpers.patch_datetime_awareness_in_document(spec)
        document = helpers.patch_datetime_awareness_in_document(document)
        matched = modified = 0
        upserted_id = None
        try:
            for old in self._iter_documents(spec):
                matched += 1
                modified += self._replace_if_changed(old, self._updated(old, document))
                if not multi:
                    break
            if upsert and not matched:
                upserted_id = self._store_new(self._upserted(spec, document))
        except OversizeError as error:
            raise oversize_update(error) from None
        return {
            "connectionId": self.database.client._id,
            "err": None,
            "n": matched or int(bool(upsert)),
            "nModified": modified,
            "ok": 1,
            "upserted": upserted_id,
            "updatedExisting": bool(matched),
        }

    def _updated(self, old: Document, update: Any) -> Document:
        draft: Document = _copied(old)
        self._apply(draft, update, is_insert=False)
        if draft.get("_id") != old["_id"]:
            message = (
                "After applying the update, the (immutable) field '_id' was found to have "
                f"been altered to _id: {draft.get('_id')}"
            )
            details = {"code": _IMMUTABLE_FIELD, "errmsg": message}
            raise WriteError(message, _IMMUTABLE_FIELD, details)
        return draft

    def _replace_if_changed(self, old: Document, new: Document) -> bool:
        # To Python 2 equals 2.0, and the order of fields is nothing; in BSON they differ.
        if old == new and bson.encode(old) == bson.encode(new):
            return False
        key = old["_id"]
        self._store[helpers.hashdict(key) if isinstance(key, dict) else key] = new
        return True

    def _upserted(self, spec: Document, update: Any) -> Document:
        """Return the document that an upsert inserts: what the filter equals, then updated."""
        key = spec.get("_id")
        if key is None and not isinstance(update, list):
            key = update.get("_id")
        expanded = self._expand_dots({**spec, "_id": ObjectId() if key is None else key})
        draft: Document = self._discard_operators(expanded)[0]
        self._apply(draft, update, is_insert=True)
        return draft

    def _apply(self, draft: Document, update: Any, *, is_insert: bool) -> None:
        """Change *draft* in place."""
        if isinstance(update, list):
            self._apply_update_pipeline(draft, update, None)
        else:
            # The filter would be looked at for positions only, and is stumbled over without.
            self._apply_update_document(draft, {}, update, was_insert=is_insert)


def _matching(wanted: Filter, documents: Iterable[Document]) -> Iterator[Document]:
    return (document for document in documents if filter_applies(wanted, document))


def _refuse_options(options: Mapping[str, Any]) -> None:
    for option, value in options.items():
        # bulk_write says in this way that the document is a replacement, as is to be seen.
        if value and option != "remove":
            message = f"the option {option!r} is not implemented"
            raise NotImplementedError(message)


def _copied(value: Any) -> Any:
    """Return *value* with dicts and lists of its own; all else is never changed in place."""
    if isinstance(value, dict):
        return {name: _copied(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_copied(part) for part in value]
    return value
