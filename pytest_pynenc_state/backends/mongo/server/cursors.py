"""Results that clients fetch in batches.

A cursor holds all of its results from the start, so that later writes do not show. It
ends with its last batch, by command, with its collection, or when nobody asked for a
while: a client that was killed never says so.
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bson.int64 import Int64

from pytest_pynenc_state.backends.mongo.server.errors import Code, CommandError
from pytest_pynenc_state.backends.mongo.server.wire import (
    MAX_DOCUMENT_BYTES,
    Document,
    encoded,
    encoded_cursor,
)

#: How long (seconds) a cursor that nobody asks is kept.
IDLE_S = 600.0

_NO_CURSOR = Int64(0)


@dataclass
class _Cursor:
    namespace: str
    left: deque[Document]
    used_s: float


class Cursors:
    """The open cursors of one server.

    :param clock: Tells the seconds that cursors get old by.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ids = itertools.count(1)
        # The one that was asked longest ago comes first.
        self._open: dict[int, _Cursor] = {}

    def __len__(self) -> int:
        """How many cursors are open."""
        return len(self._open)

    def first_batch(
        self,
        namespace: str,
        documents: Iterable[Document],
        size: int,
        *,
        single: bool = False,
    ) -> bytes:
        """Return a whole reply with the first *size* documents, or fewer if they are large.

        :param single: Open no cursor for those that are left.
        """
        self._reap()
        left = deque(documents)
        batch = _batch(left, size)
        if not left or single:
            return _reply("firstBatch", batch, _NO_CURSOR, namespace)
        cursor_id = next(self._ids)
        self._open[cursor_id] = _Cursor(namespace, left, self._clock())
        return _reply("firstBatch", batch, Int64(cursor_id), namespace)

    def next_batch(self, cursor_id: int, namespace: str, size: int) -> bytes:
        """Return a whole reply with the next *size* documents; 0 means as many as fit.

        :raises CommandError: There is no such cursor (any more) on *namespace*.
        """
        self._reap()
        cursor = self._open.get(cursor_id)
        if cursor is None or cursor.namespace != namespace:
            raise CommandError(Code.CursorNotFound, f"cursor id {cursor_id} not found")
        del self._open[cursor_id]
        batch = _batch(cursor.left, size or len(cursor.left))
        if not cursor.left:
            return _reply("nextBatch", batch, _NO_CURSOR, namespace)
        cursor.used_s = self._clock()
        self._open[cursor_id] = cursor
        return _reply("nextBatch", batch, Int64(cursor_id), namespace)

    def kill(self, cursor_id: int) -> bool:
        """Close a cursor; whether there was one."""
        return self._open.pop(cursor_id, None) is not None

    def kill_of_collection(self, namespace: str) -> None:
        """Close all cursors on one collection."""
        self._kill_if(lambda cursor: cursor.namespace == namespace)

    def kill_of_database(self, database: str) -> None:
        """Close all cursors on the collections of one database."""
        self._kill_if(lambda cursor: cursor.namespace.partition(".")[0] == database)

    def _kill_if(self, is_doomed: Callable[[_Cursor], bool]) -> None:
        for cursor_id in [number for number, cursor in self._open.items() if is_doomed(cursor)]:
            del self._open[cursor_id]

    def _reap(self) -> None:
        oldest_s = self._clock() - IDLE_S
        while self._open:
            cursor_id, cursor = next(iter(self._open.items()))
            if cursor.used_s > oldest_s:
                return
            del self._open[cursor_id]


def _batch(left: deque[Document], size: int) -> list[bytes]:
    """Take from *left* at most *size* documents that fit together, and at least one."""
    batch: list[bytes] = []
    room = MAX_DOCUMENT_BYTES
    while left and len(batch) < size:
        document = encoded(left[0])
        # In an array, a document has its type and its number before it.
        room -= len(document) + len(str(len(batch))) + 2
        if room < 0 and batch:
            break
        batch.append(document)
        left.popleft()
    return batch


def _reply(name: str, batch: list[bytes], cursor_id: Int64, namespace: str) -> bytes:
    return encoded_cursor(name, batch, {"id": cursor_id, "ns": namespace})
