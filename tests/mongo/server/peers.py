"""A peer that writes bytes: what it says may or may not be MongoDB's protocol."""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from typing import Any

import bson

OP_QUERY = 2004
OP_MSG = 2013

_TIMEOUT_S = 20  # a hang guard


def framed(opcode: int, content: bytes, request_id: int = 7) -> bytes:
    """A message."""
    return struct.pack("<iiii", 16 + len(content), request_id, 0, opcode) + content


def body(command: Mapping[str, Any]) -> bytes:
    """A section of kind 0."""
    return b"\0" + bson.encode(command)


def sequence(name: str, *documents: Mapping[str, Any]) -> bytes:
    """A section of kind 1."""
    content = name.encode() + b"\0" + b"".join(map(bson.encode, documents))
    return b"\1" + struct.pack("<i", 4 + len(content)) + content


def op_msg(*sections: bytes, flags: int = 0) -> bytes:
    """An OP_MSG."""
    return framed(OP_MSG, struct.pack("<I", flags) + b"".join(sections))


def op_query(namespace: str, command: Mapping[str, Any]) -> bytes:
    """An OP_QUERY for one document."""
    head = struct.pack("<i", 0) + namespace.encode() + b"\0" + struct.pack("<ii", 0, -1)
    return framed(OP_QUERY, head + bson.encode(command))


def sent(port: int, message: bytes, *, stays: bool = False) -> bytes:
    """Send *message*, and return all that comes back until the server hangs up.

    :param stays: Do not hang up first, after the message.
    """
    with socket.create_connection(("127.0.0.1", port), _TIMEOUT_S) as peer:
        received = []
        try:
            peer.sendall(message)
            if not stays:
                peer.shutdown(socket.SHUT_WR)
            while chunk := peer.recv(65536):
                received.append(chunk)
        except ConnectionError:  # hung up while we were still talking
            pass
        return b"".join(received)


def answers(port: int, message: bytes) -> list[dict[str, Any]]:
    """Send *message*, and return the documents of the OP_MSG that come back."""
    received, documents = sent(port, message), []
    while received:
        length, _, response_to, opcode = struct.unpack_from("<iiii", received)
        assert (opcode, response_to) == (OP_MSG, 7)
        documents.append(bson.decode(received[21:length]))
        received = received[length:]
    return documents
