"""MongoDB's wire protocol: messages in, messages out, and nothing about what they mean.

A message is a header of four little-endian 32-bit integers (length, request id, id of the
message it answers, opcode) and a body. Commands and their replies are OP_MSG; only the
first ``isMaster`` of older drivers comes as OP_QUERY, and is answered by OP_REPLY.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import bson
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions, DatetimeConversion

#: A BSON document in memory; its order is that of the fields.
Document: TypeAlias = dict[str, Any]

#: The largest document, and the most that the documents of one batch may add up to.
MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
MAX_MESSAGE_BYTES = 48_000_000

#: A reply may hold one such document, and some fields around it.
MAX_REPLY_BYTES = MAX_DOCUMENT_BYTES + 16 * 1024

OP_REPLY = 1
OP_QUERY = 2004
OP_MSG = 2013

# Every value comes back as the bytes it came in as: ids stay `Binary`, and dates that
# `datetime` cannot hold stay numbers.
CODEC: CodecOptions[Document] = CodecOptions(
    tz_aware=False,
    uuid_representation=UuidRepresentation.UNSPECIFIED,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)

_HEADER = struct.Struct("<iiii")
_INT32 = struct.Struct("<i")
_UINT32 = struct.Struct("<I")
_REPLY_HEAD = struct.Struct("<iqii")

HEADER_BYTES = _HEADER.size
_CHECKSUM_BYTES = 4
_SMALLEST_DOCUMENT_BYTES = 5

_CHECKSUM_PRESENT = 1
_MORE_TO_COME = 2
# A receiver must understand each of the lower 16 flags, and may ignore the others.
_UNKNOWN_FLAGS = 0xFFFF & ~(_CHECKSUM_PRESENT | _MORE_TO_COME)
_AWAIT_CAPABLE = 8

_BODY = 0
_SEQUENCE = 1

# The element ``"ok": 1.0``.
_OK = b"\x01ok\0" + struct.pack("<d", 1.0)

_request_ids = itertools.count(1)


class ProtocolError(Exception):
    """The peer does not speak the protocol; its connection cannot be used any more."""


@dataclass(frozen=True, slots=True)
class Message:
    """One request, split into its parts but not decoded.

    :ivar namespace: What an OP_QUERY asks, as ``database.collection``; else empty.
    :ivar sequences: The documents of each array that was sent beside the body.
    """

    request_id: int
    body: memoryview
    sequences: dict[str, memoryview]
    wants_reply: bool = True
    is_legacy: bool = False
    namespace: str = ""

    def decoded(self) -> Document:
        """Return the command as one document.

        :raises bson.errors.InvalidBSON: The body, or a document beside it, is no BSON.
        """
        command = bson.decode(self.body, CODEC)
        for name, documents in self.sequences.items():
            command[name] = bson.decode_all(documents, CODEC)
        return command


def message_length(start: bytes | bytearray) -> int:
    """Return the length (bytes) of the message that begins with *start*.

    :raises ProtocolError: No message is as short or as long.
    """
    (length,) = _INT32.unpack_from(start)
    if not HEADER_BYTES <= length <= MAX_MESSAGE_BYTES:
        message = f"a message of {length} bytes, not of {HEADER_BYTES} to {MAX_MESSAGE_BYTES}"
        raise ProtocolError(message)
    return int(length)


def parsed(message: bytes) -> Message:
    """Split one whole *message* into its parts.

    :raises ProtocolError: It is neither OP_MSG nor OP_QUERY, or not well-formed.
    """
    _, request_id, _, opcode = _HEADER.unpack_from(message)
    content = memoryview(message)[HEADER_BYTES:]
    try:
        if opcode == OP_MSG:
            return _parsed_msg(request_id, content)
        if opcode == OP_QUERY:
            return _parsed_query(request_id, content)
    except (struct.error, ValueError) as error:
        malformed = f"a message with opcode {opcode} that is cut off: {error}"
        raise ProtocolError(malformed) from error
    unknown = f"opcode {opcode} is not supported"
    raise ProtocolError(unknown)


def _parsed_msg(request_id: int, content: memoryview) -> Message:
    (flags,) = _UINT32.unpack_from(content)
    if flags & _UNKNOWN_FLAGS:
        message = f"unknown flags {flags:#x}"
        raise ProtocolError(message)
    # The checksum guards against networks; between processes of one machine it is not read.
    end = len(content) - (_CHECKSUM_BYTES if flags & _CHECKSUM_PRESENT else 0)
    body: memoryview | None = None
    sequences: dict[str, memoryview] = {}
    position = _UINT32.size
    while position < end:
        kind = content[position]
        position += 1
        section = _sized(content[position:end])
        position += len(section)
        if kind == _BODY and body is None:
            body = section
        elif kind == _SEQUENCE:
            name, documents = _named(section[_INT32.size :])
            if name in sequences:
                message = f"two sequences named {name!r}"
                raise ProtocolError(message)
            sequences[name] = documents
        else:
            message = f"unexpected section of kind {kind}"
            raise ProtocolError(message)
    if body is None:
        message = "a message without a body"
        raise ProtocolError(message)
    return Message(request_id, body, sequences, wants_reply=not flags & _MORE_TO_COME)


def _parsed_query(request_id: int, content: memoryview) -> Message:
    namespace, rest = _named(content[_INT32.size :])
    body = _sized(rest[2 * _INT32.size :])
    return Message(request_id, body, {}, is_legacy=True, namespace=namespace)


def _sized(content: memoryview) -> memoryview:
    # Documents and sequences both begin with their length, which counts itself.
    (length,) = _INT32.unpack_from(content)
    if not _SMALLEST_DOCUMENT_BYTES <= length <= len(content):
        message = f"a section of {length} bytes in the last {len(content)} of a message"
        raise ProtocolError(message)
    return content[:length]


def _named(content: memoryview) -> tuple[str, memoryview]:
    end = bytes(content[:256]).index(0)
    return str(content[:end], "utf-8"), content[end + 1 :]


def reply(message: Message, document: bytes) -> bytes:
    """Return the whole message that answers *message* with the encoded *document*."""
    if message.is_legacy:
        head, opcode = _REPLY_HEAD.pack(_AWAIT_CAPABLE, 0, 0, 1), OP_REPLY
    else:
        head, opcode = b"\0\0\0\0\0", OP_MSG  # no flags, one section of kind 0
    length = HEADER_BYTES + len(head) + len(document)
    own_id = next(_request_ids) & 0x7FFFFFFF
    return b"".join((_HEADER.pack(length, own_id, message.request_id, opcode), head, document))


def encoded(document: Document) -> bytes:
    """Return *document* as BSON."""
    return bson.encode(document, codec_options=CODEC)


def encoded_cursor(batch_name: str, batch: Sequence[bytes], cursor: Document) -> bytes:
    """Return ``{"cursor": {batch_name: batch, **cursor}, "ok": 1.0}`` as BSON.

    :param batch: Encoded documents. They are not decoded, so that a batch costs one
        encoding of each document although their sizes decide how many belong to it.
    """
    elements = [b"\x03%d\0%b" % (place, document) for place, document in enumerate(batch)]
    array = _enclosed(b"".join(elements))
    fields = b"\x04%b\0%b%b" % (batch_name.encode(), array, encoded(cursor)[_INT32.size : -1])
    return _enclosed(b"\x03cursor\0%b%b" % (_enclosed(fields), _OK))


def _enclosed(elements: bytes) -> bytes:
    return b"%b%b\0" % (_INT32.pack(len(elements) + _SMALLEST_DOCUMENT_BYTES), elements)
