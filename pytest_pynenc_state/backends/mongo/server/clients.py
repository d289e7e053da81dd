"""mongomock's client and databases, whose collections are of a class of ours."""

from __future__ import annotations

from typing import Any, TypeVar

from mongomock.collection import Collection
from mongomock.database import Database
from mongomock.mongo_client import MongoClient

Made = TypeVar("Made")


class StorageClient(MongoClient):
    """A client of a store of its own.

    :ivar collection_class: The class of its collections.
    """

    def __init__(self, collection_class: type[Collection], **options: Any) -> None:
        self.collection_class = collection_class
        super().__init__(**options)

    def get_database(self, *args: Any, **kwargs: Any) -> StorageDatabase:
        """Return the database of a name."""
        return _as(StorageDatabase, super().get_database(*args, **kwargs))


class StorageDatabase(Database):
    """A database of a `StorageClient`."""

    def get_collection(self, *args: Any, **kwargs: Any) -> Collection:
        """Return the collection of a name."""
        collection_class: type[Collection] = self.client.collection_class
        return _as(collection_class, super().get_collection(*args, **kwargs))


def _as(wanted: type[Made], made: Any) -> Made:
    # mongomock's factories name the classes they make. Giving another class to what they made
    # needs neither a copy of these factories nor a patch that other users of mongomock see.
    made.__class__ = wanted
    return made  # type: ignore[no-any-return]  # it is one now
