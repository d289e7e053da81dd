"""What unique indexes of the indexed store refuse, and what is left after it."""

from __future__ import annotations

from typing import Any

import pytest
from bson import Decimal128
from pymongo.errors import DuplicateKeyError

from pytest_pynenc_state.backends.mongo.server.storage import open_client


@pytest.fixture
def collection() -> Any:
    """An empty collection of an indexed store."""
    return open_client()["database"]["collection"]


def _ids(collection: Any) -> list[Any]:
    return [document["_id"] for document in collection.find()]


def test_duplicate_is_refused_with_what_a_reply_needs(collection: Any) -> None:
    """A server names the index, its pattern and the value; drivers pass that on."""
    collection.create_index([("app", 1), ("key", -1)], unique=True)
    collection.insert_one({"_id": 1, "app": "a", "key": 1})

    with pytest.raises(DuplicateKeyError) as refusal:
        collection.insert_one({"_id": 2, "app": "a", "key": 1})

    assert refusal.value.code == 11000
    assert refusal.value.details == {
        "code": 11000,
        "errmsg": "E11000 duplicate key error collection: database.collection"
        ' index: app_1_key_-1 dup key: { app: "a", key: 1 }',
        "keyPattern": {"app": 1, "key": -1},
        "keyValue": {"app": "a", "key": 1},
    }
    assert _ids(collection) == [1]


@pytest.mark.parametrize("key", [7, {"a": 1, "b": 2}], ids=["number", "document"])
def test_duplicate_id_is_refused_with_what_a_reply_needs(collection: Any, key: Any) -> None:
    """The index on _id has no other words."""
    collection.insert_one({"_id": key})

    with pytest.raises(DuplicateKeyError) as refusal:
        collection.insert_one({"_id": key, "n": 1})

    assert refusal.value.details is not None
    assert refusal.value.details["keyPattern"] == {"_id": 1}
    assert refusal.value.details["keyValue"] == {"_id": key}
    assert collection.find_one() == {"_id": key}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"k": [1, 2]}, {"k": [2, 3]}),
        ({"k": [1, 2]}, {"k": 1}),
        ({"k": 1}, {"k": [1, 2]}),
        ({"k": []}, {"k": []}),
        ({"k": [{"s": 1}]}, {"k": {"s": 1}}),
        ({"k": 1}, {"k": True}),
        ({"k": None}, {}),
        ({}, {}),
        ({"k": Decimal128("1.5")}, {"k": Decimal128("1.5")}),
    ],
    ids=str,
)
def test_equal_keys_are_duplicates(collection: Any, first: Any, second: Any) -> None:
    """Arrays conflict by their elements; nothing equals None; 1 equals True as in mongomock."""
    collection.create_index([("k", 1)], unique=True)
    collection.insert_one({"_id": 1, **first})

    with pytest.raises(DuplicateKeyError):
        collection.insert_one({"_id": 2, **second})

    assert _ids(collection) == [1]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"k": [1, 2]}, {"k": [3]}),
        ({"k": [1, 1]}, {"k": [2, 2]}),
        ({"k": None}, {"k": 0}),
        ({"k": "1"}, {"k": 1}),
        ({"k": Decimal128("1.5")}, {"k": Decimal128("2.5")}),
    ],
    ids=str,
)
def test_different_keys_are_no_duplicates(collection: Any, first: Any, second: Any) -> None:
    """An index that refuses too much is as wrong as one that refuses too little."""
    collection.create_index([("k", 1)], unique=True)

    collection.insert_many([{"_id": 1, **first}, {"_id": 2, **second}])

    assert _ids(collection) == [1, 2]


def test_elements_of_documents_in_arrays_conflict(collection: Any) -> None:
    """A path through an array leads to the values of all its elements."""
    collection.create_index([("list.k", 1)], unique=True)
    collection.insert_one({"_id": 1, "list": [{"k": 1}, {"k": 2}]})

    with pytest.raises(DuplicateKeyError):
        collection.insert_one({"_id": 2, "list": [{"k": 3}, {"k": 2}]})


def test_document_does_not_conflict_with_itself(collection: Any) -> None:
    """Replacing a document by one with the same keys is no conflict."""
    collection.create_index([("k", 1)], unique=True)
    collection.insert_one({"_id": 1, "k": [1, 2]})

    collection.update_one({"_id": 1}, {"$set": {"k": [2, 3], "n": 1}})

    assert collection.find_one({"k": 3}) == {"_id": 1, "k": [2, 3], "n": 1}


def test_array_update_that_conflicts_is_refused(collection: Any) -> None:
    """The rule for arrays holds for what an update makes of them, too."""
    collection.create_index([("k", 1)], unique=True)
    collection.insert_many([{"_id": 1, "k": [1]}, {"_id": 2, "k": [2]}])

    with pytest.raises(DuplicateKeyError):
        collection.update_one({"_id": 2}, {"$push": {"k": 1}})

    assert collection.find_one({"_id": 2}) == {"_id": 2, "k": [2]}


def test_sparse_index_admits_documents_without_the_field(collection: Any) -> None:
    """Sparse means that what has no value is not looked after."""
    collection.create_index([("k", 1)], unique=True, sparse=True)
    collection.insert_many([{"_id": 1}, {"_id": 2}, {"_id": 3, "k": [1]}])

    with pytest.raises(DuplicateKeyError):
        collection.insert_one({"_id": 4, "k": [1, 2]})

    assert _ids(collection) == [1, 2, 3]


def test_sparse_index_looks_after_an_explicit_null(collection: Any) -> None:
    """Null is a value; only what is not there is left out."""
    collection.create_index([("k", 1)], unique=True, sparse=True)
    collection.insert_many([{"_id": 1}, {"_id": 2, "k": None}])

    with pytest.raises(DuplicateKeyError):
        collection.insert_one({"_id": 3, "k": None})

    assert _ids(collection) == [1, 2]


def test_partial_index_looks_after_matching_documents_only(collection: Any) -> None:
    """One may be running, any number may have run."""
    running = {"status": "running"}
    collection.create_index([("app", 1)], unique=True, partialFilterExpression=running)
    collection.insert_many([{"_id": n, "app": "a", "status": "done"} for n in range(3)])
    collection.insert_one({"_id": 3, "app": "a", "status": "running"})

    with pytest.raises(DuplicateKeyError):
        collection.update_one({"_id": 1}, {"$set": {"status": "running"}})
    collection.update_one({"_id": 3}, {"$set": {"status": "done"}})
    collection.update_one({"_id": 1}, {"$set": {"status": "running"}})

    assert [d["status"] for d in collection.find()] == ["done", "running", "done", "done"]


def test_partial_index_over_existing_documents_checks_the_matching_ones(collection: Any) -> None:
    """What it does not look after cannot be in its way."""
    collection.insert_many([{"app": "a", "status": "done"}, {"app": "a", "status": "done"}])

    collection.create_index([("app", 1)], unique=True, partialFilterExpression={"status": "new"})

    assert "app_1" in collection.index_information()


def test_unique_index_over_duplicates_is_not_made(collection: Any) -> None:
    """Neither the index nor its maps are left; a later insert is not checked."""
    collection.insert_many([{"_id": 1, "k": [1, 2]}, {"_id": 2, "k": [2, 3]}])

    with pytest.raises(DuplicateKeyError):
        collection.create_index([("k", 1)], unique=True)
    collection.insert_one({"_id": 3, "k": 1})

    assert list(collection.index_information()) == ["_id_"]


@pytest.mark.parametrize(
    "forget",
    [
        lambda collection: collection.drop_index("k_1"),
        lambda collection: collection.drop_indexes(),
        lambda collection: collection.drop(),
        lambda collection: collection.database.drop_collection(collection.name),
        lambda collection: collection.database.client.drop_database(collection.database.name),
    ],
    ids=["drop_index", "drop_indexes", "drop", "drop_collection", "drop_database"],
)
def test_dropped_index_refuses_nothing(collection: Any, forget: Any) -> None:
    """Its maps are gone with it, however it was dropped."""
    collection.create_index([("k", 1)], unique=True)
    collection.insert_one({"k": 1})

    forget(collection)
    collection.insert_many([{"k": 1}, {"k": 1}])

    assert collection.count_documents({"k": 1}) in {2, 3}


def test_renamed_collection_keeps_its_indexes(collection: Any) -> None:
    """The messages name it by its new name."""
    collection.create_index([("k", 1)], unique=True)
    collection.insert_one({"_id": 1, "k": 1})

    collection.rename("renamed")

    renamed = collection.database["renamed"]
    with pytest.raises(DuplicateKeyError, match=r"collection: database\.renamed index: k_1"):
        renamed.insert_one({"k": 1})
    assert list(renamed.find({"k": 1})) == [{"_id": 1, "k": 1}]
    assert list(collection.find({"k": 1})) == []
