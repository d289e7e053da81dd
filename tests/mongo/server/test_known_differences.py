"""Where the server is known to differ from MongoDB, without an error.

mongomock does these things in its own way, and this server lets it. ``docs/mongomock.md`` lists
them.
"""

from __future__ import annotations

from typing import Any

import pytest
from bson import Decimal128
from pymongo.errors import DuplicateKeyError

from tests.mongo.server.conftest import Collection, Document


@pytest.mark.parametrize(
    ("document", "wanted", "count", "on_mongodb"),
    [
        ({"a": True}, {"a": 1}, 1, 0),
        ({"a": 1}, {"a": {"$in": [True]}}, 1, 0),
        ({"a": 1}, {"$expr": {"$eq": ["$a", True]}}, 1, 0),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 2, "x": 1}}, 1, 0),
        ({"a": float("nan")}, {"a": float("nan")}, 0, 1),
        ({"a": Decimal128("1.1")}, {"a": Decimal128("1.10")}, 0, 1),
        ({"a": [[1]]}, {"a": {"$eq": [1]}}, 0, 1),
        ({"a": 1}, {"a.b": None}, 0, 1),
        ({"a": 1}, {"a.b": {"$in": [None]}}, 0, 1),
        ({"a": 1}, {"a.b": {"$ne": None}}, 1, 0),
        ({"a": None}, {"$expr": {"$eq": ["$a", "$b"]}}, 1, 0),
        ({"a": [{"b": 1}, {}]}, {"a.b": {"$exists": False}}, 1, 0),
        ({"a": "\u0663"}, {"a": {"$regex": r"\d"}}, 1, 0),
    ],
    ids=repr,
)
def test_of_equality(
    collection: Collection, document: Document, wanted: Document, count: int, on_mongodb: int
) -> None:
    """Mongomock compares as Python does; here is where a test may be fooled."""
    collection.insert_one(document)

    assert collection.count_documents(wanted) == count
    assert count != on_mongodb


@pytest.mark.parametrize(
    ("change", "here", "on_mongodb"),
    [
        ({"$pull": {"l": 1}}, [2], [True, 2]),
        ({"$pullAll": {"l": [True]}}, [2], [1, 2]),
        ({"$addToSet": {"l": False}}, [1, True, 2, False], [1, True, 2, False]),
        ({"$addToSet": {"l": 2.0}}, [1, True, 2], [1, True, 2]),
        ({"$push": {"l": {"$each": [0], "$sort": 1}}}, [0, 1, True, 2], [0, 1, 2, True]),
    ],
    ids=repr,
)
def test_of_booleans_in_arrays(
    collection: Collection, change: Document, here: list[Any], on_mongodb: list[Any]
) -> None:
    """To Python 1 is True, and 0 is False."""
    collection.insert_one({"_id": 1, "l": [1, True, 2]})

    collection.update_one({}, change)

    assert (collection.find_one() or {})["l"] == here
    assert [*map(type, here)] != [*map(type, on_mongodb)] or here == on_mongodb


@pytest.mark.parametrize("key", ["_id", "u"])
@pytest.mark.parametrize(
    "pair", [(1, True), ({"x": 1, "y": 2}, {"y": 2, "x": 1})], ids=["booleans", "order"]
)
def test_of_unique_keys(collection: Collection, key: str, pair: tuple[Any, Any]) -> None:
    """MongoDB stores both."""
    collection.create_index("u", unique=True)
    collection.insert_one({key: pair[0]})

    with pytest.raises(DuplicateKeyError):
        collection.insert_one({key: pair[1], "u" if key == "_id" else "_id": 2})


def test_of_groups(collection: Collection) -> None:
    """MongoDB makes two of them, and adds up what is a number only."""
    collection.insert_many([{"k": 1, "n": 1}, {"k": True, "n": True}])

    grouped = list(collection.aggregate([{"$group": {"_id": "$k", "n": {"$sum": "$n"}}}]))

    assert grouped == [{"_id": 1, "n": 2}]


def test_of_sorting_by_arrays(collection: Collection) -> None:
    """Mongomock takes the first element, MongoDB the smallest."""
    collection.insert_many([{"_id": 1, "l": [5, 1]}, {"_id": 2, "l": [3]}])

    assert [thing["_id"] for thing in collection.find().sort("l")] == [2, 1]
