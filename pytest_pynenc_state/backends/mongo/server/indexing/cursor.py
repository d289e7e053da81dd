"""A cursor that reads each document once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from mongomock import helpers
from mongomock.collection import Cursor


class LazyCursor(Cursor):
    """A cursor whose results are those of the moment of its first read, copied one by one.

    mongomock's own copies every result before the first, and all of them again for each.
    """

    _documents: Iterator[Any] | None = None

    def rewind(self) -> None:
        """Begin again, with what is stored then."""
        super().rewind()
        self._documents = None

    def clone(self) -> LazyCursor:
        """Return a cursor for the same query that has read nothing."""
        return lazy(super().clone())

    def __next__(self) -> Any:
        if self._documents is None:
            self._documents = self._read()
        document = next(self._documents)
        self._emitted += 1
        return document

    next = __next__

    def _read(self) -> Iterator[Any]:
        stop = self._skip + abs(self._limit) if self._limit else None
        documents = itertools.islice(self._factory(), self._skip, stop)
        if self.collection.codec_options.tz_aware:
            return map(helpers.make_datetime_timezone_aware_in_document, documents)
        return documents


def lazy(cursor: Cursor) -> LazyCursor:
    """Make *cursor*, fresh from mongomock, one of ours."""
    # mongomock's collections know only their own class of cursors.
    cursor.__class__ = LazyCursor
    return cursor  # type: ignore[return-value]  # it is one now
