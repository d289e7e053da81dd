"""What an upsert takes over from its filter."""

from __future__ import annotations

import pytest
from bson import Regex
from pymongo.errors import OperationFailure

from tests.mongo.server.conftest import Collection, Document

STORED: list[tuple[Document, Document]] = [
    ({"_id": None}, {"_id": None}),
    ({"_id": {"$eq": None}}, {"_id": None}),
    ({"_id": {"k": 1}}, {"_id": {"k": 1}}),
    ({"a": {"$all": [1]}}, {"a": 1}),
    ({"$or": [{"a": 1}]}, {"a": 1}),
    ({"$and": [{"a": 1}, {"$or": [{"b.c": 2}]}]}, {"a": 1, "b": {"c": 2}}),
    ({"$and": [{"a": {"$gt": 1}}, {"a": 5}]}, {"a": 5}),
    ({"a": {}}, {"a": {}}),
    ({"a": {"x": {"$gt": 1}}}, {"a": {"x": {"$gt": 1}}}),
    ({"a": Regex("x")}, {}),
    ({"a": {"$gt": 1}, "b": {"$all": [{"$elemMatch": {"c": 1}}]}}, {}),
    ({"$or": [{"a": 1}, {"b": 1}]}, {}),
    ({"$nor": [{"a": 1}], "$comment": "why"}, {}),
]


@pytest.mark.parametrize(("wanted", "stored"), STORED, ids=repr)
def test_an_upsert_stores_what_its_filter_equals(
    collection: Collection, wanted: Document, stored: Document
) -> None:
    """Conditions that a value only has to satisfy leave nothing behind."""
    result = collection.update_one(wanted, {"$inc": {"n": 1}}, upsert=True)

    found = collection.find_one() or {}
    assert found["_id"] == result.upserted_id
    assert {**found, **stored} == found
    assert found.keys() == {"_id", "n", *stored}


@pytest.mark.parametrize("wanted", [wanted for wanted, stored in STORED if stored], ids=repr)
def test_what_was_upserted_is_found_the_next_time(collection: Collection, wanted: Document) -> None:
    """So that there is one document after two upserts."""
    collection.find_one_and_update(wanted, {"$inc": {"n": 1}}, upsert=True)
    second = collection.find_one_and_update(
        wanted, {"$inc": {"n": 1}}, upsert=True, return_document=True
    )

    assert second["n"] == 2
    assert list(collection.find()) == [second]


@pytest.mark.parametrize(
    "wanted",
    [
        {"a": {"$in": [1]}},
        {"a": {"$all": [1, 2]}},
        {"a": 1, "$and": [{"a": 2}]},
        {"a": 1, "a.b": 2},
    ],
    ids=repr,
)
def test_an_upsert_is_refused_if_it_is_not_clear_what_to_store(
    collection: Collection, wanted: Document
) -> None:
    """MongoDB refuses most of these, too, once there is nothing to update."""
    with pytest.raises(OperationFailure) as caught:
        collection.update_one(wanted, {"$set": {"n": 1}}, upsert=True)

    assert caught.value.code == 238
    assert list(collection.find()) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [({"$set": {"a.b": 1}}, 28), ({"$pull": {"a": 1}}, 2), ({"$push": {"a": 1}}, 238)],
    ids=repr,
)
def test_an_upsert_that_does_not_suit_its_filter_inserts_nothing(
    collection: Collection, change: Document, code: int
) -> None:
    """As an update of such a document changes nothing."""
    with pytest.raises(OperationFailure) as caught:
        collection.update_one({"a": 5}, change, upsert=True)

    assert caught.value.code == code
    assert list(collection.find()) == []
