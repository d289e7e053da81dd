"""Recipes for the published backends, unmodified, with what their authors promise of each.

A recipe's name has the version that is installed, so that a report says what it is about.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

from pytest_pynenc_state import Backend, Capability, Place, Space
from pytest_pynenc_state.backends.backend import remove_folder
from pytest_pynenc_state.backends.pynenc import MEMORY, SQLITE, components

# A client that is killed takes nothing along of a store that is a server, or a file. That the
# server itself may lose its last second is not what the level `crash` is about.
_SHARED = frozenset({Capability.SHARED, Capability.DURABLE, Capability.ATOMIC})


def _named(distribution: str, kind: str = "") -> str:
    try:
        return f"{distribution} {version(distribution)}{kind}"
    except PackageNotFoundError:
        return f"{distribution}{kind}"


def open_redis(space: Space) -> Place:
    """Open a database of a number that nobody has had on the server that is the service."""
    from pynenc_redis.util import mongo_client
    from redis import Redis

    server = Redis(port=space.service)
    url = f"redis://127.0.0.1:{space.service}/{server.incr('places')}"
    server.close()

    def close() -> None:
        if pool := mongo_client._REDIS_POOLS.pop(url, None):
            pool.disconnect()

    def remove() -> None:
        with Redis.from_url(url) as client:
            client.flushdb()

    return Place({"redis_url": url}, url, close, remove, outlives_run=False)


def open_mongo(space: Space) -> Place:
    """Open a new database on the server whose URL is the service."""
    from pymongo import MongoClient
    from pynenc_mongo.util.mongo_client import PynencMongoClient

    url, name = str(space.service), space.namespace

    def close() -> None:
        for client in PynencMongoClient._instances.values():
            client._client.close()
        PynencMongoClient._instances.clear()

    def remove() -> None:
        with MongoClient(url) as client:
            client.drop_database(name)

    values = {"mongo_url": url, "mongo_db": name}
    return Place(values, f"{url} database {name}", close, remove, outlives_run=False)


def open_rustvello_sqlite(space: Space) -> Place:
    """Open a folder, in which each app has a file of its own."""
    path = space.directory / "rustvello.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {"sqlite_db_path": str(path)}
    return Place(values, str(path), remove=lambda: remove_folder(space.directory))


def _rustvello(kind: str, prefix: str, open_place: Callable[[Space], Place]) -> Backend:
    return Backend(
        name=_named("pynenc-rustvello", f" ({kind})"),
        # What its builder chooses unless told otherwise.
        components={
            **components(prefix),
            "orchestrator_cls": f"{prefix}NativeOrchestrator",
        },
        modules=("pynenc_rustvello",),
        open_place=open_place,
        libraries=("pynenc_rustvello", "rustvello"),
    )
