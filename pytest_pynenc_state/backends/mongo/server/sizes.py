"""The size limit of a document, and the errors about it.

A document is encoded to learn its size: for small documents that is cheaper than any bound
worked out in Python, and what BSON cannot hold is refused on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bson
from pymongo.errors import WriteError

from pytest_pynenc_state.backends.mongo.server.wire import MAX_DOCUMENT_BYTES

_BAD_VALUE = 2
_RESULT_TOO_LARGE = 17419


class OversizeError(Exception):
    """A document is too large to be stored; the caller knows what it was for.

    :ivar size_bytes: Its size.
    """

    def __init__(self, size_bytes: int) -> None:
        super().__init__(size_bytes)
        self.size_bytes = size_bytes


def refuse_oversize(document: Mapping[str, Any]) -> None:
    """Check the size of *document*.

    :raises OversizeError: It is more than `MAX_DOCUMENT_BYTES`.
    :raises bson.errors.InvalidDocument: BSON cannot hold it.
    """
    size_bytes = len(bson.encode(document))
    if size_bytes > MAX_DOCUMENT_BYTES:
        raise OversizeError(size_bytes)


def oversize_insert(error: OversizeError) -> WriteError:
    """Return what a server answers to an insert of such a document."""
    message = (
        "object to insert too large. size in bytes: "
        f"{error.size_bytes}, max size: {MAX_DOCUMENT_BYTES}"
    )
    return _write_error(message, _BAD_VALUE)


def oversize_update(error: OversizeError) -> WriteError:
    """Return what a server answers to an update or upsert with such a result."""
    message = (
        "Resulting document after update is larger than "
        f"{MAX_DOCUMENT_BYTES} (size in bytes: {error.size_bytes})"
    )
    return _write_error(message, _RESULT_TOO_LARGE)


def _write_error(message: str, code: int) -> WriteError:
    return WriteError(message, code, {"code": code, "errmsg": message})
