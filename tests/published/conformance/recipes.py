"""Recipes for published backends, unmodified, with what their authors promise of each.

A name has the version that is installed, so that a report says what it is about.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from pytest_pynenc_state import Backend, Capability, Place, Space
from pytest_pynenc_state.backends.backend import remove_folder
from pytest_pynenc_state.backends.pynenc import MEMORY, SQLITE, components

# The server of a run's last test has ended before its place is removed.
_REMOVE_TIMEOUT_MS = 500


@dataclass(frozen=True)
class Published:
    """A backend that somebody has published.

    :param key: What `exclusions` calls it.
    :param is_broker_only: It has no other component, and so nothing to check but whether it
        can be built.
    """

    key: str
    backend: Backend
    is_broker_only: bool = False


def open_redis(space: Space) -> Place:
    """Open a database on the server at the port that is the service, one that nobody has had."""
    from pynenc_redis.util import mongo_client
    from redis import ConnectionError as Refused
    from redis import Redis

    with Redis(port=space.service) as server:
        url = f"redis://127.0.0.1:{space.service}/{server.incr('places')}"

    def close() -> None:
        if pool := mongo_client._REDIS_POOLS.pop(url, None):
            pool.disconnect()

    def remove() -> None:
        with suppress(Refused), Redis.from_url(url) as client:
            client.flushdb()

    return Place({"redis_url": url}, url, close, remove, outlives_run=False)


def open_mongo(space: Space) -> Place:
    """Open a new database on the server whose URL is the service.

    The name is in the URL, too: the plugin keeps one client, with one database, for each URL.
    """
    from pymongo import MongoClient
    from pymongo.errors import ServerSelectionTimeoutError
    from pynenc_mongo.util.mongo_client import PynencMongoClient

    url, name = f"{space.service}/{space.namespace}", space.namespace

    def close() -> None:
        for client in PynencMongoClient._instances.values():
            client._client.close()
        PynencMongoClient._instances.clear()

    def remove() -> None:
        with (
            suppress(ServerSelectionTimeoutError),
            MongoClient(url, serverSelectionTimeoutMS=_REMOVE_TIMEOUT_MS) as client,
        ):
            client.drop_database(name)

    values = {"mongo_url": url, "mongo_db": name}
    return Place(values, url, close, remove, outlives_run=False)


def open_memory(space: Space) -> Place:
    """Open a place that each app has for itself."""
    return Place({}, f"memory ({space.namespace})", outlives_run=False)


def open_rustvello_sqlite(space: Space) -> Place:
    """Open a folder, in which each app has a file of its own."""
    path = space.directory / "rustvello.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {"sqlite_db_path": str(path)}
    return Place(values, str(path), remove=lambda: remove_folder(space.directory))


def _named(distribution: str, kind: str = "") -> str:
    try:
        return f"{distribution} {version(distribution)}{kind}"
    except PackageNotFoundError:
        return f"{distribution}{kind}"


def _rustvello(
    kind: str,
    prefix: str,
    open_place: Callable[[Space], Place],
    capabilities: frozenset[Capability],
) -> Backend:
    return Backend(
        name=_named("pynenc-rustvello", f" ({kind})"),
        # Its builder's choice unless told otherwise is the native orchestrator.
        components={**components(prefix), "orchestrator_cls": f"{prefix}NativeOrchestrator"},
        modules=("pynenc_rustvello",),
        open_place=open_place,
        capabilities=capabilities,
        libraries=("pynenc_rustvello", "rustvello"),
    )


def _modules(package: str) -> tuple[str, ...]:
    kind = package.removeprefix("pynenc_")
    parts = ("broker", "client_data_store", "orchestrator", "state_backend", "trigger")
    return tuple(f"{package}.{part}.{kind}_{part}" for part in parts)


REDIS = Backend(
    name=_named("pynenc-redis"),
    components=components("Redis"),
    modules=_modules("pynenc_redis"),
    open_place=open_redis,
    # Its README: "production-ready distributed task orchestration", "persistent state", so
    # several processes, and a client that is killed takes nothing along of what a server has.
    # Its orchestrator: "uses Redis transactions to ensure atomic updates".
    capabilities=frozenset(Capability),
    libraries=("pynenc_redis", "redis"),
    service="redis_port",
)

MONGO = Backend(
    name=_named("pynenc-mongo"),
    components=components("Mongo"),
    modules=_modules("pynenc_mongo"),
    open_place=open_mongo,
    # Its README: "persistent state", and a "pseudo-atomic ownership protocol for distributed
    # invocation management", of which its orchestrator says "mutual exclusion". The engine is
    # mongomock here.
    capabilities=frozenset(Capability) - {Capability.REAL_ENGINE},
    libraries=("pynenc_mongo",),
    service="pynenc_mongomock_url",
)

RUSTVELLO_MEMORY = _rustvello("memory", "RustMem", open_memory, frozenset({Capability.REAL_ENGINE}))

# Its README: "persistent", for pynenc's own runners, of which it names one of other processes.
RUSTVELLO_SQLITE = _rustvello("SQLite", "RustSqlite", open_rustvello_sqlite, frozenset(Capability))

RABBITMQ = Backend(
    name=_named("pynenc-rabbitmq"),
    components={**MEMORY.components, "broker_cls": "RabbitMqBroker"},
    modules=("pynenc_rabbitmq.broker.rabbitmq_broker",),
    open_place=open_memory,
    capabilities=frozenset({Capability.REAL_ENGINE}),
    libraries=("pynenc_rabbitmq",),
)

PUBLISHED = (
    Published("pynenc-memory", MEMORY),
    Published("pynenc-sqlite", SQLITE),
    Published("pynenc-redis", REDIS),
    Published("pynenc-mongo", MONGO),
    Published("pynenc-rabbitmq", RABBITMQ, is_broker_only=True),
    Published("pynenc-rustvello-memory", RUSTVELLO_MEMORY),
    Published("pynenc-rustvello-sqlite", RUSTVELLO_SQLITE),
)
