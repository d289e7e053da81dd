"""The documents of one collection by number, with a map for each index: found without a scan.

Numbers are given out in the order of insertion, which is the order of results. Documents are
never changed: a write puts another in the place of one, or refuses and changes nothing.

For an index on ``a, b, c`` there are hash maps for ``a``, ``a, b`` and ``a, b, c``, shared with
other indexes that begin alike. They only narrow what mongomock's own matcher then looks at.
A sorted list is made when a sort first needs one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from pytest_pynenc_state.backends.mongo.server.indexing.conditions import (
    Equalities,
    Filter,
    bounds,
    equalities,
)
from pytest_pynenc_state.backends.mongo.server.indexing.keymap import DocumentKeys, KeyMap
from pytest_pynenc_state.backends.mongo.server.indexing.keys import Document
from pytest_pynenc_state.backends.mongo.server.indexing.sorting import Part, SortedMap, part_of
from pytest_pynenc_state.backends.mongo.server.indexing.uniqueness import Guard

#: So many documents are sorted faster than a sorted list is kept.
_FEW = 100

#: With more combinations of the values of several ``$in``, the map is left out.
_MOST_COMBINATIONS = 10_000

_ID = ("_id",)


class Table:
    """Documents and indexes of one collection.

    :ivar records: The documents by number, in the order of insertion.
    :ivar lookups: The map of all documents for each group of paths, longest first.
    :ivar guards: The unique indexes by name.
    :ivar sorted_maps: The sorted lists made so far.
    """

    def __init__(self) -> None:
        self.records: dict[int, Document] = {}
        self.lookups: dict[tuple[str, ...], KeyMap] = {_ID: KeyMap(_ID)}
        self.guards: dict[str, Guard] = {}
        self.sorted_maps: dict[tuple[str, ...], SortedMap] = {}

    @property
    def keymaps(self) -> list[KeyMap]:
        """Every hash map, each once."""
        own = [guard.keymap for guard in self.guards.values()]
        return [*self.lookups.values(), *(m for m in own if self.lookups.get(m.paths) is not m)]

    def put(self, number: int, document: Document, namespace: str) -> None:
        """Store *document* under *number*, in the place of the one that is there, if any.

        :param namespace: Database and collection, for the message.
        :raises DuplicateKeyError: A unique index refuses it; nothing was changed.
        """
        self._move(number, self.records.get(number), document, namespace)
        self.records[number] = document

    def remove(self, number: int) -> None:
        """Forget the document under *number*."""
        self._move(number, self.records[number], None, "")
        del self.records[number]

    def _move(
        self, number: int, old: Document | None, new: Document | None, namespace: str
    ) -> None:
        before, after = DocumentKeys(old), DocumentKeys(new)
        touched = [keymap for keymap in self.keymaps if keymap.is_touched(old, new)]
        changes = {keymap: (keymap.keys(before), keymap.keys(after)) for keymap in touched}
        if new is not None:
            for guard in self.guards.values():
                if guard.keymap in changes:
                    keys = changes[guard.keymap][1]
                    guard.refuse_duplicate(number, keys, new, self.records, namespace)
        for keymap, (old_keys, new_keys) in changes.items():
            if old_keys != new_keys:
                keymap.move(number, old_keys, new_keys)
        for sorted_map in self.sorted_maps.values():
            sorted_map.move(number, old, new)

    def add_index(self, name: str, index: Mapping[str, Any], namespace: str) -> None:
        """Make the maps of an index, over the documents that are there.

        :param index: Its ``key``, a list of fields and directions, and its options.
        :raises DuplicateKeyError: It is unique, and two documents are not; nothing was changed.
        """
        paths = [path for path, _ in index["key"]]
        added = {
            part: self._filled(KeyMap(part))
            for end in range(1, len(paths) + 1)
            if (part := tuple(paths[:end])) not in self.lookups
        }
        if index.get("unique"):
            guard = Guard(name, index["key"], self._guarded(index, {**self.lookups, **added}))
            self._refuse_duplicates(guard, namespace)
            self.guards[name] = guard
        by_length = sorted({**self.lookups, **added}.items(), key=lambda item: -len(item[0]))
        self.lookups = dict(by_length)

    def keep_indexes(self, indexes: Mapping[str, Mapping[str, Any]]) -> None:
        """Drop the maps that none of *indexes* needs."""
        kept = {_ID}
        for index in indexes.values():
            paths = tuple(path for path, _ in index["key"])
            kept.update(paths[:end] for end in range(1, len(paths) + 1))
        self.lookups = {paths: keymap for paths, keymap in self.lookups.items() if paths in kept}
        self.guards = {name: guard for name, guard in self.guards.items() if name in indexes}
        self.sorted_maps = {p: m for p, m in self.sorted_maps.items() if p in kept}

    def candidates(self, wanted: Filter) -> Iterable[Document]:
        """Return the documents that may match, in the order of insertion."""
        numbers = self._narrowed(equalities(wanted))
        if numbers is None:
            return list(self.records.values())
        return self._at(sorted(numbers))

    def in_order(
        self, wanted: Filter, order: Sequence[tuple[str, int]]
    ) -> Iterable[Document] | None:
        """Return the documents that may match, in *order*; None if they have to be sorted.

        :param order: Pairs of a path and a direction.
        """
        if not order or any(direction != 1 for _, direction in order):
            return None
        equal = equalities(wanted)
        narrowed = self._narrowed(equal)
        if narrowed is None:
            narrowed = self.records.keys()
        if len(narrowed) <= _FEW:
            return None
        equal = {path: keys for path, keys in equal.items() if len(keys) == 1}
        sorted_map = self._sorted_map(equal, [path for path, _ in order])
        if sorted_map is None or not sorted_map.is_usable:
            return None
        prefix = []
        for path in sorted_map.paths[: -len(order)]:
            part = part_of(equal[path][0])
            if part is None:
                return None
            prefix.append(part)
        lower, upper = (_bound(value) for value in bounds(wanted, order[0][0]))
        entries = sorted_map.between(prefix, lower, upper)
        if len(entries) > len(narrowed):
            return None
        # Not all of them may be read.
        return (document for _, _, document in entries) if entries else self._at(())

    def _at(self, numbers: Sequence[int]) -> list[Document]:
        # The matcher has to see one document, or nobody notices that a filter is malformed.
        return [self.records[number] for number in numbers] or list(
            itertools.islice(self.records.values(), 1)
        )

    def _narrowed(self, equal: Equalities) -> AbstractSet[int] | None:
        """Return the numbers of the documents that may match; None if no index says."""
        best: AbstractSet[int] | None = None
        for paths, keymap in self.lookups.items():
            if not all(path in equal for path in paths):
                continue
            counts = [len(equal[path]) for path in paths]
            if math.prod(counts) <= max(_MOST_COMBINATIONS, *counts):
                found = keymap.find([equal[path] for path in paths])
                if best is None or len(found) < len(best):
                    best = found
                if len(best) <= 1:
                    break
        return best

    def _sorted_map(self, equal: Equalities, order: Sequence[str]) -> SortedMap | None:
        """Return the sorted list of *equal* fields of an index and then those of *order*."""
        tail = tuple(order)
        for paths in self.lookups:
            head = paths[: -len(tail)]
            if paths[len(head) :] == tail and all(path in equal for path in head):
                if paths not in self.sorted_maps:
                    self.sorted_maps[paths] = SortedMap(paths, self.records)
                return self.sorted_maps[paths]
        return None

    def _filled(self, keymap: KeyMap) -> KeyMap:
        for number, document in self.records.items():
            keymap.move(number, (), keymap.keys(DocumentKeys(document)))
        return keymap

    def _guarded(
        self, index: Mapping[str, Any], lookups: Mapping[tuple[str, ...], KeyMap]
    ) -> KeyMap:
        """Return the map that a unique index looks at: of all documents, or of its own."""
        paths = tuple(path for path, _ in index["key"])
        sparse, condition = bool(index.get("sparse")), index.get("partialFilterExpression")
        if not sparse and condition is None:
            return lookups[paths]
        return self._filled(KeyMap(paths, sparse=sparse, condition=condition))

    def _refuse_duplicates(self, guard: Guard, namespace: str) -> None:
        for number, document in self.records.items():
            keys = guard.keymap.keys(DocumentKeys(document))
            guard.refuse_duplicate(number, keys, document, self.records, namespace)


def _bound(value: Any) -> Part | None:
    """Return where a range ends; None, too, for an end of which the order says nothing."""
    return None if value is None else part_of(value)
