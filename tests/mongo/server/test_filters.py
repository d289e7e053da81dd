"""Filters that mongomock gets wrong as they are written, and which the server puts right."""

from __future__ import annotations

from typing import Any

import pytest
from bson import Regex
from pymongo.errors import OperationFailure

from tests.mongo.server.conftest import Collection, Document

_OBJECTS: list[Document] = [
    {"_id": 1},
    {"_id": 2, "a": {}},
    {"_id": 3, "a": {"k": 1}},
    {"_id": 4, "a": [{}]},
    {"_id": 5, "a": {"k": {}}},
]

EMPTY: list[tuple[Document, list[int]]] = [
    ({"a": {}}, [2, 4]),
    ({"a.k": {}}, [5]),
    ({"$and": [{"a": {}}]}, [2, 4]),
    ({"$or": [{"a": {}}, {"_id": 5}]}, [2, 4, 5]),
    ({"$nor": [{"a": {}}]}, [1, 3, 5]),
    ({"a": {"$not": {"$eq": {}}}}, [1, 3, 5]),
    ({"a": {"$in": [{}]}}, [2, 4]),
    ({"a": {"$elemMatch": {"k": {}}}}, []),
    ({"a": {"$all": [{"$elemMatch": {"k": {}}}]}}, []),
]


@pytest.mark.parametrize(("wanted", "ids"), EMPTY, ids=repr)
def test_an_empty_document_is_a_value(
    collection: Collection, wanted: Document, ids: list[int]
) -> None:
    """Not a condition that anything satisfies, a field that is not there least of all."""
    collection.insert_many(_OBJECTS)
    matching = [{"$match": wanted}, {"$sort": {"_id": 1}}]

    assert [document["_id"] for document in collection.find(wanted)] == ids
    assert [document["_id"] for document in collection.aggregate(matching)] == ids
    assert collection.count_documents(wanted) == len(ids)
    assert collection.distinct("_id", wanted) == ids


def test_an_empty_document_deletes_and_changes_its_equals_only(collection: Collection) -> None:
    """A document without the field is not lost."""
    collection.insert_many(_OBJECTS)

    changed = collection.find_one_and_update({"a": {}}, {"$set": {"seen": True}})
    deleted = collection.delete_many({"a": {}})

    assert changed == {"_id": 2, "a": {}}
    assert deleted.deleted_count == 2
    assert [document["_id"] for document in collection.find()] == [1, 3, 5]


_ELEMENTS: list[Document] = [
    {"_id": 1, "a": [1]},
    {"_id": 2, "a": [{"k": 1}]},
    {"_id": 3, "a": [{}, 1]},
    {"_id": 4, "a": [{"k": [1, 2]}]},
    {"_id": 5, "a": [{"k": 2}]},
]


@pytest.mark.parametrize(
    ("element", "ids"),
    [
        ({"k": {"$ne": 1}}, [3, 5]),
        ({"k": {"$nin": [1, 3]}}, [3, 5]),
        ({"k": {"$exists": False}}, [3]),
        ({"$or": [{"k": {"$ne": 1}}, {"k": 1}]}, [2, 3, 4, 5]),
        ({"k": {"$not": {"$gt": 1}}}, [2, 3]),
        ({"k": None}, [3]),
    ],
    ids=repr,
)
def test_a_number_is_no_document_without_fields(
    collection: Collection, element: Document, ids: list[int]
) -> None:
    """A filter for the documents in an array is not about what else is in it."""
    collection.insert_many(_ELEMENTS)

    found = collection.find({"a": {"$elemMatch": element}})

    assert [document["_id"] for document in found] == ids


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({"a": {"$all": [None]}}, [1, 2]),
        ({"a": {"$all": [{"k": 1}]}}, [3, 4]),
        ({"a": {"$all": [{"k": 1}, 5]}}, [4]),
        ({"a": {"$all": [{"$elemMatch": {"k": 1}}]}}, [4]),
        ({"a": {"$all": [5], "$gt": 4}}, [4]),
        ({"a": {"$not": {"$all": [{"k": 1}, None]}}}, [1, 2, 3, 4]),
        ({"a.k": {"$all": [1]}}, [3, 4]),
    ],
    ids=repr,
)
def test_all_asks_for_each_alone(collection: Collection, wanted: Document, ids: list[int]) -> None:
    """A document is no array of itself, and a field that is not there is null."""
    values: list[Any] = [None, {"k": 1}, [{"k": 1}, 5]]
    collection.insert_many([{"_id": 1}, *({"_id": n, "a": v} for n, v in enumerate(values, 2))])

    assert [document["_id"] for document in collection.find(wanted)] == ids


_PATHS: list[Document] = [
    {"_id": 1, "a": 5},
    {"_id": 2},
    {"_id": 3, "a": [{"b": 0}, {"b": 5}]},
    {"_id": 4, "a": {"b": [1, 2]}},
    {"_id": 5, "a": {"b": 2}},
]


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({"a.b": {"$gt": 1, "$lt": 3}}, [3, 4, 5]),
        ({"a.b": {"$ne": 2, "$gte": 0}}, [3]),
        ({"a.b": {"$ne": 5, "$exists": True}}, [4, 5]),
        ({"a.b": {"$not": {"$gt": 2}}}, [1, 2, 4, 5]),
        ({"a.b": {"$not": {"$gt": 1, "$lt": 3}}}, [1, 2]),
        ({"a.b": {"$not": {"$not": {"$gt": 2}}}}, [3]),
        ({"a.b": {"$not": Regex("x")}}, [1, 2, 3, 4, 5]),
        ({"a.b": {"$size": 2, "$gt": 1}}, [4]),
        ({"a.b": {"$gt": 1, "$lt": 3}, "$and": [{"_id": {"$ne": 3}}]}, [4, 5]),
        ({"a": {"$elemMatch": {"b": {"$gt": 1, "$lt": 3}}}}, []),
    ],
    ids=repr,
)
def test_each_operator_stands_alone(
    collection: Collection, wanted: Document, ids: list[int]
) -> None:
    """Different elements of an array may satisfy them, and a denial needs no value at all."""
    collection.insert_many(_PATHS)

    assert [document["_id"] for document in collection.find(wanted)] == ids


@pytest.mark.parametrize(
    ("pattern", "ids"),
    [
        (r"\[:a", [1, 2]),
        (r"\[\[:alpha:\]\]", [2]),
        (r"[\[:]a", [1, 2]),
        ("[:a]$", [1, 3]),
        (r"\\Z", [4]),
    ],
)
def test_a_bracket_that_is_escaped_opens_no_class(
    collection: Collection, pattern: str, ids: list[int]
) -> None:
    """So that any text can be looked for to the letter."""
    texts = ["x[:a", "[[:alpha:]]", "a", "\\Z"]
    collection.insert_many([{"_id": n, "s": text} for n, text in enumerate(texts, 1)])

    for condition in (Regex(pattern), {"$regex": pattern}, {"$in": [Regex(pattern)]}):
        assert [document["_id"] for document in collection.find({"s": condition})] == ids


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"s": {"$regex": "[[:^alpha:]]"}}, 238),
        ({"s": {"$regex": "[^x[:digit:]]"}}, 238),
        ({"s": {"$regex": r"\\[[:digit:]]"}}, 238),
        ({"s": {"$regex": r"a\Z"}}, 238),
        ({"s": {"$options": "i"}}, 2),
        ({"a": {"$elemMatch": {}}}, 238),
        ({"a": {"$elemMatch": {"$nor": [{"k": 1}]}}}, 238),
        ({"a": {"$elemMatch": {"k.j": {"$ne": 1}}}}, 238),
        ({"a": {"$elemMatch": {"$and": [{"k.j": {"$not": {"$gt": 1}}}]}}}, 238),
    ],
    ids=repr,
)
def test_what_cannot_be_put_right_is_refused(
    collection: Collection, wanted: Document, code: int
) -> None:
    """Also if nothing is stored."""
    with pytest.raises(OperationFailure) as caught:
        collection.find_one(wanted)

    assert caught.value.code == code


PULLED: list[tuple[Document, list[Any]]] = [
    ({"k": {"$ne": 1}}, [1, {"k": 1}]),
    ({"k": {}}, [1, {"k": 1}, {}]),
    ({"k": {"$exists": False}}, [1, {"k": 1}, {"k": {}}]),
]


@pytest.mark.parametrize(("element", "left"), PULLED, ids=repr)
def test_numbers_are_not_pulled_with_documents(
    collection: Collection, element: Document, left: list[Any]
) -> None:
    """What $pull takes out is found as an element of $elemMatch is."""
    collection.insert_one({"_id": 1, "a": [1, {"k": 1}, {"k": {}}, {}]})

    collection.update_one({}, {"$pull": {"a": element}})

    assert collection.find_one() == {"_id": 1, "a": left}
