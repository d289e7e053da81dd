"""One hash map over the documents of a collection: the keys of some fields to documents."""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from mongomock.filtering import filter_applies, iter_key_candidates
from sentinels import NOTHING

from pytest_pynenc_state.backends.mongo.server.indexing.conditions import Filter
from pytest_pynenc_state.backends.mongo.server.indexing.keys import Document, keys_at

#: One key per field.
Key: TypeAlias = tuple[Hashable, ...]

#: A document's keys in one map; None if they cannot be told.
Keys: TypeAlias = Sequence[Key] | None

#: A document with more keys than this in one map (long arrays in several fields) has none.
_MOST_KEYS = 100_000

_NOBODY: frozenset[int] = frozenset()


class DocumentKeys:
    """The keys of one document by path, each worked out once for all maps."""

    def __init__(self, document: Document | None) -> None:
        self.document = document
        self._found: dict[str, tuple[Hashable, ...]] = {}

    def __getitem__(self, path: str) -> tuple[Hashable, ...]:
        keys = self._found.get(path)
        if keys is None and self.document is not None:
            keys = self._found[path] = keys_at(self.document, path)
        return keys or ()


class KeyMap:
    """The numbers of documents, by what they have at some paths.

    :ivar paths: Dotted paths of the fields.
    :ivar buckets: The numbers of the documents that have a key, by key.
    :ivar odd: The numbers of the documents whose keys cannot be told: always candidates.
    """

    def __init__(
        self, paths: Sequence[str], *, sparse: bool = False, condition: Filter | None = None
    ) -> None:
        """Make an empty map of all documents, or of some.

        :param sparse: Leave out documents that have nothing at any of the paths.
        :param condition: Leave out documents that do not match this filter.
        """
        self.paths = tuple(paths)
        self.buckets: dict[Key, set[int]] = {}
        self.odd: set[int] = set()
        self._roots = frozenset(path.partition(".")[0] for path in paths)
        self._sparse = sparse
        self._condition = condition

    def is_touched(self, old: Document | None, new: Document | None) -> bool:
        """Whether the keys may differ between two versions of a document."""
        if old is None or new is None or self._condition is not None:
            return True
        # Versions share the values that no operator touched.
        return any(old.get(root) is not new.get(root) for root in self._roots)

    def keys(self, known: DocumentKeys) -> Keys:
        """Return a document's keys: none if it is not there or does not belong here."""
        document = known.document
        if document is None:
            return ()
        if self._condition is not None and not filter_applies(self._condition, document):
            return ()
        if self._sparse and not any(_has(document, path) for path in self.paths):
            return ()
        try:
            by_path = [known[path] for path in self.paths]
        except TypeError:
            return None
        if math.prod(map(len, by_path)) > _MOST_KEYS:
            return None
        return list(itertools.product(*by_path))

    def move(self, number: int, old: Keys, new: Keys) -> None:
        """Note that a document which had the *old* keys has the *new* ones."""
        if old is None:
            self.odd.discard(number)
        for key in old or ():
            bucket = self.buckets[key]
            bucket.discard(number)
            if not bucket:
                del self.buckets[key]
        if new is None:
            self.odd.add(number)
        for key in new or ():
            self.buckets.setdefault(key, set()).add(number)

    def find(self, alternatives: Sequence[Sequence[Hashable]]) -> AbstractSet[int]:
        """Return the numbers of all documents that may have one of the keys at each path."""
        keys = list(itertools.product(*alternatives))
        if len(keys) == 1 and not self.odd:
            return self.buckets.get(keys[0], _NOBODY)
        return self.odd.union(*(self.buckets.get(key, _NOBODY) for key in keys))

    def others(self, number: int, keys: Keys) -> AbstractSet[int]:
        """Return the numbers of the other documents that have one of *keys*.

        For keys that cannot be told: of all others of which they cannot be told either.
        """
        if keys is None:
            return self.odd - {number}
        found = (self.buckets.get(key, _NOBODY) for key in keys)
        return next((rest for bucket in found if (rest := bucket - {number})), _NOBODY)


def _has(document: Document, path: str) -> bool:
    return any(value is not NOTHING for value in iter_key_candidates(path, document))
