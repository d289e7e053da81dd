"""Results in batches: how many, how large, and how long they are kept."""

from __future__ import annotations

from typing import Any

import bson
import pytest
from bson.int64 import Int64
from pymongo.errors import CursorNotFound, OperationFailure

from pytest_pynenc_state.backends.mongo.server.cursors import IDLE_S, Cursors
from pytest_pynenc_state.backends.mongo.server.errors import CommandError
from pytest_pynenc_state.backends.mongo.server.wire import MAX_REPLY_BYTES
from tests.mongo.server.conftest import Collection, Database, Document

_MEGABYTE = 1024 * 1024


def first_batch(database: Database, **command: Any) -> Document:
    """The cursor that a find command returns."""
    cursor: Document = database.command({"find": "things", **command})["cursor"]
    return cursor


def next_batch(database: Database, cursor_id: int, **command: Any) -> Document:
    """The cursor that a getMore command returns."""
    fields = {"getMore": Int64(cursor_id), "collection": "things", **command}
    cursor: Document = database.command(fields)["cursor"]
    return cursor


@pytest.fixture
def numbers(collection: Collection) -> Collection:
    """A collection of 250 documents."""
    collection.insert_many([{"_id": number} for number in range(250)])
    return collection


def test_the_first_batch_has_101_documents_and_the_next_all_others(
    database: Database, numbers: Collection
) -> None:
    """As drivers expect that say nothing."""
    assert numbers.name == "things"
    first = first_batch(database)
    second = next_batch(database, first["id"])

    assert [len(first["firstBatch"]), len(second["nextBatch"])] == [101, 149]
    assert second["id"] == 0


@pytest.mark.parametrize(
    ("command", "length", "is_open"),
    [
        ({"batchSize": 0}, 0, True),
        ({"batchSize": 7}, 7, True),
        ({"batchSize": 7, "singleBatch": True}, 7, False),
        ({"limit": 7}, 7, False),
        ({"skip": 245}, 5, False),
        ({"filter": {"_id": -1}}, 0, False),
    ],
)
@pytest.mark.usefixtures("numbers")
def test_the_first_batch_is_as_long_as_was_asked(
    database: Database, command: dict[str, Any], length: int, *, is_open: bool
) -> None:
    """And a cursor is open if more are left."""
    cursor = first_batch(database, **command)

    assert len(cursor["firstBatch"]) == length
    assert (cursor["id"] != 0) == is_open


def test_a_batch_is_at_most_16_mebibytes(database: Database, collection: Collection) -> None:
    """A client could not receive more."""
    for number in range(40):
        collection.insert_one({"_id": number, "blob": bytes(_MEGABYTE)})

    cursor = first_batch(database)

    assert len(cursor["firstBatch"]) == 15
    assert [thing["_id"] for thing in collection.find({}, {"_id": 1})] == list(range(40))


def test_a_reply_without_batches_is_at_most_as_large(collection: Collection) -> None:
    """The client is told, instead of getting what it could not read."""
    for number in range(17):
        collection.insert_one({"_id": number, "blob": str(number) * _MEGABYTE})

    with pytest.raises(OperationFailure) as caught:
        collection.distinct("blob")

    assert caught.value.code == 10334


def test_a_cursor_shows_what_was_there_when_it_was_opened(numbers: Collection) -> None:
    """Whatever is written while it is read."""
    cursor = numbers.find(batch_size=10)
    next(cursor)
    numbers.update_many({}, {"$set": {"late": True}})
    numbers.delete_many({"_id": {"$gte": 100}})

    assert [thing for thing in cursor if "late" in thing or len(thing) != 1] == []


def test_a_cursor_dies_with_its_collection(database: Database, numbers: Collection) -> None:
    """Its documents are no more."""
    dropped = first_batch(database)["id"]
    numbers.drop()

    with pytest.raises(CursorNotFound):
        next_batch(database, dropped)


def test_a_cursor_dies_with_its_database(database: Database, numbers: Collection) -> None:
    """As with its collection."""
    dropped = first_batch(database)["id"]
    numbers.database.client.drop_database(database.name)

    with pytest.raises(CursorNotFound):
        next_batch(database, dropped)


@pytest.mark.usefixtures("numbers")
def test_a_killed_cursor_is_gone(database: Database) -> None:
    """And is told from one that never was."""
    killed = first_batch(database)["id"]
    reply = database.command("killCursors", "things", cursors=[killed, Int64(10**12)])

    assert reply["cursorsKilled"] == [killed]
    assert reply["cursorsNotFound"] == [10**12]
    with pytest.raises(CursorNotFound):
        next_batch(database, killed)


@pytest.mark.usefixtures("numbers")
def test_a_cursor_belongs_to_its_collection(database: Database) -> None:
    """Another collection's name does not open it."""
    cursor = first_batch(database)

    with pytest.raises(CursorNotFound):
        next_batch(database, cursor["id"], collection="others")


def test_aggregations_and_lists_come_in_batches_too(numbers: Collection) -> None:
    """Every cursor is the same to a driver."""
    for number in range(150):
        numbers.database[f"c{number}"].create_index("a")

    names = numbers.database.list_collection_names()
    seen = [thing["_id"] for thing in numbers.aggregate([{"$match": {}}], batchSize=3)]

    assert len(names) == 151
    assert seen == list(range(250))


class Clock:
    """A clock that stands still until it is set."""

    now_s = 0.0

    def __call__(self) -> float:
        """The time (seconds) it is set to."""
        return self.now_s


def opened(cursors: Cursors) -> int:
    """The id of a new cursor with ten documents, one of which was returned."""
    reply = cursors.first_batch("d.c", [{"_id": number} for number in range(10)], 1)
    return int(bson.decode(reply)["cursor"]["id"])


def test_a_cursor_that_nobody_asks_is_reaped() -> None:
    """A client that was killed never says that it is done."""
    clock = Clock()
    cursors = Cursors(clock)
    cursor_id = opened(cursors)
    clock.now_s = IDLE_S

    with pytest.raises(CommandError):
        cursors.next_batch(cursor_id, "d.c", 1)
    assert len(cursors) == 0


def test_a_cursor_that_is_asked_lives_on() -> None:
    """Its age counts from the last batch."""
    clock = Clock()
    cursors = Cursors(clock)
    asked, idle = opened(cursors), opened(cursors)
    clock.now_s = IDLE_S - 1
    cursors.next_batch(asked, "d.c", 1)
    clock.now_s = IDLE_S + 1

    opened(cursors)

    assert [cursors.kill(asked), cursors.kill(idle)] == [True, False]


def test_a_batch_leaves_room_for_the_numbers_of_its_documents() -> None:
    """Of many small documents they are a good part of the reply."""
    many = ({"text": "x" * 80} for _ in range(200_000))
    reply = Cursors().first_batch("base.things", many, 10**6)
    assert 15 * _MEGABYTE < len(reply) <= MAX_REPLY_BYTES
