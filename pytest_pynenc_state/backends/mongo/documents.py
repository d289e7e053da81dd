"""One collection, by the few operations that the backends need, each of them one command.

A server does nothing atomically to several documents. What has to change together is
therefore one document; what is decided by what is there is one conditional update.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from pymongo import ReplaceOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, DuplicateKeyError

from pytest_pynenc_state.backends.mongo.connection import Database, Document
from pytest_pynenc_state.backends.mongo.failures import failures, translated
from pytest_pynenc_state.backends.mongo.schema import INDEXES

#: A MongoDB filter, or an update with its operators.
Expression: TypeAlias = Mapping[str, Any]

#: Pairs of a field and its direction, 1 or -1.
Order: TypeAlias = Sequence[tuple[str, int]]

_DUPLICATE_KEY = 11000


class Documents:
    """The documents of one collection, of whatever app they are.

    Every method raises `BackendError` if the server fails or cannot be reached.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self._url = database.url

    @property
    def _here(self) -> Collection[Document]:
        """The collection, through the client of this process."""
        return self._database.collection(self._name)

    @property
    def _growing(self) -> Collection[Document]:
        """The collection, about to be added to: its indexes are there before any document.

        Most tests use few of the collections, and each takes a command. Whoever comes first
        makes the indexes; for all others they are there already.
        """
        here = self._here
        if self._name not in self._database.indexed:
            self._index(here)
            self._database.indexed.add(self._name)
        return here

    def _index(self, here: Collection[Document]) -> None:
        models = INDEXES.get(self._name)
        if not models:
            return
        try:
            here.create_indexes(list(models))
        except DuplicateKeyError as error:
            # No answer to what is to be written: what is there already has duplicates.
            raise translated(error, self._url) from error

    def find(
        self,
        wanted: Expression,
        fields: Sequence[str] | None = None,
        order: Order = (),
        *,
        skip: int = 0,
        limit: int = 0,
    ) -> list[Document]:
        """The documents that match, with *fields* only; a *limit* of 0 means all."""
        with failures(self._url):
            found = self._here.find(wanted, fields, skip=skip, limit=limit)
            return list(found.sort(list(order)) if order else found)

    def find_one(self, wanted: Expression, fields: Sequence[str] | None = None) -> Document | None:
        """One document that matches; None if there is none."""
        with failures(self._url):
            return self._here.find_one(wanted, fields)

    def count(self, wanted: Expression) -> int:
        """How many documents match."""
        with failures(self._url):
            return self._here.count_documents(wanted)

    def distinct(self, field: str, wanted: Expression) -> list[Any]:
        """The distinct values that *field* has in the documents that match, in no order."""
        with failures(self._url):
            return self._here.distinct(field, wanted)

    def insert(self, documents: Sequence[Document]) -> None:
        """Add *documents*, in their order."""
        if documents:
            with failures(self._url):
                self._growing.insert_many(documents)

    def insert_new(self, documents: Sequence[Document]) -> None:
        """Add those of *documents* whose ``_id`` is not there yet."""
        if not documents:
            return
        with failures(self._url):
            try:
                self._growing.insert_many(documents, ordered=False)
            except BulkWriteError as error:
                if _has_failed(error):
                    raise

    def put(self, documents: Sequence[Document]) -> None:
        """Store each of *documents*, in their order, in place of what has its ``_id``."""
        requests = [ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in documents]
        while requests:
            with failures(self._url):
                try:
                    self._growing.bulk_write(requests)
                except BulkWriteError as error:
                    if _has_failed(error):
                        raise
                    (first,) = error.details["writeErrors"]
                    # Somebody else added that document meanwhile: now it can be replaced.
                    requests = requests[first["index"] :]
                else:
                    return

    def exchange(self, document: Document, fields: Sequence[str]) -> Document | None:
        """Store *document* in place of what has its ``_id``; return *fields* of that one."""
        while True:
            try:
                with failures(self._url):
                    return self._growing.find_one_and_replace(
                        {"_id": document["_id"]}, document, fields, upsert=True
                    )
            except DuplicateKeyError:  # somebody else added it meanwhile
                continue

    def update(self, wanted: Expression, change: Expression) -> bool:
        """Change one document that matches; whether there was one."""
        with failures(self._url):
            return self._here.update_one(wanted, change).matched_count == 1

    def update_or_add(self, wanted: Expression, change: Expression) -> None:
        """Change the document that matches, or add what *wanted* and *change* describe.

        :raises DuplicateKeyError: What would be added is there, and does not match.
        """
        with failures(self._url):
            self._growing.update_one(wanted, change, upsert=True)

    def upsert(self, key: Any, change: Expression) -> None:
        """Change the document whose ``_id`` is *key*; add it if it is not there."""
        while True:
            try:
                return self.update_or_add({"_id": key}, change)
            except DuplicateKeyError:  # somebody else added it meanwhile
                continue

    def delete(self, wanted: Expression) -> int:
        """Remove all documents that match; return how many there were."""
        with failures(self._url):
            return self._here.delete_many(wanted).deleted_count


def _has_failed(error: BulkWriteError) -> bool:
    """Whether it says something else than that keys are there already."""
    codes = {each["code"] for each in error.details["writeErrors"]}
    return codes != {_DUPLICATE_KEY} or bool(error.details.get("writeConcernErrors"))


def purge_collections(database: Database, app_id: str, names: Sequence[str]) -> None:
    """Remove the documents of one app from the collections *names*, in this order."""
    for name in names:
        Documents(database, name).delete({"app_id": app_id})
