"""The store under the server: an in-memory mongomock, indexed where its internals are known.

`open_client` gives mongomock's public API. On the versions in `INDEXED_VERSIONS` the store is
indexed; its classes derive from mongomock's, so that nothing of mongomock is patched and
other users of mongomock in the same process see no difference. On any other version the
store is mongomock's own, which scans, behind the same guarantees about failed writes.

Not for threads: one thread, or one event loop, works on a store.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, cast

import mongomock
from packaging.specifiers import SpecifierSet

from pytest_pynenc_state.backends.mongo.server.clients import StorageClient

if TYPE_CHECKING:
    from pymongo import MongoClient

#: The versions of mongomock whose internals the indexed store has been tested with.
INDEXED_VERSIONS = SpecifierSet(">=4.3,<4.4")


def open_client() -> MongoClient[dict[str, Any]]:
    """Return a client of an empty store, which lives as long as the client.

    A write either succeeds, or fails and changes nothing; an update of several documents
    that fails keeps those it updated before, as on a server. A document of more than 16 MiB is
    refused with code 2 (insert) or 17419 (update), a duplicate key with code 11000.

    On a version of mongomock that is not in `INDEXED_VERSIONS`, warns on standard error, once
    per process, that stores scan.
    """
    version = mongomock.__version__  # type: ignore[attr-defined]  # its stub lacks it
    if INDEXED_VERSIONS.contains(version, prereleases=True):
        return cast("MongoClient[dict[str, Any]]", _indexed_client())
    _warn_of_scans(version)
    return cast("MongoClient[dict[str, Any]]", _plain_client())


# A server opens one client per database.
@functools.cache
def _warn_of_scans(version: str) -> None:
    sys.stderr.write(
        f"pytest-pynenc-state: mongomock {version} is not one of the versions that are "
        f"indexed ({INDEXED_VERSIONS}); every read scans its collection\n"
    )


def _indexed_client() -> StorageClient:
    # Its modules rely on internals that another version may not have.
    from pytest_pynenc_state.backends.mongo.server.indexing.collection import IndexedCollection
    from pytest_pynenc_state.backends.mongo.server.indexing.store import IndexedServerStore

    return StorageClient(IndexedCollection, _store=IndexedServerStore())


def _plain_client() -> StorageClient:
    from pytest_pynenc_state.backends.mongo.server.plain import RehearsingCollection

    return StorageClient(RehearsingCollection)
