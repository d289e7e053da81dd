"""Thousands of messages that nobody should send."""

from __future__ import annotations

import random
from collections.abc import Iterator

import psutil
from pymongo import MongoClient

from tests.mongo.server.conftest import running_server
from tests.mongo.server.peers import body, framed, op_msg, op_query, sent, sequence

_SEED = 20240229
_MESSAGES = 2000
_WARM_UP = 400

# What sockets and Python's memory pools may hold on to.
_SLACK_BYTES = 6 * 1024 * 1024

_COMMAND = {"$db": "fuzzed", "lsid": {"id": b"0123456789abcdef"}}
_GOOD = [
    op_msg(body({"hello": 1, **_COMMAND})),
    op_msg(body({"insert": "c", **_COMMAND}), sequence("documents", {"a": 1}, {"b": "text"})),
    op_msg(body({"insert": "c", "documents": [{"a": [1, {"b": None}]}], **_COMMAND})),
    op_msg(body({"find": "c", "filter": {"a": {"$gt": 1}}, "sort": {"a": 1}, **_COMMAND})),
    op_msg(
        body({"update": "c", **_COMMAND}), sequence("updates", {"q": {}, "u": {"$set": {"a": 2}}})
    ),
    op_msg(body({"findAndModify": "c", "query": {"a": 1}, "remove": True, **_COMMAND})),
    op_msg(body({"aggregate": "c", "pipeline": [{"$match": {}}], "cursor": {}, **_COMMAND})),
    op_msg(body({"createIndexes": "c", "indexes": [{"key": {"a": 1}, "name": "a"}], **_COMMAND})),
    op_query("admin.$cmd", {"ismaster": 1}),
]


def _cut_off(chance: random.Random, message: bytes) -> bytes:
    return message[: chance.randrange(len(message))]


def _overwritten(chance: random.Random, message: bytes) -> bytes:
    changed = bytearray(message)
    for _ in range(chance.randint(1, 8)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _overwritten_behind_its_length(chance: random.Random, message: bytes) -> bytes:
    return message[:4] + _overwritten(chance, message[4:])


def _shortened_inside(chance: random.Random, message: bytes) -> bytes:
    start = chance.randrange(16, len(message))
    content = message[16:start] + message[start + chance.randint(1, 20) :]
    return framed(int.from_bytes(message[12:16], "little"), content)


def _garbage(chance: random.Random, message: bytes) -> bytes:
    return chance.randbytes(len(message))


def _framed_garbage(chance: random.Random, message: bytes) -> bytes:
    return framed(int.from_bytes(message[12:16], "little"), chance.randbytes(len(message)))


_MUTATIONS = (
    _cut_off,
    _overwritten,
    _overwritten_behind_its_length,
    _shortened_inside,
    _garbage,
    _framed_garbage,
)


def bad_messages() -> Iterator[bytes]:
    """The same messages in every run."""
    chance = random.Random(_SEED)  # noqa: S311 - no cryptography
    for _ in range(_MESSAGES):
        mutation = chance.choice(_MUTATIONS)
        yield mutation(chance, chance.choice(_GOOD))


def test_bad_messages_are_answered_or_hung_up_on_and_leave_nothing_behind() -> None:
    """The server goes on serving, and its memory does not grow."""
    with running_server() as server, MongoClient(server.url) as client:
        process = psutil.Process(server.process.pid)
        memory_bytes = []
        for number, message in enumerate(bad_messages()):
            sent(server.port, message)
            if number in {_WARM_UP, _MESSAGES - 1}:
                memory_bytes.append(process.memory_info().rss)

        assert client.admin.command("ping") == {"ok": 1.0}
        assert memory_bytes[1] - memory_bytes[0] < _SLACK_BYTES
        assert server.process.poll() is None
