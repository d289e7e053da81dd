"""The only module that makes MongoDB clients: one per URL, time limit and process.

pymongo says of itself that a client must not be used in a forked child. The child neither
uses nor closes its parent's client; it keeps it referenced, so that nothing else closes it
either, and makes one of its own.
"""

from __future__ import annotations

import atexit
import os
import threading
from typing import Any, TypeAlias

from pymongo import MongoClient, ReadPreference
from pymongo.collection import Collection as PymongoCollection
from pymongo.read_concern import ReadConcern

from pytest_pynenc_state.backends.mongo.failures import failures
from pytest_pynenc_state.errors import StoreUnusable
from pytest_pynenc_state.option_values import ServerUrl, without_credentials

__all__ = ["Database", "Document", "close_clients", "connected_ports", "failures", "get_client"]

#: A document as pymongo takes and returns it.
Document: TypeAlias = dict[str, Any]

#: How long (seconds) to look for a server, unless the URL says so itself.
DEFAULT_TIMEOUT_S = 3.0


# Whatever a URL says: state is decided by what the primary says, and by its answers.
_OPTIONS: Any = {
    "read_preference": ReadPreference.PRIMARY,
    "read_concern": ReadConcern("local"),
}


class _Clients:
    """The clients of one process."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.by_url: dict[tuple[str, float], MongoClient[Document]] = {}


_clients = _Clients()
_inherited: list[_Clients] = []
# Protects both of the above: two threads must not make two clients for one URL. Re-entrant,
# because a signal handler may fork while its thread holds it.
_lock = threading.RLock()
os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release)
os.register_at_fork(after_in_child=_lock.release)


def get_client(url: str, timeout_s: float = DEFAULT_TIMEOUT_S) -> MongoClient[Document]:
    """Return this process's client for *url*; nothing is connected before its first use.

    :param timeout_s: How long to look for the server, unless the URL has a
        ``serverSelectionTimeoutMS`` of its own. For each other time there is another client.
    :raises StoreUnusable: The URL is malformed.
    """
    clients = _of_this_process()
    client = clients.by_url.get((url, timeout_s))
    if client is None:
        with _lock, failures(url):
            client = clients.by_url.get((url, timeout_s))
            if client is None:
                client = clients.by_url[url, timeout_s] = _new_client(url, timeout_s)
    return client


def _new_client(url: str, timeout_s: float) -> MongoClient[Document]:
    limits: dict[str, Any] = {"serverSelectionTimeoutMS": round(timeout_s * 1000)}
    # An argument would beat what the URL says.
    if "serverselectiontimeoutms" in url.lower():
        limits.clear()
    try:
        client: MongoClient[Document] = MongoClient(url, **limits)
    except (ValueError, OSError) as error:
        where, reason = without_credentials(url), without_credentials(str(error))
        message = f"MongoDB at {where!r} cannot be used ({reason})"
        raise StoreUnusable(message, "mend mongo_url") from error
    if not client.write_concern.acknowledged:
        client.close()
        message = f"MongoDB at {without_credentials(url)!r} is not to acknowledge what is written"
        raise StoreUnusable(message, "remove w=0 from mongo_url")
    return client


def close_clients(url: str | None = None) -> None:
    """Close this process's client for *url*, or all of its clients; a later use makes others."""
    clients = _of_this_process()
    with _lock:
        keys = [key for key in clients.by_url if url in (None, key[0])]
        closing = [clients.by_url.pop(key) for key in keys]
    for client in closing:
        client.close()


def connected_ports() -> set[int | None]:
    """The ports of the servers that this process's clients may have sockets to.

    Also of those that have ended meanwhile: their sockets are the clients' to close.
    """
    topologies = [client.topology_description for client in _of_this_process().by_url.values()]
    return {port for each in topologies for _, port in each.server_descriptions()}


def _of_this_process() -> _Clients:
    global _clients  # noqa: PLW0603 - a child starts with none
    if _clients.pid != os.getpid():
        with _lock:
            if _clients.pid != os.getpid():
                _inherited.append(_clients)
                _clients = _Clients()
    return _clients


atexit.register(close_clients)


class Database:
    """One database of one server, for any thread of any process that has its address.

    :ivar url: The server's URL, with credentials.
    :ivar name: The database's name.
    :ivar indexed: The collections whose indexes this object's users have made.
    """

    def __init__(self, url: str, name: str, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        self.url = ServerUrl(url)  # which tracebacks show without its password
        self.name = name
        self.indexed: set[str] = set()
        self._timeout_s = timeout_s

    def collection(self, name: str) -> PymongoCollection[Document]:
        """Return this process's handle to one of the database's collections."""
        client = get_client(self.url, self._timeout_s)
        return client.get_database(self.name, **_OPTIONS)[name]
