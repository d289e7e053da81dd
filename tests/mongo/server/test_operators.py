"""Update operators and accumulators that meet values of another type than usual."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from bson import Decimal128, Int64
from pymongo.errors import OperationFailure

from tests.mongo.server.conftest import Collection, Document

_DAY = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)

CHANGED: list[tuple[Any, Document, Any]] = [
    ("x", {"$min": {"a": 1}}, 1),
    ("x", {"$max": {"a": 1}}, "x"),
    (None, {"$max": {"a": 1}}, 1),
    (None, {"$min": {"a": 1}}, None),
    (5, {"$min": {"a": None}}, None),
    (_DAY, {"$max": {"a": True}}, _DAY),
    ({"x": 1}, {"$max": {"a": [1]}}, [1]),
    (True, {"$min": {"a": 0}}, 0),
    ({"b": "x"}, {"$min": {"a.b": 1}, "$max": {"a.c": 2}}, {"b": 1, "c": 2}),
    ([1], {"$inc": {"a.0": 4, "a.2": 1}}, [5, None, 1]),
    ([{"b": 1}], {"$set": {"a.0.c": 2}}, [{"b": 1, "c": 2}]),
    ({"b": [1, 2]}, {"$pull": {"a.b": 1}}, {"b": [2]}),
]


@pytest.mark.parametrize(("before", "change", "after"), CHANGED, ids=repr)
def test_values_of_all_types_are_compared(
    collection: Collection, before: Any, change: Document, after: Any
) -> None:
    """Null is less than numbers, these less than strings, and so on."""
    collection.insert_one({"_id": 1, "a": before})

    collection.update_one({}, change)

    assert collection.find_one() == {"_id": 1, "a": after}


@pytest.mark.parametrize(
    ("before", "amount", "kind"), [(1, 1, int), (Int64(1), 1, Int64), (1, Int64(1), Int64)]
)
def test_a_counter_keeps_its_width(
    collection: Collection, before: int, amount: int, kind: type
) -> None:
    """A 64-bit number on either side makes one."""
    collection.insert_one({"_id": 1, "n": before})
    collection.update_one({}, {"$inc": {"n": amount}})

    found = (collection.find_one() or {})["n"]

    assert (found, type(found)) == (2, kind)


REFUSED: list[tuple[Any, Document, int]] = [
    (True, {"$inc": {"a": 1}}, 14),
    (None, {"$inc": {"a": 1}}, 14),
    ("x", {"$inc": {"a": 1}}, 14),
    (Decimal128("1"), {"$inc": {"a": 1}}, 238),
    (Decimal128("1"), {"$max": {"a": 1}}, 238),
    ([{"b": 1}], {"$set": {"a.b": 9}}, 28),
    ([{"b": 1}], {"$inc": {"a.b": 9}}, 28),
    ([{"b": 1}], {"$push": {"a.b.c": 9}}, 28),
    ([1], {"$set": {"a.-1": 9}}, 28),
    ([1, 2], {"$pull": {"a.b": 1}}, 238),
    ([[1], 1], {"$pull": {"a.0": 1}}, 238),
    ([[1], 1], {"$pullAll": {"a.0": [1]}}, 238),
    ([[1], 1], {"$addToSet": {"a.0": 1}}, 238),
    ([1], {"$push": {"a.5": 1}}, 238),
    ([2, "x"], {"$push": {"a": {"$each": [1], "$sort": 1}}}, 238),
    ([{"k": 1}, {}], {"$push": {"a": {"$each": [], "$sort": {"k": 1}}}}, 238),
    ([1], {"$pull": {"a": {}}}, 238),
]


@pytest.mark.parametrize(("before", "change", "code"), REFUSED, ids=repr)
def test_what_mongomock_gets_wrong_is_refused(
    collection: Collection, before: Any, change: Document, code: int
) -> None:
    """With a reason, and nothing is changed."""
    collection.insert_one({"_id": 1, "a": before})

    with pytest.raises(OperationFailure) as caught:
        collection.update_one({}, change)

    assert caught.value.code == code
    assert (
        code != 238
        or "not supported here" in str(caught.value)
        or "mongomock" in str(caught.value).lower()
    )
    assert collection.find_one() == {"_id": 1, "a": before}


def test_a_field_is_made_within_what_the_filter_says_is_null(collection: Collection) -> None:
    """The filter of an update chooses a document, and is not looked at again."""
    collection.insert_one({"_id": 1, "a": None})

    collection.update_one({"b": None}, {"$push": {"b.c": 1}})

    assert collection.find_one() == {"_id": 1, "a": None, "b": {"c": [1]}}


@pytest.mark.parametrize("accumulator", ["$min", "$max"])
def test_a_group_of_values_that_python_cannot_compare_is_refused(
    collection: Collection, accumulator: str
) -> None:
    """Rather than answered with Python's words alone."""
    collection.insert_many([{"v": 1}, {"v": "x"}])

    with pytest.raises(OperationFailure, match="not supported here: mongomock gave up") as caught:
        list(collection.aggregate([{"$group": {"_id": None, "m": {accumulator: "$v"}}}]))

    assert caught.value.code == 238
