"""Places on a MongoDB: a database for each, which nobody else has."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from pymongo import MongoClient
from pymongo.errors import InvalidOperation

from pytest_pynenc_state.backends.backend import Place, Space
from pytest_pynenc_state.backends.mongo.connection import get_client
from pytest_pynenc_state.backends.mongo.place import (
    database_name,
    open_mongo,
    open_mongomock,
    shared_server,
)
from pytest_pynenc_state.errors import BackendError, BackendUnavailable
from pytest_pynenc_state.option_values import ServerUrl, without_credentials

SECRET = "s3cret"  # noqa: S105 - nobody's


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with shared_server(tmp_path_factory.mktemp("server")) as url:
        yield url


@pytest.fixture
def client(server: str) -> Iterator[MongoClient[dict[str, Any]]]:
    """Look at the server as anybody would; no database is left after the test."""
    with MongoClient[dict[str, Any]](server) as client:
        yield client
        assert client.list_database_names() == []


@pytest.fixture
def space(tmp_path: Path, server: str) -> Space:
    return Space("pynenc_t_0_1", tmp_path / "place", tmp_path, server)


@pytest.mark.parametrize("opener", [open_mongo, open_mongomock])
def test_a_place_is_a_database_and_a_file(
    client: MongoClient[dict[str, Any]], space: Space, opener: Any
) -> None:
    """The names are those of the space; nothing is in the database yet."""
    place = opener(space)

    assert place.values == {
        "mongo_url": space.service,
        "mongo_database": "pynenc_t_0_1",
        "sqlite_db_path": str(space.session_directory / f"{space.namespace}.db"),
    }
    assert place.outlives_run == (opener is open_mongo)
    assert client.list_database_names() == []
    place.close()
    place.remove()
    assert list(space.session_directory.iterdir()) == []


def test_closing_keeps_the_data_and_removing_drops_them(
    client: MongoClient[dict[str, Any]], space: Space
) -> None:
    """A kept place is one that was closed, and not removed."""
    place = open_mongo(space)
    client["pynenc_t_0_1"]["things"].insert_one({"_id": 1})

    place.close()
    assert client["pynenc_t_0_1"]["things"].find_one() == {"_id": 1}
    place.remove()

    assert client.list_database_names() == []


def test_closing_closes_this_processes_client(space: Space) -> None:
    """Its threads must not be there when the next test forks."""
    place = open_mongo(space)
    former = get_client(space.service)

    place.close()

    assert get_client(space.service) is not former
    place.close()
    place.remove()


def test_places_on_mongomock_share_a_client_until_the_server_is_left(tmp_path: Path) -> None:
    """Opening a connection takes longer than all else that a place needs."""
    clients = []
    with shared_server(tmp_path / "server") as url:
        for name in ("one", "two"):
            place = open_mongomock(Space(name, tmp_path / name, tmp_path, url))
            clients.append(get_client(url))
            place.close()
            place.remove()
        clients.append(get_client(url))

    first, *later = clients
    assert all(each is first for each in later)
    with pytest.raises(InvalidOperation, match="after close"):
        first.admin.command("ping")


@pytest.fixture
def stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A place whose server has been stopped, and to which a connection is open."""
    others = psutil.Process().children()
    with shared_server(tmp_path / "server") as url:
        place = open_mongomock(Space("one", tmp_path / "one", tmp_path, url))
        (server,) = set(psutil.Process().children()).difference(others)
        server.suspend()
        # From now on nobody answers, however long one waits.
        monkeypatch.setattr("pytest_pynenc_state.backends.mongo.place._ANSWER_TIMEOUT_S", 0.1)
        monkeypatch.setattr("pytest_pynenc_state.backends.mongo.place._REMOVE_TIMEOUT_S", 0.1)
        yield place
        server.resume()


def test_a_server_that_is_stopped_is_told_of(stopped: Place, tmp_path: Path) -> None:
    """No place on it is opened, or half opened."""
    url = stopped.values["mongo_url"]
    with pytest.raises(BackendUnavailable, match="has ended, or is stopped"):
        open_mongomock(Space("two", tmp_path / "two", tmp_path, url))
    assert not (tmp_path / "two").exists()


def test_a_place_can_be_closed_whose_server_is_stopped(stopped: Place) -> None:
    """Its data stay there; the test ends all the same."""
    begun_s = time.monotonic()
    stopped.close()
    assert time.monotonic() - begun_s < 2.0


def test_a_database_that_exists_already_is_refused_and_left_as_it_is(
    client: MongoClient[dict[str, Any]], space: Space
) -> None:
    """It is not ours, so it must neither be written to nor dropped."""
    client["pynenc_t_0_1"]["things"].insert_one({"_id": 1})

    with pytest.raises(BackendError, match=r"pynenc_t_0_1 on mongodb://.* exists already"):
        open_mongo(space)

    assert client["pynenc_t_0_1"]["things"].find_one() == {"_id": 1}
    assert not space.directory.exists()
    client.drop_database("pynenc_t_0_1")


@pytest.mark.parametrize(("opener", "limit_s"), [(open_mongomock, 0.5), (open_mongo, 3.0)])
def test_a_place_can_be_removed_when_its_server_has_ended(
    tmp_path: Path, opener: Any, limit_s: float
) -> None:
    """The fixture that gives the server is over before the last test's place is removed."""
    with shared_server(tmp_path / "server") as url:
        place = opener(Space("one", tmp_path / "one", tmp_path, url))
        place.close()
    begun_s = time.monotonic()

    place.remove()

    assert time.monotonic() - begun_s < limit_s
    assert not (tmp_path / "one").exists()


def test_a_place_on_mongomock_is_dropped_when_it_is_closed(
    client: MongoClient[dict[str, Any]], space: Space
) -> None:
    """Nobody could look at it later, and its client is still there."""
    place = open_mongomock(space)
    client["pynenc_t_0_1"]["things"].insert_one({"_id": 1})

    place.close()

    assert client.list_database_names() == []
    place.remove()


def test_a_server_that_cannot_be_reached_leaves_nothing_behind(tmp_path: Path) -> None:
    """Neither a folder nor a client that goes on looking for it."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        url = f"mongodb://ada:{SECRET}@127.0.0.1:{port}/?serverSelectionTimeoutMS=100"

        with pytest.raises(BackendUnavailable) as caught:
            open_mongo(Space("one", tmp_path / "one", tmp_path, url))

    assert f"'mongodb://***@127.0.0.1:{port}/" in caught.value.message
    assert SECRET not in str(caught.value)
    assert len(caught.value.remedies) == 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", [f"ada:{SECRET}@host", f"mongodb://ada:{SECRET}/{SECRET}@host"])
def test_a_fixture_that_gives_no_url_is_told_of(tmp_path: Path, url: str) -> None:
    """It may be anybody's."""
    with pytest.raises(BackendError, match=r"fixture pynenc_mongo_url: '.*\*\*\*@host'") as caught:
        open_mongo(Space("one", tmp_path / "one", tmp_path, url))

    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("name", ["pynenc_t_9f34c4af_12", "a-b", "a_b", "a" * 63])
def test_a_namespace_that_can_be_a_name_is_the_name(name: str) -> None:
    """So that who reads the report finds the test's database."""
    assert database_name(name) == name


def test_any_other_namespace_has_a_name_of_its_own() -> None:
    """MongoDB refuses some characters, long names, and names that differ in case only."""
    odd = ["a.b", "a/b", "a b", "a$b", "A_b", "a" * 64, "a" * 65, "ä" * 40, ""]

    names = {database_name(namespace) for namespace in odd}

    assert len(names) == len(odd)
    assert not names & {"a_b", ""}
    assert max(len(name.encode()) for name in names) <= 63


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mongodb://host", "mongodb://host"),
        (f"mongodb://ada:{SECRET}@host:1,other:2/db", "mongodb://***@host:1,other:2/db"),
        (f"mongodb+srv://ada:{SECRET}@host", "mongodb+srv://***@host"),
        (f"mongodb://ada:{SECRET}/{SECRET}@host", "mongodb://***@host"),
        (f"ada:{SECRET}@host", "***@host"),
        (f"at 'mongodb://ada:{SECRET}@host' and more", "at 'mongodb://***@host' and more"),
        (f"mongodb://h/?proxyPassword={SECRET}&w=1", "mongodb://h/?proxyPassword=***&w=1"),
        (
            f"mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN:{SECRET}",
            "mongodb://h/?authMechanismProperties=***",
        ),
    ],
)
def test_what_may_be_a_login_is_not_shown(text: str, shown: str) -> None:
    """Not even of a URL that is malformed."""
    assert without_credentials(text) == shown
    assert repr(ServerUrl(text)) == repr(shown)
