"""What drivers ask before they work, and how they are told what is not there."""

from __future__ import annotations

import pytest
from pymongo import MongoClient, ReadPreference, WriteConcern
from pymongo.errors import ConfigurationError, OperationFailure, ServerSelectionTimeoutError

from tests.mongo.server.conftest import Client, Collection, Database, RunningServer


def test_hello_describes_a_standalone_of_wire_version_13(client: Client) -> None:
    """A set name would make drivers send transaction numbers, which are not understood."""
    hello = client.admin.command("hello")

    assert (hello["minWireVersion"], hello["maxWireVersion"]) == (0, 13)
    assert hello["isWritablePrimary"] is True
    assert not {"setName", "msg", "compression", "topologyVersion"} & set(hello)


@pytest.mark.parametrize("command", ["buildInfo", "buildinfo"])
def test_the_build_is_named_in_both_spellings(client: Client, command: str) -> None:
    """Drivers ask in lower case, people do not."""
    assert client.admin.command(command)["version"] == "5.0.5"


@pytest.mark.parametrize(
    ("command", "code", "name"),
    [
        ({"frobnicate": 1}, 59, "CommandNotFound"),
        ({"saslStart": 1, "mechanism": "PLAIN", "payload": b""}, 18, "AuthenticationFailed"),
        ({"commitTransaction": 1}, 20, "IllegalOperation"),
        ({"find": ""}, 73, "InvalidNamespace"),
        ({"find": "x", "filter": 3}, 14, "TypeMismatch"),
        ({"find": "x", "limit": -1}, 2, "BadValue"),
        ({"find": "x", "frobnicate": 1}, 40415, "Location40415"),
        ({"insert": "x"}, 9, "FailedToParse"),
        ({"insert": "x", "documents": []}, 16, "InvalidLength"),
        ({"create": "a..b"}, 73, "InvalidNamespace"),
        ({"renameCollection": "a.b", "to": "a.c"}, 26, "NamespaceNotFound"),
        ({"findAndModify": "x", "query": {}}, 9, "FailedToParse"),
    ],
)
def test_a_refused_command_has_mongodbs_code_and_name(
    database: Database, command: dict[str, object], code: int, name: str
) -> None:
    """Programs tell errors apart by these."""
    with pytest.raises(OperationFailure) as caught:
        database.command(command)

    assert caught.value.details is not None
    assert (caught.value.code, caught.value.details["codeName"]) == (code, name)


def test_a_login_is_refused(server: RunningServer) -> None:
    """A URL with a password is a mistake here, and says so at once."""
    url = server.url.replace("//", "//somebody:secret@")

    with MongoClient(url) as client, pytest.raises(OperationFailure) as caught:
        client.admin.command("ping")

    assert caught.value.code == 18


def test_a_transaction_is_refused(client: Client, collection: Collection) -> None:
    """As a standalone does; without an error, tests would pass on transactions that are none."""
    with (
        client.start_session() as session,
        pytest.raises(OperationFailure) as caught,
        session.start_transaction(),
    ):
        collection.insert_one({}, session=session)

    assert caught.value.code == 20
    assert collection.count_documents({}) == 0


def test_a_session_without_transaction_works(client: Client, collection: Collection) -> None:
    """Sessions mean nothing here, but programs use them."""
    with client.start_session() as session:
        collection.insert_one({"_id": 1}, session=session)

        assert collection.find_one({}, session=session) == {"_id": 1}


def test_a_change_stream_is_refused(collection: Collection) -> None:
    """As a standalone does."""
    with pytest.raises(OperationFailure) as caught, collection.watch():
        pass

    assert caught.value.code == 40573


def test_more_acknowledgements_than_servers_are_refused(collection: Collection) -> None:
    """There is one server."""
    several = collection.with_options(write_concern=WriteConcern(w=2))

    with pytest.raises(OperationFailure) as caught:
        several.insert_one({})

    assert caught.value.code == 2
    assert collection.count_documents({}) == 0


@pytest.mark.parametrize("concern", [WriteConcern(w="majority"), WriteConcern(w=1, j=True)])
def test_what_one_server_can_acknowledge_works(
    collection: Collection, concern: WriteConcern
) -> None:
    """The majority of one is one."""
    written = collection.with_options(write_concern=concern).insert_one({"_id": 1})

    assert written.acknowledged


def test_unacknowledged_writes_are_done_and_not_answered(collection: Collection) -> None:
    """An answer that nobody waits for would be taken for that of the next command."""
    silent = collection.with_options(write_concern=WriteConcern(w=0))
    silent.insert_many([{"_id": number} for number in range(3)])
    silent.insert_one({"_id": 0})
    silent.delete_one({"_id": 1})

    assert [thing["_id"] for thing in collection.find()] == [0, 2]


def test_options_that_mean_nothing_here_are_tolerated(collection: Collection) -> None:
    """Programs set them for the sake of their real server."""
    collection.insert_one({"_id": 1, "a": 2}, comment="why")
    reader = collection.with_options(read_preference=ReadPreference.NEAREST)
    found = list(reader.find({"a": 2}, hint="a_1", comment="why", max_time_ms=1000))
    collection.update_one({"a": 2}, {"$set": {"a": 3}}, hint="a_1", let={"x": 1})

    assert found == [{"_id": 1, "a": 2}]
    assert collection.find_one() == {"_id": 1, "a": 3}


@pytest.mark.parametrize(
    ("option", "error"),
    [("replicaSet=x", ServerSelectionTimeoutError), ("loadBalanced=true", ConfigurationError)],
)
def test_another_topology_than_a_standalone_is_not_found(
    server: RunningServer, option: str, error: type[Exception]
) -> None:
    """A program that insists on a replica set cannot be tested here."""
    url = f"mongodb://127.0.0.1:{server.port}/?serverSelectionTimeoutMS=300&{option}"

    with MongoClient(url) as client, pytest.raises(error):
        client.admin.command("ping")
