"""What a projection shows of arrays, of scalars and of the ``_id``."""

from __future__ import annotations

import pytest
from pymongo.errors import OperationFailure

from tests.mongo.server.conftest import Collection, Document

_STORED: Document = {
    "_id": {"x": 1, "y": 2},
    "l": [{"x": 1, "y": 2}, 5, [{"x": 3, "y": 4}, 6], {"y": 1}],
    "s": 5,
    "o": {"x": 1, "y": {"z": 1, "w": 2}},
}
_ID = {"_id": _STORED["_id"]}

SHOWN: list[tuple[Document, Document]] = [
    ({"_id.x": 1}, {"_id": {"x": 1}}),
    ({"_id.x": 0}, {**_STORED, "_id": {"y": 2}}),
    ({"_id.x": 1, "s": 1}, {"_id": {"x": 1}, "s": 5}),
    ({"l.x": 1}, {**_ID, "l": [{"x": 1}, [{"x": 3}], {}]}),
    ({"l.x": 0}, {**_STORED, "l": [{"y": 2}, 5, [{"y": 4}, 6], {"y": 1}]}),
    ({"s.x": 1}, _ID),
    ({"s.x": 0}, _STORED),
    ({"o.y.z": 1, "_id": 0}, {"o": {"y": {"z": 1}}}),
    ({"o.y.z": 0, "l": 0}, {**_ID, "s": 5, "o": {"x": 1, "y": {"w": 2}}}),
    ({"_id": 0}, {name: value for name, value in _STORED.items() if name != "_id"}),
    ({"missing": 1}, _ID),
    ({"l": {"$elemMatch": {"x": 1}}}, {**_ID, "l": [{"x": 1, "y": 2}]}),
    ({"l": {"$elemMatch": {"$gt": 3}}, "_id": 0}, {"l": [5]}),
    ({"l": {"$elemMatch": {"x": 9}}, "s": 1}, {**_ID, "s": 5}),
    ({"s": {"$elemMatch": {"$gt": 3}}}, _ID),
]


@pytest.mark.parametrize(("projection", "shown"), SHOWN, ids=repr)
def test_a_projection_shows_what_mongodb_shows(
    collection: Collection, projection: Document, shown: Document
) -> None:
    """By every command that takes one."""
    collection.insert_one(_STORED)
    same = {"$set": {"s": 5}}

    assert collection.find_one({}, projection) == shown
    assert collection.find_one_and_update({}, same, projection) == shown
    assert collection.find_one_and_update({}, same, projection, return_document=True) == shown
    assert collection.find_one_and_delete({}, projection) == shown


@pytest.mark.parametrize(
    ("projection", "code"),
    [({"_id": 0, "_id.x": 1}, 31249), ({"o.x": 1, "o": 1}, 31249), ({"o.": 1}, 15998)],
    ids=repr,
)
def test_a_projection_is_refused_even_if_nothing_is_stored(
    collection: Collection, projection: Document, code: int
) -> None:
    """Fields must have names, and one must not be in another."""
    with pytest.raises(OperationFailure) as caught:
        collection.find_one({}, projection)

    assert caught.value.code == code


@pytest.mark.parametrize("projection", [{"_id.x": 1}, {"_id.x": 0}, {"l.x": 0}], ids=repr)
def test_a_stage_does_less(collection: Collection, projection: Document) -> None:
    """In a pipeline mongomock projects, and shows or hides too much."""
    collection.insert_one(_STORED)

    with pytest.raises(OperationFailure) as caught:
        list(collection.aggregate([{"$project": projection}]))

    assert caught.value.code == 238
