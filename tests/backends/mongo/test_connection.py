"""Connections: one client per process and server, and failures in this package's words."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    DuplicateKeyError,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from pytest_pynenc_state.backends.mongo.connection import (
    Database,
    close_clients,
    connected_ports,
    get_client,
)
from pytest_pynenc_state.backends.mongo.documents import Documents
from pytest_pynenc_state.backends.mongo.failures import failures
from pytest_pynenc_state.conformance.together import in_threads
from pytest_pynenc_state.errors import (
    BackendError,
    BackendTimeout,
    BackendUnavailable,
    StoreFull,
    StoreUnusable,
)

URL = "mongodb://someone:secret@127.0.0.1:1"


@pytest.fixture
def unused_url() -> Iterator[str]:
    """The URL of a port of this machine that nobody listens on."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        url = f"mongodb://127.0.0.1:{holder.getsockname()[1]}"
        yield url
        close_clients(url)


def test_all_threads_of_a_process_share_one_client(unused_url: str) -> None:
    """Also when they ask for it at the same instant."""
    clients = in_threads([lambda: get_client(unused_url)] * 8)
    assert len({id(client) for client in clients}) == 1


def test_a_forked_child_has_a_client_of_its_own(unused_url: str) -> None:
    """It neither uses nor closes its parent's, whose connections it has inherited."""
    parents = get_client(unused_url)
    pid = os.fork()
    if pid == 0:
        is_right = False
        try:
            own = get_client(unused_url)
            is_right = own is not parents and get_client(unused_url) is own
            close_clients()
            is_right = is_right and not parents._closed
        finally:
            os._exit(0 if is_right else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_process_may_fork_while_threads_ask_for_clients(unused_url: str) -> None:
    """The lock that they take is never held in the child by a thread that it lacks."""
    is_done = threading.Event()

    def ask() -> None:
        while not is_done.is_set():
            get_client(unused_url)
            close_clients(unused_url)

    asking = [threading.Thread(target=ask) for _ in range(3)]
    for thread in asking:
        thread.start()
    statuses = [_status_of_child(get_client, unused_url) for _ in range(10)]
    is_done.set()
    for thread in asking:
        thread.join()
    assert statuses == [0] * 10


def _status_of_child(work: Callable[[str], object], url: str) -> int:
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work(url)
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_server_that_is_not_there_is_told_within_the_timeout(unused_url: str) -> None:
    """The error says where, and what to do; the password is nowhere in it."""
    url = unused_url.replace("//", "//someone:secret@") + "/?serverSelectionTimeoutMS=50"
    with pytest.raises(BackendUnavailable, match="cannot be reached") as raised:
        Documents(Database(url, "pynenc"), "anything").find_one({})
    close_clients(url)
    assert ("secret" in str(raised.value), "***@127.0.0.1" in str(raised.value)) == (False, True)


def test_a_server_that_has_gone_may_still_have_sockets(unused_url: str) -> None:
    """Those of the client, which closes them when it finds the time."""
    port = int(unused_url.rpartition(":")[2])
    with pytest.raises(ServerSelectionTimeoutError):
        get_client(unused_url, 0.05).admin.command("ping")

    assert port in connected_ports()
    close_clients(unused_url)
    assert port not in connected_ports()


def test_a_malformed_url_is_told() -> None:
    """It is never connected to anything."""
    with pytest.raises(StoreUnusable, match="mend mongo_url"):
        get_client("mongodb://host:port")


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (ServerSelectionTimeoutError("gone"), BackendUnavailable),
        (AutoReconnect("gone"), BackendUnavailable),
        (NetworkTimeout("slow"), BackendTimeout),
        (OperationFailure("login", 18), BackendUnavailable),
        (OperationFailure("disk", 14031), StoreFull),
        (ConfigurationError("url"), StoreUnusable),
        (OperationFailure("no", 2), BackendError),
        (PyMongoError("what"), BackendError),
    ],
    ids=str,
)
def test_each_failure_has_its_own_error(cause: Exception, expected: type[Exception]) -> None:
    """Of this package's types, caused by pymongo's."""
    with pytest.raises(BackendError) as raised, failures(URL):
        raise cause
    assert (type(raised.value), raised.value.__cause__) == (expected, cause)


def bulk_error(code: int, kind: str = "writeErrors") -> BulkWriteError:
    """What a bulk of documents raises, one of which is very long."""
    entry = {"index": 0, "code": code, "errmsg": "its words", "op": {"_id": "x" * 10**6}}
    return BulkWriteError({"writeErrors": [], "writeConcernErrors": [], kind: [entry]})


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (bulk_error(14031), StoreFull),
        (bulk_error(64, "writeConcernErrors"), BackendTimeout),
        (bulk_error(2), BackendError),
    ],
    ids=["full", "not replicated", "refused"],
)
def test_a_bulk_fails_for_its_first_reason(cause: Exception, expected: type[Exception]) -> None:
    """The server's words, and none of the documents."""
    with pytest.raises(BackendError, match="its words") as raised, failures(URL):
        raise cause
    assert (type(raised.value), len(str(raised.value)) < 500) == (expected, True)


@pytest.mark.parametrize("method", ["insert_new", "put"])
def test_an_error_of_replication_is_no_success(
    unused_url: str, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """Also where keys that are there already would be."""

    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise bulk_error(64, "writeConcernErrors")

    for name in ("insert_many", "bulk_write"):
        monkeypatch.setattr(f"pymongo.collection.Collection.{name}", refuse)
    documents = Documents(Database(unused_url, "pynenc"), "anything")
    with pytest.raises(BackendTimeout):
        getattr(documents, method)([{"_id": 1}])


def test_a_server_has_to_acknowledge_what_is_written() -> None:
    """Or nobody would learn who won."""
    with pytest.raises(StoreUnusable, match="remove w=0"):
        get_client("mongodb://127.0.0.1:1/?w=0")


def test_an_id_that_cannot_be_sent_is_told(pynenc_mongomock_url: str) -> None:
    """BSON has no half of a surrogate pair."""
    documents = Documents(Database(pynenc_mongomock_url, "pynenc"), "anything")
    with pytest.raises(BackendError, match=r"refused an operation \(UnicodeEncodeError"):
        documents.insert([{"_id": "\ud800"}])


def test_a_duplicate_key_is_an_answer() -> None:
    """Whoever asked for something new has to decide what it means."""
    cause = DuplicateKeyError("there")
    with pytest.raises(DuplicateKeyError), failures(URL):
        raise cause


def test_a_password_in_pymongos_words_is_not_repeated() -> None:
    """Some of its messages quote the URL."""
    cause = PyMongoError(f"cannot use {URL}")
    with pytest.raises(BackendError) as raised, failures(URL):
        raise cause
    assert "secret" not in str(raised.value)
