"""What the server supports, and what it refuses.

`MATCHED` and `CHANGED` are what may be relied on; `REFUSED_*` is answered with an error and
changes nothing.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from bson import Regex
from pymongo.errors import OperationFailure

from tests.mongo.server.conftest import Collection, Database, Document

_STORED: list[Document] = [
    {"_id": 1, "n": 1, "s": "one", "l": [1, 2], "o": {"x": 1}, "d": [{"k": 1}, {"k": 2}]},
    {"_id": 2, "n": 2.5, "s": "two", "l": [], "o": {"x": 2}},
    {
        "_id": 3,
        "n": None,
        "s": "Three\nlines",
        "l": [3],
        "t": dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
    },
    {"_id": 4, "b": True},
]


@pytest.fixture
def stored(collection: Collection) -> Collection:
    """A collection with `_STORED` in it."""
    collection.insert_many([dict(document) for document in _STORED])
    return collection


MATCHED: list[tuple[Document, list[int]]] = [
    ({}, [1, 2, 3, 4]),
    ({"n": 1}, [1]),
    ({"n": 2.5, "s": "two"}, [2]),
    ({"n": None}, [3, 4]),
    ({"o.x": 2}, [2]),
    ({"o": {"x": 1}}, [1]),
    ({"l": 1}, [1]),
    ({"l": [1, 2]}, [1]),
    ({"l": []}, [2]),
    ({"l.0": 3}, [3]),
    ({"d.k": 2}, [1]),
    ({"s": Regex("^t", "i")}, [2, 3]),
    ({"n": {"$eq": 1}}, [1]),
    ({"n": {"$ne": 1}}, [2, 3, 4]),
    ({"n": {"$gt": 1}}, [2]),
    ({"n": {"$gte": 1, "$lt": 2}}, [1]),
    ({"n": {"$lte": 2.5}}, [1, 2]),
    ({"t": {"$gt": dt.datetime(2023, 1, 1, tzinfo=dt.UTC)}}, [3]),
    ({"n": {"$in": [1, None]}}, [1, 3, 4]),
    ({"s": {"$in": [Regex("^o"), "two"]}}, [1, 2]),
    ({"n": {"$nin": [1, 2.5]}}, [3, 4]),
    ({"l": {"$all": [1, 2]}}, [1]),
    ({"d": {"$all": [{"$elemMatch": {"k": 1}}]}}, [1]),
    ({"n": {"$exists": True}}, [1, 2, 3]),
    ({"n": {"$exists": False}}, [4]),
    ({"n": {"$type": "number"}}, [1, 2]),
    ({"n": {"$type": "double"}}, [2]),
    ({"l": {"$size": 1}}, [3]),
    ({"s": {"$size": 1}}, []),
    ({"l": {"$elemMatch": {"$gt": 1, "$lt": 3}}}, [1]),
    ({"d": {"$elemMatch": {"k": {"$gt": 1}}}}, [1]),
    ({"n": {"$not": {"$gt": 1}}}, [1, 3, 4]),
    ({"s": {"$not": Regex("^t")}}, [1, 3, 4]),
    ({"s": {"$regex": "^L", "$options": "im"}}, [3]),
    ({"$and": [{"n": {"$gt": 0}}, {"n": {"$lt": 2}}]}, [1]),
    ({"$or": [{"n": 1}, {"b": True}]}, [1, 4]),
    ({"$nor": [{"n": 1}, {"b": True}]}, [2, 3]),
    ({"n": 1, "$comment": "why"}, [1]),
    ({"$expr": {"$gt": ["$n", "$o.x"]}}, [2]),
    ({"$expr": {"$lt": ["$o.x", "$n"]}}, [2]),
    ({"$expr": {"$ne": ["$n", 1]}}, [2, 3, 4]),
    ({"$expr": {"$and": [{"$gte": [2, "$o.x"]}, {"$eq": ["$s", "two"]}]}}, [2]),
]


@pytest.mark.parametrize(("wanted", "ids"), MATCHED, ids=repr)
def test_a_filter_finds_what_mongodb_finds(
    stored: Collection, wanted: Document, ids: list[int]
) -> None:
    """In the order of insertion."""
    assert [document["_id"] for document in stored.find(wanted)] == ids


REFUSED_FILTERS: list[tuple[Document, int]] = [
    ({"$where": "true"}, 238),
    ({"$text": {"$search": "x"}}, 238),
    ({"$jsonSchema": {}}, 238),
    ({"n": {"$mod": [2, 0]}}, 238),
    ({"n": {"$bitsAllSet": 1}}, 238),
    ({"l": {"$near": [0, 0]}}, 238),
    ({"n": {"$gte": None}}, 238),
    ({"n": {"$lte": None}}, 238),
    ({"n": {"$type": "long"}}, 238),
    ({"n": {"$type": 16}}, 238),
    ({"l": {"$in": [[1, 2]]}}, 238),
    ({"l": {"$all": []}}, 238),
    ({"l": {"$all": [[1, 2]]}}, 238),
    ({"s": {"$all": [Regex("^o")]}}, 238),
    ({"l": {"$size": 1, "$type": "string"}}, 238),
    ({"s": Regex("[[:alpha:]]")}, 238),
    ({"s": {"$regex": "[[:alpha:]]"}}, 238),
    ({"": 1}, 238),
    ({"$expr": {"$not": [{"$eq": ["$n", 1]}]}}, 238),
    ({"$expr": {"$eq": ["$n", "$$NOW"]}}, 238),
    ({"$expr": {"$in": ["$n", ["$o.x"]]}}, 238),
    ({"n": {"$frob": 1}}, 2),
    ({"$frob": 1}, 2),
    ({"$not": {"n": 1}}, 2),
    ({"n": {"$gt": 1, "x": 2}}, 2),
    ({"n": {"$in": 1}}, 2),
    ({"n": {"$in": [{"$gt": 1}]}}, 2),
    ({"n": {"$not": 1}}, 2),
    ({"n": {"$not": {}}}, 2),
    ({"n": {"$ne": Regex("x")}}, 2),
    ({"l": {"$size": -1}}, 2),
    ({"l": {"$elemMatch": 1}}, 2),
    ({"s": {"$regex": "x", "$options": "z"}}, 2),
    ({"s": {"$regex": "("}}, 51091),
    ({"$and": []}, 2),
    ({"$or": {"n": 1}}, 2),
    ({"$nor": [1]}, 2),
    ({"$or": [{"n": 1}, {"s": {"$mod": [2, 0]}}]}, 238),
]


@pytest.mark.parametrize(("wanted", "code"), REFUSED_FILTERS, ids=repr)
def test_a_filter_is_refused_even_if_nothing_is_stored(
    collection: Collection, wanted: Document, code: int
) -> None:
    """By every command that takes one."""
    with pytest.raises(OperationFailure) as found:
        collection.find_one(wanted)
    with pytest.raises(OperationFailure) as deleted:
        collection.delete_many(wanted)
    with pytest.raises(OperationFailure) as counted:
        collection.count_documents(wanted)

    assert [found.value.code, deleted.value.code, counted.value.code] == [code, code, code]


CHANGED: list[tuple[Document, Document]] = [
    ({"$set": {"n": 5, "o.y": 6, "l.0": 7}}, {"n": 5, "o": {"x": 1, "y": 6}, "l": [7, 2]}),
    ({"$set": {"new.deep": 1}}, {"new": {"deep": 1}}),
    ({"$unset": {"n": "", "o.x": ""}}, {"n": ..., "o": {}}),
    ({"$inc": {"n": 2, "m": 3}}, {"n": 3, "m": 3}),
    ({"$min": {"n": 0}, "$max": {"o.x": 9}}, {"n": 0, "o": {"x": 9}}),
    ({"$rename": {"n": "m"}}, {"n": ..., "m": 1}),
    ({"$push": {"l": 3}}, {"l": [1, 2, 3]}),
    ({"$push": {"l": {"$each": [0, 9], "$sort": -1, "$slice": 3}}}, {"l": [9, 2, 1]}),
    ({"$push": {"l": {"$each": [0], "$position": 0}}}, {"l": [0, 1, 2]}),
    ({"$addToSet": {"l": 2}}, {"l": [1, 2]}),
    ({"$addToSet": {"l": {"$each": [2, 3, 3]}}}, {"l": [1, 2, 3]}),
    ({"$pull": {"l": 1}}, {"l": [2]}),
    ({"$pull": {"l": {"$gte": 2}}}, {"l": [1]}),
    ({"$pull": {"d": {"k": 1}}}, {"d": [{"k": 2}]}),
    ({"$pullAll": {"l": [1, 2, 3]}}, {"l": []}),
    ({"$pop": {"l": -1}}, {"l": [2]}),
    ({"$setOnInsert": {"n": 9}}, {}),
    ({"$set": {}}, {}),
]


@pytest.mark.parametrize(("change", "difference"), CHANGED, ids=repr)
def test_an_update_does_what_mongodb_does(
    stored: Collection, change: Document, difference: Document
) -> None:
    """To the one document it is for; ``...`` marks a field that is gone."""
    expected = {k: v for k, v in {**_STORED[0], **difference}.items() if v is not ...}

    stored.update_one({"_id": 1}, change)

    assert list(stored.find()) == [expected, *_STORED[1:]]


REFUSED_UPDATES: list[tuple[Any, int]] = [
    ({"$mul": {"n": 2}}, 238),
    ({"$bit": {"n": {"and": 1}}}, 238),
    ({"$set": {"l.$": 1}}, 238),
    ({"$set": {"l.$[]": 1}}, 238),
    ({"$set": {"l.$[x]": 1}}, 238),
    ({"$unset": {"l.0": 1}}, 238),
    ({"$min": {"l.0": 0}}, 238),
    ({"$rename": {"o.x": "y"}}, 238),
    ({"$pull": {"l": Regex("x")}}, 238),
    ({"$pull": {"l": {"$mod": [2, 0]}}}, 238),
    ({"$push": {"d": {"$each": [], "$sort": {"k": 1, "j": 1}}}}, 238),
    ([{"$set": {"n": 1}}], 238),
    ({"$push": {"l": {"$slice": 1}}}, 2),
    ({"$push": {"l": {"$each": 1}}}, 14),
    ({"$addToSet": {"l": {"$each": [1], "$slice": 1}}}, 2),
    ({"$pop": {"l": 2}}, 9),
    ({"$pullAll": {"l": 1}}, 2),
    ({"$currentDate": {"at": "now"}}, 2),
    ({"$pop": {"s": 1}}, 2),
    ({"$pop": {"missing": 1}}, 238),
    ({"$push": {"o.x.y": 1}}, 28),
]


@pytest.mark.parametrize(("change", "code"), REFUSED_UPDATES, ids=repr)
def test_a_refused_update_changes_nothing(stored: Collection, change: Any, code: int) -> None:
    """Whichever command it comes in."""
    with pytest.raises(OperationFailure) as updated:
        stored.update_one({"_id": 1, "l": 1}, change)
    with pytest.raises(OperationFailure) as modified:
        stored.find_one_and_update({"_id": 1, "l": 1}, change)

    assert [updated.value.code, modified.value.code] == [code, code]
    assert list(stored.find()) == _STORED


@pytest.mark.parametrize(
    ("projection", "code"),
    [
        ({"l.$": 1}, 238),
        ({"l": {"$slice": 1}}, 238),
        ({"x": "$n"}, 238),
        ({"x": {"$add": ["$n", 1]}}, 238),
        ({"o": {"x": 1}}, 238),
        ({"n": 1, "s": 0}, 31254),
        ({"n": 0, "s": 1}, 31253),
        ({"o": 1, "o.x": 1}, 31249),
    ],
    ids=repr,
)
def test_a_projection_is_refused(stored: Collection, projection: Document, code: int) -> None:
    """Expressions and positions are not what mongomock makes of them."""
    with pytest.raises(OperationFailure) as caught:
        stored.find_one({}, projection)

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("projection", "expected"),
    [
        ({"n": 1}, {"_id": 1, "n": 1}),
        ({"n": 1.0, "_id": False}, {"n": 1}),
        ({"_id": 1}, {"_id": 1}),
        ({"o.x": 1}, {"_id": 1, "o": {"x": 1}}),
        ({"d.k": 0, "l": 0, "o": 0, "s": 0}, {"_id": 1, "n": 1, "d": [{}, {}]}),
        ({"d": {"$elemMatch": {"k": 2}}}, {"_id": 1, "d": [{"k": 2}]}),
    ],
    ids=repr,
)
def test_a_projection_shows_what_mongodb_shows(
    stored: Collection, projection: Document, expected: Document
) -> None:
    """Fields to show or to hide, and the first element that matches."""
    assert stored.find_one({"_id": 1}, projection) == expected


@pytest.mark.parametrize(
    ("stage", "code"),
    [
        ({"$facet": {"a": []}}, 238),
        ({"$out": "other"}, 238),
        ({"$merge": "other"}, 238),
        ({"$unionWith": "other"}, 238),
        ({"$bucket": {"groupBy": "$n", "boundaries": [0, 1]}}, 238),
        ({"$lookup": {"from": "x", "as": "y", "pipeline": [], "let": {}}}, 238),
        ({"$collStats": {"storageStats": {}}}, 238),
        ({"$project": {"o": {"x": 1}}}, 238),
        ({"$project": {"o.x": "$n"}}, 238),
        ({"$project": {"x": ["$n", "$s"]}}, 238),
        ({"$project": {"x": {"$not": ["$n"]}}}, 238),
        ({"$project": {"x": {"$toUpper": "$s"}}}, 238),
        ({"$set": {"o.y": 1}}, 238),
        ({"$group": {"_id": "$n", "all": {"$addToSet": "$s"}}}, 238),
        ({"$group": {"_id": "$n", "all": {"$push": {"s": "$s"}}}}, 238),
        ({"$group": {"_id": "$n", "x": 1}}, 40234),
        ({"$group": {"x": {"$sum": 1}}}, 9),
        ({"$match": {"$where": "true"}}, 238),
        ({"$frob": 1}, 40324),
        ({"$limit": 0}, 2),
        ({"$skip": -1}, 2),
        ({"$sort": {}}, 2),
        ({"$sort": {"n": 2}}, 2),
        ({"$count": "$n"}, 2),
        ({"$match": {}, "$limit": 1}, 40323),
    ],
    ids=repr,
)
def test_a_stage_is_refused(collection: Collection, stage: Document, code: int) -> None:
    """Also if there is nothing it could be wrong about."""
    with pytest.raises(OperationFailure) as caught:
        list(collection.aggregate([stage]))

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ({"find": "things", "collation": {"locale": "de"}}, 238),
        ({"find": "things", "tailable": True}, 238),
        ({"find": "things", "min": {"n": 1}}, 238),
        ({"find": "things", "sort": {"x": {"$meta": "textScore"}}}, 238),
        ({"count": "things", "collation": {"locale": "de"}}, 238),
        ({"aggregate": "things", "pipeline": [], "cursor": {}, "explain": True}, 238),
        ({"aggregate": "things", "pipeline": []}, 9),
        ({"aggregate": 1, "pipeline": [{"$currentOp": {}}], "cursor": {}}, 238),
        ({"create": "other", "capped": True, "size": 1000}, 238),
        ({"create": "other", "viewOn": "things", "pipeline": []}, 238),
        ({"create": "other", "validator": {"n": 1}}, 238),
        ({"createIndexes": "things", "indexes": [{"key": {"s": "text"}, "name": "x"}]}, 238),
        ({"createIndexes": "things", "indexes": [{"key": {"s": "hashed"}, "name": "x"}]}, 238),
        ({"createIndexes": "things", "indexes": [{"key": {"$**": 1}, "name": "x"}]}, 238),
        ({"createIndexes": "things", "indexes": [{"key": {}, "name": "x"}]}, 67),
        ({"createIndexes": "things", "indexes": [{"key": {"s": 0}, "name": "x"}]}, 67),
    ],
    ids=repr,
)
def test_an_option_is_refused(database: Database, command: Document, code: int) -> None:
    """Rather than ignored."""
    with pytest.raises(OperationFailure) as caught:
        database.command(command)

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ({"q": {}, "u": {"$set": {"l.$[x]": 1}}, "arrayFilters": [{"x": 1}]}, 238),
        ({"q": {}, "u": {"$set": {"n": 1}}, "collation": {"locale": "de"}}, 238),
        ({"q": {}, "u": {"$set": {"n": 1}}, "sort": {"n": 1}}, 238),
        ({"q": {}, "u": {"n": 1}, "multi": True}, 9),
        ({"q": {}}, 9),
        ({"q": {}, "u": 1}, 9),
        ({"q": {}, "u": {"_id": [1]}}, 53),
        (
            {"q": {"$and": [{"n": 4}, {"n": 5}]}, "u": {"$set": {"a": 1}}, "upsert": True},
            238,
        ),
    ],
    ids=repr,
)
def test_an_option_of_an_update_is_refused(
    database: Database, stored: Collection, statement: Document, code: int
) -> None:
    """As the error of that statement."""
    reply = database.command("update", stored.name, updates=[statement], check=False)

    assert [error["code"] for error in reply["writeErrors"]] == [code]
    assert list(stored.find()) == _STORED


@pytest.mark.parametrize(
    "condition",
    [
        {"s": {"$ne": 1}},
        {"s": {"$nin": [1]}},
        {"s": {"$exists": False}},
        {"s": {"$not": {"$gt": 1}}},
        {"o.x": {"$gt": 1, "$not": {"$gt": 2}}},
        {"s": Regex("x")},
        {"s": {"$regex": "x"}},
        {"$nor": [{"s": 1}]},
        {"$and": [{"n": 1}, {"s": {"$ne": 1}}]},
    ],
    ids=repr,
)
def test_a_partial_index_over_what_is_not_there_is_refused(
    collection: Collection, condition: Document
) -> None:
    """MongoDB takes only what says which values there are."""
    with pytest.raises(OperationFailure) as caught:
        collection.create_index("n", unique=True, partialFilterExpression=condition)

    assert caught.value.code == 67


@pytest.mark.parametrize(
    "condition",
    [
        {"s": "running", "n": {"$exists": True}},
        {"s": {}, "o.x": {"$gt": 1, "$lte": 5}},
        {"$and": [{"s": {"$type": "string"}}, {"n": {"$in": [1, 2]}}]},
    ],
    ids=repr,
)
def test_a_partial_index_is_made(collection: Collection, condition: Document) -> None:
    """Of values, ranges and types."""
    assert collection.create_index("n", partialFilterExpression=condition) == "n_1"
