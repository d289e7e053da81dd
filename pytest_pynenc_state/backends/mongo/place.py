"""A place is a database of its own on a MongoDB, or on the mongomock server of the run.

State backend and orchestrator keep their data there. Broker, trigger and client data store
are those of the backend ``sqlite``, on a file in the place's folder.

This module is loaded to list the backends, so it imports the driver where it uses it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from pytest_pynenc_state.backends.backend import Backend, Capability, Place, Space
from pytest_pynenc_state.backends.sqlite.place import BACKEND as SQLITE
from pytest_pynenc_state.errors import (
    BackendError,
    BackendTimeout,
    BackendUnavailable,
    OptionsError,
)
from pytest_pynenc_state.option_values import ServerUrl, mongo_url, without_credentials

# In bytes; MongoDB refuses longer ones.
_LONGEST_NAME = 63

# Of a server that was there a moment ago: either it answers at once, or it has ended.
_REMOVE_TIMEOUT_S = 1.0

# Of the run's own server, to which a connection is open: longer, and it is stopped.
_ANSWER_TIMEOUT_S = 3.0

# Servers that could not be reached: many tests may ask for the same one, and each would wait
# as long as the first.
_unreachable: set[str] = set()
_FURTHER_TIMEOUT_S = 0.2

_SERVER = (sys.executable, "-P", "-m", "pytest_pynenc_state.backends.mongo.server", "--lease")


def configured_url(url: ServerUrl | None) -> ServerUrl:
    """Return *url*, the value of ``--pynenc-mongo-url``.

    :raises BackendUnavailable: There is none.
    """
    if url is not None:
        return url
    message = (
        "no MongoDB is known: looked at --pynenc-mongo-url, the variable PYTEST_PYNENC_MONGO_URL "
        "and the ini value pynenc_mongo_url; none is set"
    )
    raise BackendUnavailable(
        message,
        "set one of them to the URL of a server, like mongodb://localhost:27017",
        "override the session fixture pynenc_mongo_url to start a server and return its URL",
        "or run without a server of your own: --pynenc-backend mongomock",
    )


@contextmanager
def shared_server(folder: Path) -> Iterator[ServerUrl]:
    """Give the URL of the mongomock server that all processes using *folder* share.

    Afterwards this process's client for it is closed: until then, each place uses it again.

    :raises BackendUnavailable: It cannot be started, or has stopped answering.
    """
    MONGOMOCK.require_libraries()
    from pytest_pynenc_state.backends.mongo.connection import close_clients
    from pytest_pynenc_state.backends.mongo.lease import acquire

    lease = acquire(folder, _SERVER, _answers)
    url = _local_url(lease.port)
    try:
        yield url
    finally:
        close_clients(url)
        lease.release()


def _local_url(port: int) -> ServerUrl:
    return ServerUrl(f"mongodb://127.0.0.1:{port}")


def _answers(port: int) -> bool:
    from pytest_pynenc_state.backends.mongo.connection import close_clients, get_client
    from pytest_pynenc_state.backends.mongo.failures import failures

    url = _local_url(port)
    try:
        with failures(url):
            get_client(url).admin.command("ping")
    except BackendError:
        return False
    finally:
        close_clients(url)
    return True


def database_name(namespace: str) -> str:
    """Return the name of the database for *namespace*: another one for each namespace."""
    name = re.sub(r"[^0-9a-z_-]", "_", namespace)
    if name and name == namespace and len(name) <= _LONGEST_NAME:
        return name
    digest = sha256(namespace.encode()).hexdigest()[:16]
    return f"{name[: _LONGEST_NAME - 1 - len(digest)]}_{digest}"


def open_mongo(space: Space) -> Place:
    """Open a new database on the MongoDB whose URL is the space's service.

    :raises BackendUnavailable: The server cannot be reached.
    :raises BackendError: The database exists already; it is left as it is.
    """
    try:
        url = mongo_url(space.service)
    except OptionsError as error:
        message = f"the fixture pynenc_mongo_url: {without_credentials(space.service)!r} {error}"
        raise BackendError(message) from None
    database, rest = _open(space, url)
    return replace(
        database,
        close=_both(rest.close, database.close),
        remove=_both(rest.remove, database.remove),
    )


def open_mongomock(space: Space) -> Place:
    """Open a new database on the run's mongomock server, whose URL is the space's service.

    This process's client stays open for the next place; `shared_server` closes it.

    :returns: A place that is dropped when it is closed: nobody could look at it after the run.
    :raises BackendUnavailable: The server has ended, or does not answer.
    """
    import pymongo

    from pytest_pynenc_state.backends.mongo.connection import DEFAULT_TIMEOUT_S

    url = ServerUrl(space.service)
    try:
        with pymongo.timeout(_ANSWER_TIMEOUT_S):
            database, rest = _open(space, url)
    except (BackendUnavailable, BackendTimeout) as error:
        message = f"the mongomock server of this run has ended, or is stopped: {error.message}"
        raise BackendUnavailable(
            message,
            "look for a test that ends or stops processes that it did not start",
            "run the tests again",
            "or select another backend, for example --pynenc-backend sqlite",
        ) from error

    def drop() -> None:
        with suppress(BackendTimeout), pymongo.timeout(_REMOVE_TIMEOUT_S):
            _drop(url, database_name(space.namespace), DEFAULT_TIMEOUT_S)

    return replace(
        database,
        close=_both(rest.close, drop),
        remove=rest.remove,
        outlives_run=False,
    )


def _open(space: Space, url: ServerUrl) -> tuple[Place, Place]:
    """Open a place that is a database, with the values of both, and one for the rest."""
    from pytest_pynenc_state.backends.mongo.connection import close_clients

    name = database_name(space.namespace)
    with ExitStack() as undo:
        undo.callback(close_clients, url)
        _check_new(url, name)
        rest = SQLITE.open_place(space)
        undo.pop_all()
    database = Place(
        {**rest.values, "mongo_url": str(url), "mongo_database": name},
        f"{without_credentials(url)} database {name} + {rest.location}",
        close=lambda: close_clients(url),
        remove=_both(lambda: _drop(url, name, _REMOVE_TIMEOUT_S), lambda: close_clients(url)),
    )
    return database, rest


def _both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    def call() -> None:
        try:
            first()
        finally:
            second()

    return call


def _check_new(url: ServerUrl, name: str) -> None:
    """Refuse a database that is there already: it is not ours to write to, or to drop."""
    from pytest_pynenc_state.backends.mongo.connection import DEFAULT_TIMEOUT_S, get_client
    from pytest_pynenc_state.backends.mongo.failures import failures

    timeout_s = _FURTHER_TIMEOUT_S if url in _unreachable else DEFAULT_TIMEOUT_S
    try:
        with failures(url):
            collections = get_client(url, timeout_s)[name].list_collection_names()
    except BackendUnavailable:
        _unreachable.add(url)
        raise
    _unreachable.discard(url)
    if collections:
        message = (
            f"the new database {name} on {without_credentials(url)} exists already, with "
            f"{len(collections)} collections"
        )
        raise BackendError(message, "drop it if nobody needs it", "run the tests again")


def _drop(url: ServerUrl, name: str, timeout_s: float) -> None:
    """Drop a database, by this process's client that looks so long for the server."""
    from pytest_pynenc_state.backends.mongo.connection import get_client
    from pytest_pynenc_state.backends.mongo.failures import failures

    # A server that a fixture has ended by now has taken the database along.
    with suppress(BackendUnavailable), failures(url):
        get_client(url, timeout_s).drop_database(name)


_COMPONENTS = {
    **SQLITE.components,
    "state_backend_cls": "PytestMongoStateBackend",
    "orchestrator_cls": "PytestMongoOrchestrator",
}
_MODULES = (
    *SQLITE.modules,
    "pytest_pynenc_state.backends.mongo.state_backend",
    "pytest_pynenc_state.backends.mongo.orchestrator",
)
_INSTALL = "pip install 'pytest-pynenc-state[mongo]'"

MONGOMOCK = Backend(
    name="mongomock",
    components=_COMPONENTS,
    modules=_MODULES,
    open_place=open_mongomock,
    capabilities=frozenset({Capability.SHARED, Capability.DURABLE, Capability.ATOMIC}),
    summary="a database on one mongomock server for the whole run, shared by every process",
    libraries=("pymongo", "mongomock"),
    install=_INSTALL,
    service="pynenc_mongomock_url",
)

MONGO = Backend(
    name="mongo",
    components=_COMPONENTS,
    modules=_MODULES,
    open_place=open_mongo,
    capabilities=frozenset(Capability),
    summary="a temporary database on the MongoDB of --pynenc-mongo-url",
    libraries=("pymongo",),
    install=_INSTALL,
    service="pynenc_mongo_url",
)
