"""What the store promises on every mongomock: failed and oversized writes change nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bson
import mongomock
import pytest
from pymongo.errors import DuplicateKeyError, WriteError

from pytest_pynenc_state.backends.mongo.server import storage
from pytest_pynenc_state.backends.mongo.server.indexing.collection import IndexedCollection
from pytest_pynenc_state.backends.mongo.server.plain import RehearsingCollection
from pytest_pynenc_state.backends.mongo.server.wire import MAX_DOCUMENT_BYTES

_UNTESTED_VERSION = "4.99.0"

Update = Callable[[Any, dict[str, Any]], Any]


@pytest.fixture(params=["indexed", "plain"])
def collection(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty collection of a store on a tested mongomock, or on another one."""
    if request.param == "plain":
        monkeypatch.setattr(mongomock, "__version__", _UNTESTED_VERSION)
    return storage.open_client()["database"]["collection"]


def _of_size(size_bytes: int) -> dict[str, Any]:
    empty = len(bson.encode({"_id": 1, "text": ""}))
    return {"_id": 1, "text": "x" * (size_bytes - empty)}


UPDATES: dict[str, Update] = {
    "update_one": lambda collection, update: collection.update_one({"_id": 1}, update),
    "update_many": lambda collection, update: collection.update_many({"_id": 1}, update),
    "find_one_and_update": lambda collection, update: collection.find_one_and_update(
        {"_id": 1}, update
    ),
}


@pytest.mark.parametrize("update", UPDATES.values(), ids=UPDATES)
def test_failed_update_changes_nothing(collection: Any, update: Update) -> None:
    """On a server an update of one document is atomic."""
    before = {"_id": 1, "n": 1, "text": "x", "tags": ["a"]}
    collection.insert_one(dict(before))

    with pytest.raises(WriteError):
        update(collection, {"$set": {"n": 2}, "$push": {"tags": "b"}, "$inc": {"text": 1}})

    assert list(collection.find()) == [before]


def test_failed_update_of_several_keeps_those_before_it(collection: Any) -> None:
    """As on a server, where only the update of each document is atomic."""
    collection.insert_many([{"_id": 1, "n": 1}, {"_id": 2, "n": "x"}, {"_id": 3, "n": 3}])

    with pytest.raises(WriteError):
        collection.update_many({}, {"$set": {"seen": True}, "$inc": {"n": 1}})

    assert list(collection.find()) == [
        {"_id": 1, "n": 2, "seen": True},
        {"_id": 2, "n": "x"},
        {"_id": 3, "n": 3},
    ]


def test_update_that_a_unique_index_refuses_changes_nothing(collection: Any) -> None:
    """The other fields of such an update are no exception."""
    collection.create_index([("key", 1)], unique=True)
    collection.insert_many([{"_id": 1, "key": "a"}, {"_id": 2, "key": "b"}])

    with pytest.raises(DuplicateKeyError):
        collection.update_one({"_id": 2}, {"$set": {"n": 1, "key": "a"}})

    assert list(collection.find()) == [{"_id": 1, "key": "a"}, {"_id": 2, "key": "b"}]


def test_update_of_an_id_is_refused(collection: Any) -> None:
    """An _id is immutable; the document stays to be found by it."""
    collection.insert_one({"_id": 1, "n": 1})

    with pytest.raises(WriteError):
        collection.update_one({"_id": 1}, {"$set": {"n": 2, "_id": 9}})

    assert collection.find_one({"_id": 1}) == {"_id": 1, "n": 1}


def test_failed_upsert_inserts_nothing(collection: Any) -> None:
    """Neither does the insert that an upsert turns into."""
    with pytest.raises(WriteError):
        collection.update_one({"_id": 1, "text": "x"}, {"$inc": {"text": 1}}, upsert=True)

    assert collection.count_documents({}) == 0


def test_document_of_the_largest_size_is_stored(collection: Any) -> None:
    """The limit belongs to what is allowed."""
    collection.insert_one(_of_size(MAX_DOCUMENT_BYTES))

    assert len(bson.encode(collection.find_one())) == 16_777_216


def test_oversized_insert_stores_nothing(collection: Any) -> None:
    """One byte more is refused as a server does it."""
    with pytest.raises(WriteError, match="object to insert too large") as refusal:
        collection.insert_one(_of_size(MAX_DOCUMENT_BYTES + 1))

    assert refusal.value.code == 2
    assert "size in bytes: 16777217, max size: 16777216" in str(refusal.value)
    assert collection.count_documents({}) == 0


@pytest.mark.parametrize("update", UPDATES.values(), ids=UPDATES)
def test_oversized_update_changes_nothing(collection: Any, update: Update) -> None:
    """What counts is the size of the result, not that of the update."""
    before = _of_size(MAX_DOCUMENT_BYTES - 10)
    collection.insert_one(dict(before))

    with pytest.raises(WriteError) as refusal:
        update(collection, {"$set": {"n": 1, "more": "twelve bytes"}})

    assert refusal.value.code == 17419
    assert collection.find_one() == before


def test_oversized_upsert_inserts_nothing(collection: Any) -> None:
    """An upsert is an update, so its code is that of updates."""
    large = _of_size(MAX_DOCUMENT_BYTES + 1)

    with pytest.raises(WriteError) as refusal:
        collection.update_one({"_id": 1}, {"$set": {"text": large["text"]}}, upsert=True)

    assert refusal.value.code == 17419
    assert collection.count_documents({}) == 0


def test_documents_of_a_reader_are_its_own(collection: Any) -> None:
    """Neither a later update nor the reader's own changes get from one to the other."""
    collection.insert_one({"_id": 1, "tags": ["a"]})
    read = collection.find_one()

    collection.update_one({}, {"$push": {"tags": "b"}})
    read["tags"].append("mine")

    assert read == {"_id": 1, "tags": ["a", "mine"]}
    assert collection.find_one() == {"_id": 1, "tags": ["a", "b"]}


def test_updated_documents_share_nothing(collection: Any) -> None:
    """A value that one update set in several documents is changed in one of them only."""
    collection.insert_many([{"_id": 1}, {"_id": 2}])
    collection.update_many({}, {"$set": {"sub": {"n": 1}}})

    collection.update_one({"_id": 1}, {"$inc": {"sub.n": 1}})

    assert collection.find_one({"_id": 2}) == {"_id": 2, "sub": {"n": 1}}


def test_stores_are_apart() -> None:
    """Each client opens a store of its own."""
    storage.open_client()["d"]["c"].insert_one({})

    assert storage.open_client()["d"]["c"].count_documents({}) == 0


def test_opening_a_store_patches_nothing() -> None:
    """Other users of mongomock in the process keep what they had."""
    before = dict(vars(mongomock.collection.Collection))

    storage.open_client()["d"]["c"].insert_one({})

    assert dict(vars(mongomock.collection.Collection)) == before
    assert type(mongomock.MongoClient()["d"]["c"]) is mongomock.collection.Collection


@pytest.mark.parametrize(
    ("version", "collection_class"),
    [
        ("4.3.0", IndexedCollection),
        ("4.3.9", IndexedCollection),
        ("4.2.0", RehearsingCollection),
        ("4.4.0", RehearsingCollection),
    ],
)
def test_store_is_indexed_on_tested_versions_only(
    version: str, collection_class: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another mongomock may have other internals."""
    monkeypatch.setattr(mongomock, "__version__", version)

    assert type(storage.open_client()["d"]["c"]) is collection_class


def test_untested_version_is_announced_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who wonders why it is slow learns which versions are not; one line is enough."""
    monkeypatch.setattr(mongomock, "__version__", "4.98.0")

    storage.open_client()
    storage.open_client()

    [line] = capsys.readouterr().err.splitlines()
    assert "mongomock 4.98.0" in line
    assert ">=4.3" in line
