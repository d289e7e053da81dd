"""Which databases and collections exist.

mongomock forgets a collection without documents and indexes, and remembers the name of
every collection it was ever asked about. So this table decides what exists, and mongomock
is asked about nothing else. Each database is a store of its own, whose memory is free once
the database is dropped.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from bson.binary import UUID_SUBTYPE, Binary

from pytest_pynenc_state.backends.mongo.server.errors import Code, CommandError
from pytest_pynenc_state.backends.mongo.server.wire import Document

if TYPE_CHECKING:
    from pymongo import MongoClient

#: One collection of mongomock, which has no type annotations.
Collection: TypeAlias = Any

_LONGEST_DATABASE_BYTES = 63
_LONGEST_NAMESPACE_BYTES = 255
_NOT_IN_DATABASES = frozenset('/\\. "$\0')


def _new_id() -> Binary:
    return Binary(uuid.uuid4().bytes, UUID_SUBTYPE)


@dataclass
class Stored:
    """One collection that exists."""

    collection: Collection
    unique_id: Binary = field(default_factory=_new_id)


@dataclass
class _Database:
    store: Any
    collections: dict[str, Stored] = field(default_factory=dict)


class Namespaces:
    """The databases of one server, and their collections.

    :param open_client: Makes an empty mongomock client.
    """

    def __init__(self, open_client: Callable[[], MongoClient[Document]]) -> None:
        self._open_client = open_client
        self._databases: dict[str, _Database] = {}

    def databases(self) -> list[str]:
        """The names of the databases that have collections."""
        return sorted(name for name, base in self._databases.items() if base.collections)

    def collections(self, database: str) -> dict[str, Stored]:
        """The collections of *database* by name, in the order of their creation."""
        base = self._databases.get(database)
        return {} if base is None else dict(base.collections)

    def find(self, database: str, name: str) -> Collection | None:
        """Return the collection, or None if there is none of that name."""
        base = self._databases.get(database)
        stored = None if base is None else base.collections.get(name)
        return None if stored is None else stored.collection

    def get(self, database: str, name: str) -> Collection:
        """Return the collection, which must exist.

        :raises CommandError: It does not (NamespaceNotFound).
        """
        collection = self.find(database, name)
        if collection is None:
            raise CommandError(Code.NamespaceNotFound, f"ns does not exist: {database}.{name}")
        return collection

    def find_or_create(self, database: str, name: str) -> Collection:
        """Return the collection, created empty if there is none of that name.

        :raises CommandError: The name cannot be one (InvalidNamespace).
        """
        collection = self.find(database, name)
        return self.create(database, name) if collection is None else collection

    def create(self, database: str, name: str) -> Collection:
        """Create an empty collection.

        :raises CommandError: It exists (NamespaceExists), or cannot (InvalidNamespace).
        """
        if self.find(database, name) is not None:
            message = f"Collection already exists. NS: {database}.{name}"
            raise CommandError(Code.NamespaceExists, message)
        _check_database_name(database)
        _check_collection_name(database, name)
        base = self._databases.get(database)
        if base is None:
            base = self._databases[database] = _Database(self._open_client()[database])
        base.store.create_collection(name)
        base.collections[name] = Stored(base.store[name])
        return base.collections[name].collection

    def drop(self, database: str, name: str) -> None:
        """Drop a collection, which must exist, with its indexes."""
        base = self._databases[database]
        del base.collections[name]
        base.store.drop_collection(name)

    def drop_database(self, database: str) -> bool:
        """Drop a database; whether there was one."""
        return self._databases.pop(database, None) is not None

    def rename(self, database: str, old: str, new: str) -> None:
        """Give a collection, which must exist, a name that no other has.

        :raises CommandError: The name cannot be one (InvalidNamespace).
        """
        _check_collection_name(database, new)
        base = self._databases[database]
        base.store.rename_collection(old, new)
        stored = base.collections.pop(old)
        base.collections[new] = Stored(base.store[new], stored.unique_id)


def _check_database_name(name: str) -> None:
    too_long = len(name.encode()) > _LONGEST_DATABASE_BYTES
    if not name or too_long or not _NOT_IN_DATABASES.isdisjoint(name):
        raise CommandError(Code.InvalidNamespace, f"Invalid database name: {name!r}")


def _check_collection_name(database: str, name: str) -> None:
    too_long = len(f"{database}.{name}".encode()) > _LONGEST_NAMESPACE_BYTES
    misplaced = not name or name.startswith(".") or name.endswith(".") or ".." in name
    if misplaced or too_long or "$" in name or "\0" in name:
        raise CommandError(Code.InvalidNamespace, f"Invalid collection name: {name!r}")
