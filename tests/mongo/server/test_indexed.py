"""What the indexed store finds, in which order, and how it replaces documents."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import mongomock
import pytest
from bson import Code, Decimal128, ObjectId, Regex
from pymongo.errors import DuplicateKeyError, OperationFailure

from pytest_pynenc_state.backends.mongo.server.indexing import keymap as keymap_module
from pytest_pynenc_state.backends.mongo.server.storage import open_client

_OBJECT_ID = ObjectId("0123456789abcdef01234567")
_DATE = dt.datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=dt.UTC)


@pytest.fixture
def collection() -> Any:
    """An empty collection of an indexed store, with an index on ``k``."""
    made = open_client()["database"]["collection"]
    made.create_index([("k", 1)])
    return made


def _ids(documents: Any) -> list[Any]:
    return [document["_id"] for document in documents]


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [
        (1, 1.0),
        (1, True),
        (1.0, {"$eq": 1}),
        (None, None),
        ([1, 2], 2),
        ([1, 2], [1, 2]),
        ([1, [2, 3]], [2, 3]),
        ([], []),
        ([None], None),
        ({"a": 1, "b": [2]}, {"b": [2], "a": 1}),
        ({"a": Decimal128("1")}, {"a": Decimal128("1")}),
        (Decimal128("1"), Decimal128("1")),
        (Code("f()"), Code("f()")),
        ([Decimal128("1"), 7], 7),
        (_OBJECT_ID, _OBJECT_ID),
        ([str(_OBJECT_ID)], _OBJECT_ID),
        (_DATE, _DATE),
        ("text", Regex("^te")),
        ("text", {"$in": [Regex("^te")]}),
        ("text", re.compile("^te")),
        ("text", {"$in": ["none", re.compile("^te")]}),
        (b"bytes", b"bytes"),
        (1, {"$in": ["none", True]}),
        (None, {"$in": ["none", None]}),
        ([1, [2]], {"$in": ["none", [2]]}),
        ({"a": 1, "b": 2}, {"$in": ["none", {"b": 2, "a": 1}]}),
        (Decimal128("1"), {"$in": ["none", Decimal128("1")]}),
    ],
    ids=repr,
)
def test_index_misses_nothing_that_matches(collection: Any, stored: Any, wanted: Any) -> None:
    """Whatever mongomock calls equal is found, among documents that are not."""
    collection.insert_many([{"_id": 1, "k": "other"}, {"_id": 2, "k": stored}, {"_id": 3, "k": 9}])

    assert _ids(collection.find({"k": wanted})) == [2]


def test_missing_field_equals_none(collection: Any) -> None:
    """As on a server; a path into a scalar is no missing field to mongomock."""
    collection.create_index([("d.x", 1)])
    values: list[Any] = [{}, {"d": {}}, {"d": 5}, {"d": {"x": 1}}, {"d": {"x": None}}]
    collection.insert_many([{"_id": n, **value} for n, value in enumerate(values)])

    assert _ids(collection.find({"d.x": None})) == [0, 1, 4]


def test_empty_document_as_condition_is_left_to_the_matcher(collection: Any) -> None:
    """Mongomock lets missing fields satisfy it, too."""
    collection.insert_many([{"_id": 1, "k": {}}, {"_id": 2}, {"_id": 3, "k": 1}])

    assert _ids(collection.find({"k": {}})) == [1, 2]


def test_found_documents_are_in_the_order_of_insertion(collection: Any) -> None:
    """Also after updates that brought them into the index in another order."""
    collection.insert_many([{"_id": n} for n in (3, 1, 2)])
    for key in (2, 1, 3):
        collection.update_one({"_id": key}, {"$set": {"k": "same"}})

    assert _ids(collection.find({"k": "same"})) == [3, 1, 2]


def test_document_inserted_again_is_last(collection: Any) -> None:
    """A deleted document leaves no place behind."""
    collection.insert_many([{"_id": n, "k": 0} for n in (1, 2)])
    collection.delete_one({"_id": 1})
    collection.insert_one({"_id": 1, "k": 0})

    assert _ids(collection.find({"k": 0})) == [2, 1]


def test_several_long_lists_of_values_find_what_one_finds(collection: Any) -> None:
    """Their combinations are too many to look up; the first list alone is not."""
    collection.create_index([("a", 1), ("b", 1)])
    collection.insert_many([{"_id": n, "a": n, "b": -n} for n in range(300)])

    wanted = {"a": {"$in": list(range(100, 400))}, "b": {"$in": list(range(-200, 100))}}

    assert _ids(collection.find(wanted)) == list(range(100, 201))


def test_moved_document_is_found_by_its_new_key_only(collection: Any) -> None:
    """Maps follow updates."""
    collection.insert_one({"_id": 1, "k": ["a", "b"]})

    collection.update_one({"_id": 1}, {"$pull": {"k": "a"}})

    assert _ids(collection.find({"k": "a"})) == []
    assert _ids(collection.find({"k": "b"})) == [1]


def test_unknown_operator_is_refused_although_no_document_is_a_candidate(collection: Any) -> None:
    """A malformed filter is an error, not an empty result."""
    collection.insert_one({"_id": 1, "k": 1})

    with pytest.raises(OperationFailure, match="unknown operator"):
        list(collection.find({"n": {"$bogus": 1}, "k": "none"}))


def test_long_arrays_in_two_fields_are_found(
    collection: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A document with too many keys has none, and is always a candidate."""
    monkeypatch.setattr(keymap_module, "_MOST_KEYS", 5)
    collection.create_index([("a", 1), ("b", 1)])
    collection.insert_one({"_id": 1, "a": [1, 2, 3], "b": [1, 2, 3]})

    assert _ids(collection.find({"a": 2, "b": 3})) == [1]
    assert collection._store.table.lookups["a", "b"].odd == {0}


def test_cursor_reads_what_was_stored_at_its_first_read(collection: Any) -> None:
    """Writes while it reads do not get in; they copy."""
    collection.insert_many([{"_id": n, "n": 0} for n in range(3)])
    cursor = collection.find()
    first = next(cursor)

    collection.update_many({}, {"$set": {"n": 1}})
    collection.delete_one({"_id": 2})
    collection.insert_one({"_id": 9})

    assert [first, *cursor] == [{"_id": n, "n": 0} for n in range(3)]


def test_rewound_and_cloned_cursors_begin_again(collection: Any) -> None:
    """With what is stored then."""
    collection.insert_many([{"_id": n} for n in range(5)])
    cursor = collection.find().skip(1).limit(2)

    assert _ids(cursor) == [1, 2]
    assert _ids(cursor.clone()) == [1, 2]
    collection.delete_one({"_id": 1})
    cursor.rewind()
    assert _ids(cursor) == [2, 3]


@pytest.mark.parametrize(
    ("update", "modified"),
    [
        ({"$set": {"n": 2.0}}, 1),
        ({"$set": {"n": True}}, 1),
        ({"$set": {"n": 2}}, 0),
        ({"$inc": {"n": 0}}, 0),
        ({"$inc": {"n": 0.0}}, 1),
        ({"$addToSet": {"tags": "a"}}, 0),
    ],
    ids=str,
)
def test_document_is_modified_if_its_bson_changes(
    collection: Any, update: Any, modified: int
) -> None:
    """As on a server: 2 and 2.0 are equal, and different."""
    collection.insert_one({"_id": 1, "n": 2, "tags": ["a"]})

    result = collection.update_one({"_id": 1}, update)

    assert (result.matched_count, result.modified_count) == (1, modified)


def test_equal_value_of_another_type_is_stored(collection: Any) -> None:
    """What counts as modified has to be there."""
    collection.insert_one({"_id": 1, "n": 2})

    collection.update_one({"_id": 1}, {"$set": {"n": 2.0}})

    assert repr(collection.find_one()["n"]) == "2.0"


def test_documents_with_documents_as_ids_are_kept_by_them(collection: Any) -> None:
    """An _id may be a document; a failed update leaves it as it was."""
    key = {"app": "a", "id": 1}
    collection.create_index([("u", 1)], unique=True)
    collection.insert_many([{"_id": key, "u": 1}, {"_id": 2, "u": 2}])

    with pytest.raises(DuplicateKeyError):
        collection.update_one({"_id": key}, {"$set": {"u": 2}})
    collection.update_one({"_id": key}, {"$set": {"u": 3}})

    assert collection.find_one({"_id": key}) == {"_id": key, "u": 3}
    assert collection.delete_one({"_id": key}).deleted_count == 1


def test_documents_expire_from_the_indexes_too(
    collection: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time to live is up: the key is free."""
    now = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - mongomock's clock has no zone
    monkeypatch.setattr(mongomock, "utcnow", lambda: now)
    collection.create_index([("u", 1)], unique=True)
    collection.create_index([("at", 1)], expireAfterSeconds=60)
    collection.insert_one({"u": 1, "k": 1, "at": now})

    now += dt.timedelta(seconds=61)
    collection.insert_one({"_id": 2, "u": 1, "k": 1})

    assert _ids(collection.find({"k": 1})) == [2]


def test_documents_may_expire_at_once(collection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zero seconds are a time to live, not none."""
    monkeypatch.setattr(mongomock, "utcnow", lambda: dt.datetime(2026, 1, 1))  # noqa: DTZ001 - as above
    collection.create_index([("at", 1)], expireAfterSeconds=0)

    collection.insert_one({"at": dt.datetime(2026, 1, 1)})  # noqa: DTZ001 - as above

    assert collection.count_documents({}) == 0


@pytest.mark.parametrize("fields", [None, ["d"], {"list": {"$slice": 1}}], ids=str)
def test_readers_cannot_change_what_is_stored(collection: Any, fields: Any) -> None:
    """Whatever the projection, what is read is a copy."""
    stored = {"_id": {"x": 1}, "k": 1, "d": {"x": 1}, "list": [{"x": 1}]}
    collection.insert_one(stored)

    for value in collection.find_one({"k": 1}, fields).values():
        if isinstance(value, dict):
            value["x"] = "changed"
        if isinstance(value, list):
            value[0]["x"] = "changed"

    assert collection.find_one() == stored


def test_first_match_is_deleted(collection: Any) -> None:
    """In the order of insertion, and no other."""
    collection.insert_many([{"_id": key, "k": 1} for key in ({"n": 0}, {"n": 1}, None)])

    assert collection.delete_one({"k": 1}).deleted_count == 1
    assert collection.delete_one({"k": 2}).deleted_count == 0
    assert _ids(collection.find()) == [{"n": 1}, None]


def test_index_is_made_once(collection: Any) -> None:
    """The same again is nothing; another of the same name is an error."""
    assert collection.create_index([("k", 1)]) == "k_1"

    with pytest.raises(OperationFailure, match="different options"):
        collection.create_index([("k", 1)], unique=True)


def test_count_by_aggregation_is_that_of_the_filter(collection: Any) -> None:
    """Pymongo counts in this way; of nothing it wants no document."""
    collection.insert_many([{"k": n % 2} for n in range(10)])

    def counted(wanted: Any, *slices: Any) -> list[Any]:
        last = {"$group": {"_id": 1, "n": {"$sum": 1}}}
        return list(collection.aggregate([{"$match": wanted}, *slices, last]))

    assert counted({"k": 1}) == [{"_id": 1, "n": 5}]
    assert counted({}, {"$skip": 3}, {"$limit": 4}) == [{"_id": 1, "n": 4}]
    assert counted({"k": 7}) == []


def test_aggregation_does_not_change_what_is_stored(collection: Any) -> None:
    """Its stages work on copies."""
    collection.insert_one({"_id": 1, "k": 1, "d": {"x": 1}})

    list(collection.aggregate([{"$match": {"k": 1}}, {"$addFields": {"d.y": 2}}]))

    assert collection.find_one() == {"_id": 1, "k": 1, "d": {"x": 1}}
