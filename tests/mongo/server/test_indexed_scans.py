"""Keyed reads and writes look at as many documents among 1,000 as among 10."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from mongomock import filtering

from pytest_pynenc_state.backends.mongo.server.storage import open_client

Work = Callable[[Any], Any]

_SIZES = [10, 1_000]

#: What is done, and how many documents the matcher may look at for it.
WORK: dict[str, tuple[int, Work]] = {
    "find_one by _id": (1, lambda c: c.find_one({"_id": 7})),
    "find_one by _id and more": (1, lambda c: c.find_one({"n": {"$gt": 1}, "_id": 7})),
    "find_one by _id, missing": (1, lambda c: c.find_one({"_id": "none"})),
    "find by several _id": (3, lambda c: list(c.find({"_id": {"$in": [5, 7, 9]}}))),
    "find_one by a compound key": (1, lambda c: c.find_one({"app": "a", "key": "k7"})),
    "find by a compound key in $and": (
        1,
        lambda c: list(c.find({"$and": [{"app": "a"}, {"key": {"$eq": "k7"}}]})),
    ),
    "find by $in at a compound key": (
        2,
        lambda c: list(c.find({"app": "a", "key": {"$in": ["k3", "k7"]}})),
    ),
    "find by the beginning of a compound key": (
        2,
        lambda c: list(c.find({"app": "a", "group": 3})),
    ),
    "find by many keys": (
        1,
        lambda c: list(c.find({"app": {"$in": ["a", *range(2_000)]}, "key": "k7", "n": 7})),
    ),
    "find by two conditions on a field": (
        1,
        lambda c: list(c.find({"sub.key": 7, "$and": [{"sub.key": {"$in": [6, 7, 8]}}]})),
    ),
    "find by two conditions on a field, the narrower last": (
        1,
        lambda c: list(c.find({"sub.key": {"$in": [6, 7, 8]}, "$and": [{"sub.key": 7}]})),
    ),
    "first of a cloned cursor": (1, lambda c: next(c.find({"app": "a"}).clone())),
    "find by a dotted path": (1, lambda c: list(c.find({"sub.key": 7}))),
    "find by an element of an array": (1, lambda c: list(c.find({"tags": "t7"}))),
    # Found, updated, read again.
    "compare and set": (
        3,
        lambda c: c.find_one_and_update(
            {"_id": 7, "status": "NEW", "owner": None, "version": 0},
            {"$set": {"owner": "me"}, "$inc": {"version": 1}},
            return_document=True,
        ),
    ),
    "compare and set, lost": (
        1,
        lambda c: c.find_one_and_update({"_id": 7, "version": 5}, {"$inc": {"version": 1}}),
    ),
    "update_one by a key": (1, lambda c: c.update_one({"app": "a", "key": "k7"}, {"$set": {}})),
    # Found, deleted.
    "delete_one by _id": (2, lambda c: c.delete_one({"_id": 7})),
    "insert_one": (0, lambda c: c.insert_one({"app": "a", "key": "new", "group": -1})),
    "aggregate by a key": (1, lambda c: list(c.aggregate([{"$match": {"sub.key": 7}}]))),
    "count by a key": (2, lambda c: c.count_documents({"app": "a", "group": 3})),
}


class _Looks:
    """Counts the documents that mongomock's matcher is asked about."""

    def __init__(self, apply: Callable[..., Any]) -> None:
        self.count = 0
        self._apply = apply
        self._is_inside = False

    def __call__(self, filterer: Any, wanted: Any, document: Any) -> Any:
        # The parts of a $and are parts of one look.
        if self._is_inside:
            return self._apply(filterer, wanted, document)
        self.count += 1
        self._is_inside = True
        try:
            return self._apply(filterer, wanted, document)
        finally:
            self._is_inside = False


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> _Looks:
    """How many documents mongomock's matcher has looked at."""
    counted = _Looks(filtering._Filterer.apply)
    monkeypatch.setattr(filtering._Filterer, "apply", lambda *args: counted(*args))  # noqa: PLW0108 - a method
    return counted


def _filled(size: int) -> Any:
    collection = open_client()["database"]["collection"]
    collection.create_index([("app", 1), ("key", 1)], unique=True)
    collection.create_index([("app", 1), ("group", 1), ("n", 1)])
    collection.create_index([("sub.key", 1)])
    collection.create_index([("tags", 1)])
    for number in range(size):
        document = {"_id": number, "app": "a", "key": f"k{number}", "group": number // 2}
        document |= {"n": number, "sub": {"key": number}, "tags": [f"t{number}", "x"]}
        collection.insert_one({**document, "status": "NEW", "owner": None, "version": 0})
    collection.update_many({"group": {"$ne": 3}}, {"$set": {"group": -2}})
    return collection


@pytest.mark.parametrize("size", _SIZES)
@pytest.mark.parametrize(("expected", "work"), WORK.values(), ids=WORK)
def test_keyed_work_does_not_scan(size: int, expected: int, work: Work, looks: _Looks) -> None:
    """Counted, not timed: the number of looks does not depend on the number of documents."""
    collection = _filled(size)
    looks.count = 0

    work(collection)

    assert looks.count == expected


@pytest.mark.parametrize("size", [200, 1_000])
def test_page_of_a_range_looks_at_the_page_only(size: int, looks: _Looks) -> None:
    """Paging by key costs what is read, not what is stored."""
    collection = open_client()["database"]["collection"]
    collection.create_index([("app", 1), ("at", 1), ("_id", 1)])
    collection.insert_many([{"app": "a", "at": (7 * n) % size, "n": n} for n in range(size)])
    looks.count = 0

    wanted = {"app": "a", "at": {"$gt": 50, "$lt": 150}}
    page = list(collection.find(wanted).sort([("at", 1), ("_id", 1)]).limit(10))

    assert [document["at"] for document in page] == list(range(51, 61))
    # One more, because $gt begins where $gte does.
    assert looks.count == 11


@pytest.mark.parametrize("size", [200, 1_000])
def test_range_ends_where_it_ends(size: int, looks: _Looks) -> None:
    """What comes after the upper bound is not looked at."""
    collection = open_client()["database"]["collection"]
    collection.create_index([("at", 1)])
    collection.insert_many([{"at": n} for n in range(size)])
    looks.count = 0

    assert len(list(collection.find({"at": {"$lte": 9}}).sort([("at", 1)]))) == 10
    assert looks.count == 10
