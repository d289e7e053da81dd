"""Inserting, finding, updating and deleting as an unmodified driver sees them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import bson
import pytest
from bson import (
    DBRef,
    Decimal128,
    Int64,
    MaxKey,
    MinKey,
    ObjectId,
    Regex,
    Timestamp,
)
from bson.binary import Binary, UuidRepresentation
from bson.code import Code
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument
from pymongo import DeleteOne, InsertOne, ReplaceOne, ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure, WriteError

from tests.mongo.server.conftest import Client, Collection

_LARGEST = 16 * 1024 * 1024

_ALL_TYPES = {
    "_id": ObjectId("0123456789abcdef01234567"),
    "double": 1.5,
    "nan": float("nan"),
    "string": "häß\U0001f600",
    "document": {"z": 1, "a": {"$odd": 1, "dotted.name": 2}},
    "array": [1, [2, {"x": None}], {}],
    "binary": b"\x00\x01",
    "subtype_3": Binary(bytes(16), 3),
    "subtype_4": Binary(bytes(range(16)), 4),
    "subtype_5": Binary(bytes(16), 5),
    "subtype_128": Binary(b"x", 128),
    "object_id": ObjectId(),
    "true": True,
    "false": False,
    "date": dt.datetime(2024, 2, 29, 12, 30, 45, 678_000, dt.UTC),
    "null": None,
    "pattern": Regex("^a.*b$", "imx"),
    "reference": DBRef("other", 5, "db"),
    "code": Code("f()"),
    "scoped_code": Code("f()", {"x": 1}),
    "int32": 2**31 - 1,
    "int64": 2**63 - 1,
    "small_int64": Int64(1),
    "timestamp": Timestamp(5, 6),
    "decimal": Decimal128("1.10"),
    "smallest": MinKey(),
    "largest": MaxKey(),
    "": "no name",
}


def test_every_type_comes_back_as_the_same_bytes(client: Client, collection: Collection) -> None:
    """Programs store what they like, and compare what they get."""
    stored = bson.encode(_ALL_TYPES)
    codec = CodecOptions(document_class=RawBSONDocument)
    raw = client.get_database(collection.database.name, codec)[collection.name]
    raw.insert_one(RawBSONDocument(stored))

    found = raw.find_one()

    assert found is not None
    assert found.raw == stored


def test_a_date_that_datetime_cannot_hold_comes_back(
    client: Client, collection: Collection
) -> None:
    """BSON's dates reach further than Python's."""
    codec: CodecOptions[Any] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
    far = bson.encode({"_id": 1, "date": bson.datetime_ms.DatetimeMS(2**60)})
    client[collection.database.name].command(
        "insert", collection.name, documents=[RawBSONDocument(far)]
    )

    found = collection.with_options(codec_options=codec).find_one()

    assert bson.encode(found or {}) == far


@pytest.mark.parametrize("representation", [UuidRepresentation.STANDARD, 5, 6])
def test_ids_keep_their_representation(collection: Collection, representation: int) -> None:
    """Each driver writes UUIDs in its own order of bytes."""
    import uuid

    codec: CodecOptions[Any] = CodecOptions(uuid_representation=representation)
    own = collection.with_options(codec_options=codec)
    wanted = uuid.uuid4()
    own.insert_one({"_id": wanted})

    assert own.find_one({"_id": wanted}) == {"_id": wanted}


def test_the_largest_document_is_stored(collection: Collection) -> None:
    """The limit is MongoDB's, to the byte."""
    overhead = len(bson.encode({"_id": 1, "blob": b""}))
    collection.insert_one({"_id": 1, "blob": bytes(_LARGEST - overhead)})

    found = collection.find_one({"_id": 1})

    assert found is not None
    assert len(bson.encode(found)) == _LARGEST


def test_a_larger_document_is_refused(collection: Collection) -> None:
    """The driver lets some pass, so that the server has to count."""
    overhead = len(bson.encode({"_id": 1, "blob": b""}))

    with pytest.raises(WriteError) as caught:
        collection.insert_one({"_id": 1, "blob": bytes(_LARGEST + 1 - overhead)})

    assert caught.value.code == 2
    assert collection.count_documents({}) == 0


def test_an_update_beyond_the_largest_size_changes_nothing(collection: Collection) -> None:
    """A document that no reply could carry would be lost."""
    collection.insert_one({"_id": 1, "blob": bytes(_LARGEST - 100)})

    with pytest.raises(WriteError) as caught:
        collection.update_one({"_id": 1}, {"$set": {"more": bytes(200)}})

    assert caught.value.code == 17419
    assert collection.count_documents({"more": {"$exists": True}}) == 0


def test_a_duplicate_says_which_index_and_value(collection: Collection) -> None:
    """Programs read the pattern, people the message."""
    collection.create_index([("a", 1), ("b", -1)], unique=True)
    collection.insert_one({"a": 1, "b": 2})

    with pytest.raises(DuplicateKeyError) as caught:
        collection.insert_one({"a": 1, "b": 2})

    assert caught.value.details is not None
    assert caught.value.details["keyPattern"] == {"a": 1, "b": -1}
    assert caught.value.details["keyValue"] == {"a": 1, "b": 2}
    assert "index: a_1_b_-1 dup key" in caught.value.details["errmsg"]


def test_an_ordered_batch_ends_at_its_first_error(collection: Collection) -> None:
    """What comes after it was not tried."""
    documents = [{"_id": 1}, {"_id": 2}, {"_id": 1}, {"_id": 3}]

    with pytest.raises(BulkWriteError) as caught:
        collection.insert_many(documents)

    assert caught.value.details["nInserted"] == 2
    assert [error["index"] for error in caught.value.details["writeErrors"]] == [2]


def test_an_unordered_batch_does_all_that_it_can(collection: Collection) -> None:
    """Every error has the number of its own statement."""
    documents = [{"_id": 1}, {"_id": 1}, {"_id": 2}, {"_id": 2}, {"_id": 3}]

    with pytest.raises(BulkWriteError) as caught:
        collection.insert_many(documents, ordered=False)

    assert caught.value.details["nInserted"] == 3
    assert [error["index"] for error in caught.value.details["writeErrors"]] == [1, 3]


def test_a_mixed_batch_counts_what_it_did(collection: Collection) -> None:
    """The driver makes one command of each run of the same operation."""
    result = collection.bulk_write(
        [
            InsertOne({"_id": 1, "n": 1}),
            UpdateOne({"_id": 1}, {"$inc": {"n": 1}}),
            UpdateOne({"_id": 2}, {"$set": {"n": 5}}, upsert=True),
            ReplaceOne({"_id": 1}, {"n": 9}),
            DeleteOne({"_id": 2}),
        ]
    )

    counts = (result.inserted_count, result.matched_count, result.modified_count)
    assert counts == (1, 2, 2)
    assert (result.deleted_count, result.upserted_ids) == (1, {2: 2})
    assert list(collection.find()) == [{"_id": 1, "n": 9}]


def test_a_found_document_has_its_id_in_front(collection: Collection) -> None:
    """As MongoDB orders fields, whatever the projection."""
    collection.insert_one({"b": 1, "a": 2, "_id": 3})

    found = collection.find_one({}, {"a": 1, "b": 1})
    modified = collection.find_one_and_update({}, {"$set": {"c": 1}}, {"a": 1, "b": 1})

    assert list((found or {}).items()) == [("_id", 3), ("b", 1), ("a", 2)]
    assert list((modified or {}).items()) == [("_id", 3), ("b", 1), ("a", 2)]


@pytest.mark.parametrize("projection", [{"_id": 0}, {"_id": 0, "n": 1}, {"n": 1}, None])
def test_find_one_and_update_changes_the_document_it_returns(
    collection: Collection, projection: dict[str, int] | None
) -> None:
    """Also if the projection hides which one that is."""
    collection.insert_many([{"_id": number, "n": number} for number in range(5)])

    old = collection.find_one_and_update(
        {"n": {"$gt": 1}}, {"$set": {"taken": True}}, projection, sort=[("n", -1)]
    )

    assert (old or {}).get("n") == 4
    assert [thing["_id"] for thing in collection.find({"taken": True})] == [4]


def test_find_one_and_update_returns_what_was_asked_for(collection: Collection) -> None:
    """Before or after, found or made."""
    made = collection.find_one_and_update(
        {"_id": 1}, {"$inc": {"n": 1}}, upsert=True, return_document=ReturnDocument.AFTER
    )
    before = collection.find_one_and_update({"_id": 1}, {"$inc": {"n": 1}})
    missing = collection.find_one_and_update({"_id": 2}, {"$inc": {"n": 1}})
    replaced = collection.find_one_and_replace({"_id": 1}, {"n": 8}, return_document=True)
    removed = collection.find_one_and_delete({}, sort=[("n", 1)])

    assert [made, before, missing] == [{"_id": 1, "n": 1}, {"_id": 1, "n": 1}, None]
    assert [replaced, removed] == [{"_id": 1, "n": 8}, {"_id": 1, "n": 8}]
    assert collection.count_documents({}) == 0


@pytest.mark.parametrize("wanted_id", [0, "", False])
def test_a_replacement_keeps_an_id_that_is_false(collection: Collection, wanted_id: object) -> None:
    """0 is an id like any other."""
    collection.insert_one({"_id": wanted_id, "a": 1})
    collection.replace_one({"a": 1}, {})

    assert list(collection.find()) == [{"_id": wanted_id}]


@pytest.mark.parametrize(
    ("wanted", "change", "stored"),
    [
        ({"a": 1}, {"$set": {"b": 2}}, {"a": 1, "b": 2}),
        ({"a": {"$eq": 1}}, {"$set": {"b": 2}}, {"a": 1, "b": 2}),
        ({"a": {"$gt": 1}}, {"$set": {"b": 2}}, {"b": 2}),
        ({"$and": [{"a": 1}, {"c.d": 3}]}, {"$set": {"b": 2}}, {"a": 1, "c": {"d": 3}, "b": 2}),
        ({"a": 1}, {"$setOnInsert": {"b": 2}, "$inc": {"n": 1}}, {"a": 1, "b": 2, "n": 1}),
        ({"a": 1}, {"$push": {"l": 1}}, {"a": 1, "l": [1]}),
    ],
)
def test_an_upsert_takes_the_filters_equalities(
    collection: Collection, wanted: dict[str, Any], change: dict[str, Any], stored: dict[str, Any]
) -> None:
    """Those of $and too, which mongomock forgets."""
    result = collection.update_one(wanted, change, upsert=True)

    found = collection.find_one()
    assert found == {"_id": result.upserted_id, **stored}


@pytest.mark.parametrize(
    ("wanted", "replacement", "expected_id"),
    [
        ({"_id": 5}, {"a": 1}, 5),
        ({"_id": {"$eq": 5}}, {"a": 1}, 5),
        ({"x": 1}, {"_id": 6, "a": 1}, 6),
    ],
)
def test_an_upserted_replacement_has_the_id_that_was_asked_for(
    collection: Collection, wanted: dict[str, Any], replacement: dict[str, Any], expected_id: int
) -> None:
    """And nothing else of the filter."""
    result = collection.replace_one(wanted, replacement, upsert=True)

    assert result.upserted_id == expected_id
    assert list(collection.find()) == [{"_id": expected_id, "a": 1}]


def test_an_upserted_replacement_takes_no_condition_for_an_id(collection: Collection) -> None:
    """Mongomock would store the operator."""
    result = collection.replace_one({"_id": {"$in": [1, 2]}}, {"a": 1}, upsert=True)

    assert isinstance(result.upserted_id, ObjectId)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"$set": {"n": 2}, "$inc": {"s": 1}}, 14),
        ({"$set": {"n": 2, "s.x": 1}}, 28),
        ({"$set": {"_id": 2}}, 66),
        ({"$set": {"n": 2}, "$addToSet": {"s": 1}}, 2),
        ({"$set": {"n": 2}, "$pull": {"s": 1}}, 2),
        ({"$set": {"n": 2}, "$inc": {"n": 1}}, 40),
        ({"$set": {"o": 1, "o.x": 1}}, 40),
        ({"$frob": {"n": 2}}, 9),
        ({"$set": 5}, 9),
        ({"$inc": {"n": "1"}}, 14),
        ({"$set": {"a..b": 1}}, 56),
    ],
)
def test_a_failed_update_changes_nothing(
    collection: Collection, change: dict[str, Any], code: int
) -> None:
    """Not even the fields that come before the one that fails."""
    before = {"_id": 1, "n": 1, "s": "text", "o": {"x": 0}}
    collection.insert_one(dict(before))

    with pytest.raises(OperationFailure) as caught:
        collection.update_one({"_id": 1}, change)

    assert caught.value.code == code
    assert collection.find_one() == before


def test_the_current_date_is_one_that_can_be_asked_for(collection: Collection) -> None:
    """Stored with microseconds, it would equal nothing that a client can send."""
    collection.insert_one({"_id": 1})
    collection.update_one({}, {"$currentDate": {"at": True, "ts": {"$type": "timestamp"}}})

    found = collection.find_one() or {}

    assert collection.count_documents({"at": found["at"]}) == 1
    assert isinstance(found["ts"], Timestamp)


def test_distinct_tells_true_from_one(collection: Collection) -> None:
    """And unites 1 and 1.0; of arrays it takes the elements."""
    collection.insert_many([{"a": 1}, {"a": True}, {"a": 1.0}, {"a": [2, [3]]}, {"a": {"b": 1}}])

    values = collection.distinct("a")

    assert [(type(value), value) for value in values] == [
        (int, 1),
        (bool, True),
        (int, 2),
        (list, [3]),
        (dict, {"b": 1}),
    ]


@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [
        ([{"$count": "n"}], [{"n": 3}]),
        ([{"$match": {"a": 9}}, {"$count": "n"}], []),
        ([{"$match": {"a": 9}}, {"$group": {"_id": None, "n": {"$sum": 1}}}], []),
        ([{"$group": {"_id": None, "n": {"$sum": "$a"}}}], [{"_id": None, "n": 3}]),
        ([{"$group": {"_id": "$b", "x": {"$first": "$c"}}}], [{"_id": 1, "x": None}]),
        ([{"$sort": {"a": -1}}, {"$limit": 1}, {"$project": {"a": 1, "_id": 0}}], [{"a": 2}]),
        ([{"$unwind": "$l"}, {"$project": {"l": True}}], [{"_id": 0, "l": 5}, {"_id": 0, "l": 6}]),
        (
            [{"$skip": 2}, {"$set": {"d": {"$add": ["$a", 1]}}}],
            [{"_id": 2, "a": 2, "b": 1, "d": 3}],
        ),
    ],
)
def test_a_pipeline_returns_what_mongodb_returns(
    collection: Collection, pipeline: list[dict[str, Any]], expected: list[dict[str, Any]]
) -> None:
    """Also of nothing, and of documents that lack a field."""
    collection.insert_many(
        [
            {"_id": 0, "a": 0, "b": 1, "l": [5, 6]},
            {"_id": 1, "a": 1, "b": 1, "c": 7},
            {"_id": 2, "a": 2, "b": 1},
        ]
    )

    assert list(collection.aggregate(pipeline)) == expected


def test_another_collection_can_be_looked_up(collection: Collection) -> None:
    """A document without partner gets an empty list."""
    collection.insert_many([{"_id": 1, "other": 7}, {"_id": 2, "other": 8}])
    collection.database["others"].insert_one({"_id": 7})
    lookup = {"from": "others", "localField": "other", "foreignField": "_id", "as": "found"}

    joined = collection.aggregate([{"$lookup": lookup}])

    assert [thing["found"] for thing in joined] == [[{"_id": 7}], []]
