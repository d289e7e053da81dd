"""One sorted list over the documents of a collection: ranges, in order, without sorting.

The order is that of mongomock's sort, ties in the order of insertion. It is worked out for
plain values only: with an array, an embedded document or a rarer type at one of the paths of
one document, the list says that it cannot be used.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from bson import ObjectId
from mongomock.filtering import iter_key_candidates
from sentinels import NOTHING

from pytest_pynenc_state.backends.mongo.server.indexing.keys import Document

#: The rank of a type among types, and the value.
Part: TypeAlias = tuple[Any, ...]

# MongoDB's order of the types; one that is not here has no place.
_RANKS: Mapping[type, int] = {
    type(None): 5,
    int: 10,
    float: 10,
    str: 15,
    ObjectId: 35,
    dt.datetime: 45,
}
_AFTER_ALL = (99,)


def part_of(value: Any) -> Part | None:
    """Return what stands for a plain value in the order; None for any other value."""
    rank = _RANKS.get(type(value))
    # NaN has no place in any order.
    if rank is None or value != value:  # noqa: PLR0124 - only NaN is not itself
        return None
    return (rank,) if value is None else (rank, value)


class SortedMap:
    """The documents in the order of what they have at some paths.

    :ivar paths: Dotted paths of the fields.
    """

    def __init__(self, paths: Sequence[str], records: Mapping[int, Document]) -> None:
        """Make the list of *records*, documents by their numbers."""
        self.paths = tuple(paths)
        self._odd: set[int] = set()
        # Numbers differ, so that documents are never compared.
        self._entries: list[tuple[tuple[Part, ...], int, Document]] = []
        for number, document in records.items():
            key = self._key(document)
            if key is None:
                self._odd.add(number)
            else:
                self._entries.append((key, number, document))
        self._entries.sort()

    @property
    def is_usable(self) -> bool:
        """Whether every document has a place."""
        return not self._odd

    def move(self, number: int, old: Document | None, new: Document | None) -> None:
        """Note that a document which was *old* is *new*; None for one that is not there."""
        before, after = self._key(old), self._key(new)
        if before is not None:
            del self._entries[bisect_left(self._entries, (before, number))]
        if after is not None and new is not None:
            insort(self._entries, (after, number, new))
        self._odd.discard(number)
        if after is None and new is not None:
            self._odd.add(number)

    def between(
        self, prefix: Sequence[Part], lower: Part | None, upper: Part | None
    ) -> Sequence[tuple[Any, int, Document]]:
        """Return the entries that begin with *prefix*, in order: key, number and document.

        :param lower: The least value that counts after the prefix, if any.
        :param upper: The greatest, if any.
        """
        start = bisect_left(self._entries, ((*prefix, lower or ()),))
        end = (*prefix, upper, _AFTER_ALL) if upper else (*prefix, _AFTER_ALL)
        return self._entries[start : bisect_right(self._entries, (end,))]

    def _key(self, document: Document | None) -> tuple[Part, ...] | None:
        if document is None:
            return None
        key = []
        for path in self.paths:
            values = list(iter_key_candidates(path, document))
            if len(values) != 1:
                return None
            part = part_of(None if values[0] is NOTHING else values[0])
            if part is None:
                return None
            key.append(part)
        return tuple(key)
