"""Messages as bytes: those that drivers never send, too."""

from __future__ import annotations

import socket
import struct

import bson
import pytest
from bson.raw_bson import RawBSONDocument

from tests.mongo.server.conftest import Client, Collection, RunningServer
from tests.mongo.server.peers import OP_MSG, answers, body, framed, op_msg, op_query, sent, sequence

_PING = {"ping": 1, "$db": "admin"}
_MORE_TO_COME = 2
_CHECKSUM_PRESENT = 1
_LARGEST_MESSAGE = 48_000_000


def test_several_messages_at_once_are_answered_in_order(server: RunningServer) -> None:
    """A client may send the next before it read the answer."""
    builds = {"buildInfo": 1, "$db": "admin"}

    first, second = answers(server.port, op_msg(body(_PING)) + op_msg(body(builds)))

    assert ("version" in first, "version" in second) == (False, True)


def test_a_message_that_comes_in_pieces_is_answered_once(server: RunningServer) -> None:
    """However the network cuts it; here, byte by byte."""
    with socket.create_connection(("127.0.0.1", server.port), 20) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in op_msg(body(_PING)):
            peer.sendall(bytes([byte]))
        (length,) = struct.unpack_from("<i", peer.recv(4096))
        assert length > 16


def test_documents_may_come_beside_the_body(server: RunningServer, collection: Collection) -> None:
    """As drivers send what they insert, before or after the body."""
    insert = {"insert": collection.name, "$db": collection.database.name}
    before = op_msg(sequence("documents", {"_id": 1}, {"_id": 2}), body(insert))
    after = op_msg(body(insert), sequence("documents", {"_id": 3}))

    assert [reply["n"] for reply in answers(server.port, before + after)] == [2, 1]
    assert collection.count_documents({}) == 3


def test_a_checksum_is_passed_over(server: RunningServer) -> None:
    """It comes behind the sections."""
    message = op_msg(body(_PING), b"\0\0\0\0", flags=_CHECKSUM_PRESENT)

    assert answers(server.port, message) == [{"ok": 1.0}]


def test_what_wants_no_answer_gets_none(server: RunningServer, collection: Collection) -> None:
    """Not even an error; and it is done."""
    insert = {"insert": collection.name, "$db": collection.database.name}
    silent = op_msg(body(insert), sequence("documents", {"_id": 1}), flags=_MORE_TO_COME)

    received = answers(server.port, silent + silent + op_msg(body(_PING)))

    assert received == [{"ok": 1.0}]
    assert collection.count_documents({}) == 1


def test_an_old_hello_gets_an_old_answer(server: RunningServer) -> None:
    """Drivers of version 3 open each connection so."""
    received = sent(server.port, op_query("admin.$cmd", {"ismaster": 1, "helloOk": True}))

    length, _, response_to, opcode = struct.unpack_from("<iiii", received)
    flags, cursor_id, _, count = struct.unpack_from("<iqii", received, 16)
    assert (length, response_to, opcode) == (len(received), 7, 1)
    assert (flags, cursor_id, count) == (8, 0, 1)
    assert bson.decode(received[36:])["maxWireVersion"] == 13


@pytest.mark.parametrize("namespace", ["admin.$cmd", "things.docs"])
def test_any_other_old_command_is_refused(server: RunningServer, namespace: str) -> None:
    """A query that were taken for something else would be worse."""
    received = sent(server.port, op_query(namespace, {"find": 1}))

    assert bson.decode(received[36:])["code"] == 352


@pytest.mark.parametrize(
    "command", [{}, {"ping": 1}, {"ping": 1, "$db": 5}], ids=["empty", "without", "number"]
)
def test_a_command_without_name_or_database_is_an_error(
    server: RunningServer, command: dict[str, object]
) -> None:
    """And not the end of the connection."""
    replies = answers(server.port, op_msg(body(command)) + op_msg(body(_PING)))

    assert [reply["ok"] for reply in replies] == [0.0, 1.0]


def test_broken_bson_is_an_error(server: RunningServer) -> None:
    """The message ends where it says; only what is in it makes no sense."""
    broken = b"\0" + struct.pack("<i", 9) + b"\x20ab\0\0"

    replies = answers(server.port, op_msg(broken) + op_msg(body(_PING)))

    assert [(reply["ok"], reply.get("code")) for reply in replies] == [(0.0, 22), (1.0, None)]


@pytest.mark.parametrize(
    "message",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        struct.pack("<iiii", 15, 7, 0, OP_MSG),
        struct.pack("<iiii", -1, 7, 0, OP_MSG),
        struct.pack("<iiii", _LARGEST_MESSAGE + 1, 7, 0, OP_MSG),
        framed(2012, b"compressed"),
        framed(2002, b"\0" * 20),
        framed(OP_MSG, b""),
        op_msg(),
        op_msg(body(_PING), flags=4),
        op_msg(body(_PING), body(_PING)),
        op_msg(b"\2" + body(_PING)[1:]),
        op_msg(body(_PING), sequence("a"), sequence("a")),
        op_msg(body(_PING), b"\1\xff\xff\xff\x7fa\0"),
        op_msg(body(_PING), b"\1\x08\0\0\0abcd"),
        op_msg(body(_PING)[:-3]),
        op_msg(b"\0\x03\0\0\0"),
    ],
    ids=range(16),
)
def test_a_malformed_message_ends_its_connection_and_no_other(
    server: RunningServer, client: Client, message: bytes
) -> None:
    """The server hangs up: what comes behind it cannot be understood either."""
    assert sent(server.port, message + op_msg(body(_PING)), stays=True) == b""
    assert client.admin.command("ping") == {"ok": 1.0}


def test_messages_before_a_malformed_one_are_answered(server: RunningServer) -> None:
    """They were in order."""
    message = op_msg(body(_PING)) + struct.pack("<iiii", 3, 7, 0, OP_MSG)

    assert answers(server.port, message) == [{"ok": 1.0}]


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.999])
def test_an_insert_that_is_cut_off_inserts_nothing(
    server: RunningServer, collection: Collection, cut: float
) -> None:
    """Not even the documents that arrived whole."""
    insert = {"insert": collection.name, "$db": collection.database.name}
    documents = [{"_id": number, "text": "x" * 100} for number in range(100)]
    message = op_msg(body(insert), sequence("documents", *documents))

    assert sent(server.port, message[: int(len(message) * cut)]) == b""
    assert collection.count_documents({}) == 0


@pytest.mark.parametrize(("depth", "code"), [(900, 15), (100_000, 22)])
def test_what_is_nested_too_deep_is_refused(
    server: RunningServer, collection: Collection, depth: int, code: int
) -> None:
    """What could not be read again must not be stored."""
    levels = (struct.pack("<i", 5 + 8 * left) + b"\x03d\0" for left in range(depth, 0, -1))
    document = b"".join((*levels, bson.encode({}), b"\0" * depth))
    insert = {"insert": collection.name, "$db": collection.database.name}
    message = op_msg(body(insert), sequence("documents", RawBSONDocument(document)))

    (reply,) = answers(server.port, message)

    errors = reply.get("writeErrors", [reply])
    assert [error["code"] for error in errors] == [code]
    assert collection.count_documents({}) == 0
