"""Sorted reads come out of a sorted list as they would come out of a sort."""

from __future__ import annotations

import random
from typing import Any

import pytest

from pytest_pynenc_state.backends.mongo.server.indexing.sorting import SortedMap
from pytest_pynenc_state.backends.mongo.server.storage import open_client

_ORDER = [("at", 1), ("_id", 1)]


@pytest.fixture
def collection() -> Any:
    """Documents of two apps at few times, inserted in no order."""
    made = open_client()["database"]["collection"]
    made.create_index([("app", 1), ("at", 1), ("_id", 1)])
    documents = [{"_id": n, "app": "ab"[n % 2], "at": n // 10} for n in range(600)]
    random.Random(7).shuffle(documents)  # noqa: S311 - no secret
    made.insert_many(documents)
    return made


def _ids(documents: Any) -> list[Any]:
    return [document["_id"] for document in documents]


def _lists(collection: Any) -> dict[tuple[str, ...], SortedMap]:
    lists: dict[tuple[str, ...], SortedMap] = collection._store.table.sorted_maps
    return lists


@pytest.mark.parametrize(
    ("bounds", "first", "last"),
    [
        ({"$gte": 10, "$lt": 20}, 100, 198),
        ({"$gt": 10, "$lte": 20}, 110, 208),
        ({"$gte": 58.5}, 590, 598),
        ({"$lt": 1}, 0, 8),
        ({"$gte": 0}, 0, 598),
        ({"$gte": 10, "$ne": 12, "$lt": 20}, 100, 198),
    ],
    ids=str,
)
def test_range_has_its_ends(collection: Any, bounds: Any, first: int, last: int) -> None:
    """Open and closed, of one app only."""
    found = _ids(collection.find({"app": "a", "at": bounds}).sort(_ORDER))

    assert (found[0], found[-1]) == (first, last)
    assert found == sorted(found)
    assert list(_lists(collection)) == [("app", "at", "_id")]


def test_several_values_before_the_sorted_field_are_all_found(collection: Any) -> None:
    """The list is in order for one value of what stands before it."""
    found = _ids(collection.find({"app": {"$in": ["a", "b"]}}).sort(_ORDER))

    assert found == list(range(600))


def test_values_of_an_array_of_documents_are_sorted_by_mongomock(collection: Any) -> None:
    """A path through an array leads to several values, each of which is to be found."""
    collection.create_index([("list.k", 1), ("_id", 1)])
    collection.update_many({}, {"$set": {"list": [{"k": 1}, {"k": 2}]}})

    found = _ids(collection.find({"list.k": 2}).sort([("_id", 1)]))

    assert found == list(range(600))


def test_pages_follow_each_other(collection: Any) -> None:
    """Paging by key reads everything once, with writes in between."""
    seen: list[int] = []
    after = (-1, -1)
    while True:
        later = {"$or": [{"at": {"$gt": after[0]}}, {"_id": {"$gt": after[1]}}]}
        wanted = {"app": "a", "at": {"$gte": after[0]}, **later}
        page = list(collection.find(wanted).sort(_ORDER).limit(37))
        if not page:
            break
        seen += _ids(page)
        after = (page[-1]["at"], page[-1]["_id"])
        collection.delete_one({"_id": page[0]["_id"]})

    assert seen == list(range(0, 600, 2))


def test_ties_are_in_the_order_of_insertion(collection: Any) -> None:
    """As a stable sort leaves them."""
    inserted = _ids(collection.find({"app": "a", "at": 3}))

    assert _ids(collection.find({"app": "a"}).sort([("at", 1)]))[15:20] == inserted
    assert list(_lists(collection)) == [("app", "at")]


@pytest.mark.parametrize("value", [[1, 2], {"x": 1}, True, b"b", float("nan")], ids=repr)
def test_odd_value_switches_to_sorting(collection: Any, value: Any) -> None:
    """What has no place in the list is sorted by mongomock, until it is gone."""
    plain = _ids(collection.find({"app": "a"}).sort(_ORDER))
    collection.insert_one({"_id": 1000, "app": "a", "at": value})

    [sorted_map] = _lists(collection).values()
    assert not sorted_map.is_usable
    assert len(_ids(collection.find({"app": "a"}).sort(_ORDER))) == 301
    collection.delete_one({"_id": 1000})
    assert sorted_map.is_usable
    assert _ids(collection.find({"app": "a"}).sort(_ORDER)) == plain


def test_list_follows_updates(collection: Any) -> None:
    """A document has one place, its present one."""
    before = _ids(collection.find({"app": "a"}).sort(_ORDER))
    collection.update_one({"_id": 0}, {"$set": {"at": 99}})
    collection.update_one({"_id": 2}, {"$unset": {"at": ""}})

    found = _ids(collection.find({"app": "a"}).sort(_ORDER))

    assert found == [2, *(key for key in before if key not in {0, 2}), 0]


def test_few_candidates_of_another_index_are_sorted(collection: Any) -> None:
    """Going through a sorted list of all documents would look at more."""
    collection.create_index([("at", 1)])
    collection.create_index([("half", 1)])
    collection.update_many({"_id": {"$gte": 300}}, {"$set": {"half": 2}})

    documents = collection._store.table.in_order({"half": 2}, [("at", 1)])

    assert documents is None
    assert _ids(collection.find({"half": 2}).sort(_ORDER)) == list(range(300, 600))


def test_dropped_index_takes_its_list_along(collection: Any) -> None:
    """The result stays the same without it."""
    before = _ids(collection.find({"app": "a"}).sort(_ORDER))

    collection.drop_indexes()

    assert _lists(collection) == {}
    assert _ids(collection.find({"app": "a"}).sort(_ORDER)) == before


def test_queue_gives_the_oldest_first(collection: Any) -> None:
    """A sorted find_one_and_update takes the first that is left."""
    taken = [
        collection.find_one_and_update(
            {"app": "b", "done": None}, {"$set": {"done": True}}, sort=_ORDER
        )["_id"]
        for _ in range(4)
    ]

    assert taken == [1, 3, 5, 7]
