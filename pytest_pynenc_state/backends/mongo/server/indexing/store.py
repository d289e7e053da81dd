"""mongomock's stores, with a `Table` beside the documents of every collection."""

from __future__ import annotations

import itertools
from collections.abc import Hashable
from typing import Any

from mongomock.store import CollectionStore, DatabaseStore, ServerStore

from pytest_pynenc_state.backends.mongo.server.indexing.keys import Document
from pytest_pynenc_state.backends.mongo.server.indexing.table import Table
from pytest_pynenc_state.backends.mongo.server.sizes import refuse_oversize


class IndexedServerStore(ServerStore):
    """All databases."""

    def __init__(self) -> None:
        super().__init__()
        self._databases: dict[str, IndexedDatabaseStore] = {}

    def __getitem__(self, name: str) -> IndexedDatabaseStore:
        if name not in self._databases:
            self._databases[name] = IndexedDatabaseStore(name)
        return self._databases[name]


class IndexedDatabaseStore(DatabaseStore):
    """All collections of one database."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._collections: dict[str, IndexedStore] = {}

    def __getitem__(self, name: str) -> IndexedStore:
        if name not in self._collections:
            self._collections[name] = IndexedStore(self._name, name)
        return self._collections[name]


class IndexedStore(CollectionStore):
    """One collection.

    mongomock writes through the methods overridden here, and through no others.

    :ivar table: The same documents, with their indexes.
    """

    def __init__(self, database_name: str, name: str) -> None:
        self.table = Table()
        self._database_name = database_name
        self._numbers: dict[Hashable, int] = {}
        self._next_number = itertools.count()
        super().__init__(name)

    @property
    def namespace(self) -> str:
        """Database and collection, as messages name them."""
        return f"{self._database_name}.{self.name}"

    # mongomock drops all indexes by assigning an empty dict.
    @property
    def indexes(self) -> dict[str, dict[str, Any]]:
        """The indexes by name, without the one on ``_id``."""
        return self._indexes

    @indexes.setter
    def indexes(self, indexes: dict[str, dict[str, Any]]) -> None:
        self._indexes = indexes
        self.table.keep_indexes(indexes)

    def create_index(self, index_name: str, index_dict: dict[str, Any]) -> None:
        """Add an index.

        :raises DuplicateKeyError: It is unique, and two documents are not; it was not added.
        """
        self._remove_expired_documents()
        self.table.add_index(index_name, index_dict, self.namespace)
        super().create_index(index_name, index_dict)

    def drop_index(self, index_name: str) -> None:
        """Remove an index.

        :raises KeyError: There is none of that name.
        """
        super().drop_index(index_name)
        self.table.keep_indexes(self.indexes)

    def drop(self) -> None:
        """Remove all documents and indexes."""
        super().drop()
        self.table = Table()
        self._numbers.clear()

    def __setitem__(self, key: Hashable, val: Document) -> None:
        refuse_oversize(val)
        number = self._numbers.get(key)
        if number is None:
            number = next(self._next_number)
        self.table.put(number, val, self.namespace)
        self._numbers[key] = number
        self._documents[key] = val

    def __delitem__(self, key: Hashable) -> None:
        self.table.remove(self._numbers.pop(key))
        del self._documents[key]

    def current_table(self) -> Table:
        """Return the table, after documents whose time to live is over have been removed."""
        self._remove_expired_documents()
        return self.table
