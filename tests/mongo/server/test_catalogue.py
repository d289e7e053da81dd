"""What exists: databases, collections and indexes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from bson import Binary
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import CollectionInvalid, DuplicateKeyError, OperationFailure

from pytest_pynenc_state.backends.mongo.server.errors import CommandError
from pytest_pynenc_state.backends.mongo.server.namespaces import Namespaces
from pytest_pynenc_state.backends.mongo.server.storage import open_client
from tests.mongo.server.conftest import Client, Collection, Database


def test_a_collection_exists_once_created_even_if_it_is_empty(database: Database) -> None:
    """Mongomock would forget it."""
    database.create_collection("made")
    database["written"].insert_one({"_id": 1})
    database["written"].delete_many({})
    database["indexed"].create_index("a")
    database["indexed"].drop_indexes()

    assert sorted(database.list_collection_names()) == ["indexed", "made", "written"]


def test_reading_creates_nothing(client: Client, database: Database) -> None:
    """Nor does updating or deleting what is not there."""
    things = database["things"]
    found = (things.find_one(), things.count_documents({}), things.distinct("a"))
    things.update_one({}, {"$set": {"a": 1}})
    things.delete_one({})
    things.find_one_and_update({}, {"$set": {"a": 1}})

    assert found == (None, 0, [])
    assert database.name not in client.list_database_names()


def test_an_existing_collection_is_not_created_again(database: Database) -> None:
    """Neither by the driver, which looks first, nor by the server."""
    database.create_collection("made")

    with pytest.raises(CollectionInvalid):
        database.create_collection("made")
    with pytest.raises(OperationFailure) as caught:
        database.command("create", "made")
    assert caught.value.code == 48


def test_a_dropped_collection_is_gone_with_its_indexes(
    database: Database, collection: Collection
) -> None:
    """What is created under its name later starts empty."""
    collection.create_index("a", unique=True)
    collection.insert_one({"_id": 1, "a": 1})
    dropped = database.command("drop", collection.name)
    collection.insert_many([{"_id": 1, "a": 2}, {"_id": 2, "a": 2}])

    assert dropped["nIndexesWas"] == 2
    assert list(collection.index_information()) == ["_id_"]


def test_dropping_what_is_not_there_is_an_error_that_drivers_swallow(database: Database) -> None:
    """Only the command itself complains."""
    database["missing"].drop()

    with pytest.raises(OperationFailure) as caught:
        database.command("drop", "missing")
    assert caught.value.code == 26


def test_a_dropped_database_is_gone(client: Client, database: Database) -> None:
    """With all of its collections."""
    database["one"].insert_one({})
    database["two"].insert_one({})
    client.drop_database(database.name)

    assert database.name not in client.list_database_names()
    assert database["one"].count_documents({}) == 0


def test_a_renamed_collection_keeps_documents_and_indexes(database: Database) -> None:
    """Only its name changes."""
    database["old"].create_index("a", unique=True)
    database["old"].insert_one({"_id": 1, "a": 1})
    database["old"].rename("new")

    assert database.list_collection_names() == ["new"]
    assert database["new"].find_one() == {"_id": 1, "a": 1}
    with pytest.raises(DuplicateKeyError):
        database["new"].insert_one({"a": 1})


def test_a_collection_takes_the_place_of_another_only_if_told(database: Database) -> None:
    """A rename must not lose documents by mistake."""
    database["old"].insert_one({"_id": 1})
    database["new"].insert_one({"_id": 2})
    with pytest.raises(OperationFailure) as caught:
        database["old"].rename("new")
    database["old"].rename("new", dropTarget=True)

    assert caught.value.code == 48
    assert list(database["new"].find()) == [{"_id": 1}]


def test_collections_are_described(database: Database) -> None:
    """By name and id, or as much of it as was asked for."""
    database.create_collection("one")
    database.create_collection("two")

    (described,) = database.list_collections(filter={"name": "one"})

    assert (described["name"], described["type"]) == ("one", "collection")
    assert isinstance(described["info"]["uuid"], Binary)
    assert database.list_collection_names(filter={"name": {"$regex": "^t"}}) == ["two"]


@pytest.mark.parametrize(
    ("database_name", "name"),
    [("", "c"), ("a/b", "c"), ("a b", "c"), ("a.b", "c"), ("x" * 64, "c"), ("d", "x" * 254)]
    + [("d", name) for name in ("", ".c", "c.", "a..b", "a$b", "a\0b")],
)
def test_what_cannot_be_a_name_creates_nothing(database_name: str, name: str) -> None:
    """Drivers refuse most of these themselves; other programs do not."""
    namespaces = Namespaces(open_client)

    with pytest.raises(CommandError) as caught:
        namespaces.create(database_name, name)

    assert caught.value.code == 73
    assert namespaces.databases() == []


def test_indexes_are_listed_with_their_options(collection: Collection) -> None:
    """As they were asked for, the one on ``_id`` first."""
    collection.create_index([("a", ASCENDING), ("b", DESCENDING)], unique=True, sparse=True)
    partial = {"c": {"$gt": 1}}
    collection.create_index("c", name="some", partialFilterExpression=partial)
    collection.create_index("d", expireAfterSeconds=3600)

    assert collection.index_information() == {
        "_id_": {"v": 2, "key": [("_id", 1)]},
        "a_1_b_-1": {"v": 2, "key": [("a", 1), ("b", -1)], "unique": True, "sparse": True},
        "some": {"v": 2, "key": [("c", 1)], "partialFilterExpression": partial},
        "d_1": {"v": 2, "key": [("d", 1)], "expireAfterSeconds": 3600},
    }


def test_an_index_created_again_is_the_same(database: Database, collection: Collection) -> None:
    """Programs do so at every start."""
    collection.create_index("a", unique=True)
    index = {"key": {"a": 1}, "name": "a_1", "unique": True}

    reply = database.command("createIndexes", collection.name, indexes=[index])

    assert (reply["numIndexesBefore"], reply["numIndexesAfter"]) == (2, 2)
    assert reply["note"] == "all indexes already exist"


@pytest.mark.parametrize(
    ("key", "options", "code"),
    [
        ("a", {"name": "other"}, 85),
        ("a", {"expireAfterSeconds": 5}, 85),
        ("a", {"unique": True}, 86),
        ("b", {"name": "a_1"}, 86),
    ],
)
def test_an_index_that_contradicts_another_is_refused(
    collection: Collection, key: str, options: dict[str, Any], code: int
) -> None:
    """Or a program would believe it has what it has not."""
    collection.create_index("a")

    with pytest.raises(OperationFailure) as caught:
        collection.create_index(key, **options)

    assert caught.value.code == code


def test_the_indexes_of_one_command_are_made_together_or_not_at_all(
    collection: Collection,
) -> None:
    """As MongoDB does."""
    collection.insert_many([{"a": 1, "b": 1}, {"a": 2, "b": 1}])

    with pytest.raises(DuplicateKeyError):
        collection.create_indexes([IndexModel("a"), IndexModel("b", unique=True)])

    assert list(collection.index_information()) == ["_id_"]


def test_a_partial_unique_index_binds_only_its_documents(collection: Collection) -> None:
    """Also if made by create_indexes, where mongomock forgets the condition."""
    partial = {"active": True}
    collection.create_indexes([IndexModel("a", unique=True, partialFilterExpression=partial)])
    collection.insert_many([{"a": 1}, {"a": 1}, {"a": 1, "active": True}])

    with pytest.raises(DuplicateKeyError):
        collection.insert_one({"a": 1, "active": True})


def test_an_index_is_dropped_by_name_key_or_all_at_once(collection: Collection) -> None:
    """The one on ``_id`` stays."""
    for name in ("a", "b", "c", "d"):
        collection.create_index(name)
    collection.drop_index("a_1")
    collection.drop_index([("b", 1)])
    left = list(collection.index_information())
    collection.drop_indexes()

    assert left == ["_id_", "c_1", "d_1"]
    assert list(collection.index_information()) == ["_id_"]


@pytest.mark.parametrize(("name", "code"), [("missing", 27), ("_id_", 72)])
def test_an_index_that_cannot_be_dropped(collection: Collection, name: str, code: int) -> None:
    """Because it is not there, or because nothing works without it."""
    collection.create_index("a")

    with pytest.raises(OperationFailure) as caught:
        collection.drop_index(name)

    assert caught.value.code == code


def test_an_index_without_its_rule_binds_no_longer(collection: Collection) -> None:
    """Neither uniqueness nor expiry outlives the index."""
    collection.create_index("a", unique=True)
    collection.create_index("at", expireAfterSeconds=0)
    collection.drop_indexes()
    collection.insert_many([{"a": 1}, {"a": 1, "at": dt.datetime(2000, 1, 1, tzinfo=dt.UTC)}])

    assert collection.count_documents({}) == 2
