"""The only module that makes MongoDB clients: one per URL and process.

pymongo says of itself that a client must not be used in a forked child. The child neither
uses nor closes its parent's client; it keeps it referenced, so that nothing else closes it
either, and makes one of its own.
"""

from __future__ import annotations

import atexit
import os
import threading
from typing import Any, TypeAlias

from pymongo import MongoClient
from pymongo.collection import Collection as PymongoCollection

from pytest_pynenc_state.backends.mongo.failures import failures
from pytest_pynenc_state.errors import StoreUnusable
from pytest_pynenc_state.options import ServerUrl, without_credentials

__all__ = ["Database", "Document", "close_clients", "failures", "get_client"]

#: A document as pymongo takes and returns it.
Document: TypeAlias = dict[str, Any]

#: How long (seconds) to look for a server, unless the URL says so itself.
DEFAULT_TIMEOUT_S = 3.0


class _Clients:
    """The clients of one process."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.by_url: dict[str, MongoClient[Document]] = {}


_clients = _Clients()
_inherited: list[_Clients] = []
# Protects both of the above: two threads must not make two clients for one URL.
_lock = threading.Lock()
os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release)
os.register_at_fork(after_in_child=_lock.release)


def get_client(url: str, timeout_s: float = DEFAULT_TIMEOUT_S) -> MongoClient[Document]:
    """Return this process's client for *url*; nothing is connected before its first use.

    :param timeout_s: How long to look for the server, unless the URL has a
        ``serverSelectionTimeoutMS`` of its own. Of the first caller, for all.
    :raises StoreUnusable: The URL is malformed.
    """
    clients = _of_this_process()
    client = clients.by_url.get(url)
    if client is None:
        with _lock, failures(url):
            client = clients.by_url.get(url)
            if client is None:
                client = clients.by_url[url] = _new_client(url, timeout_s)
    return client


def _new_client(url: str, timeout_s: float) -> MongoClient[Document]:
    limits: dict[str, Any] = {"serverSelectionTimeoutMS": round(timeout_s * 1000)}
    # An argument would beat what the URL says.
    if "serverselectiontimeoutms" in url.lower():
        limits.clear()
    try:
        return MongoClient(url, **limits)
    except ValueError as error:
        where, reason = without_credentials(url), without_credentials(str(error))
        message = f"MongoDB at {where!r} cannot be used ({reason})"
        raise StoreUnusable(message, "mend mongo_url") from error


def close_clients(url: str | None = None) -> None:
    """Close this process's client for *url*, or all of its clients; a later use makes others."""
    clients = _of_this_process()
    with _lock:
        urls = list(clients.by_url) if url is None else [url]
        closing = [clients.by_url.pop(url) for url in urls if url in clients.by_url]
    for client in closing:
        client.close()


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
    """

    def __init__(self, url: str, name: str, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        self.url = ServerUrl(url)  # which tracebacks show without its password
        self.name = name
        self._timeout_s = timeout_s

    def collection(self, name: str) -> PymongoCollection[Document]:
        """Return this process's handle to one of the database's collections."""
        return get_client(self.url, self._timeout_s)[self.name][name]
