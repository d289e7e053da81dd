"""What an upsert takes over from its filter.

mongomock looks at the fields on top of a filter only, takes a pattern for a value, a document
with operators anywhere in it for a condition, and ``_id: null`` for no ``_id``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bson.regex import Regex

from pytest_pynenc_state.backends.mongo.server.errors import refuse
from pytest_pynenc_state.backends.mongo.server.wire import Document


def values_of(wanted: Document) -> Document:
    """Return the values by their paths that *wanted*, a checked filter, asks for.

    :raises CommandError: A field would have two values (NotImplemented).
    """
    found: Document = {}
    for path, value in _equalities(wanted):
        if any(_overlap(path, other) for other in found):
            refuse(f"an upsert with two values for {path}", "which one to store is not said")
        found[path] = value
    return found


def on_top(values: Document, wanted: Document) -> Document:
    """Return a filter that matches what *wanted* does, with its *values* where mongomock looks."""
    return {**{path: {"$eq": value} for path, value in values.items()}, "$and": [wanted]}


def with_values(values: Document) -> Document:
    """Return a document that has *values* at their paths, and nothing else."""
    document: Document = {}
    for path, value in values.items():
        *parents, last = path.split(".")
        inner = document
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[last] = value
    return document


def _equalities(wanted: Document) -> Iterator[tuple[str, Any]]:
    for name, condition in wanted.items():
        if name == "$and" or (name == "$or" and len(condition) == 1):
            for part in condition:
                yield from _equalities(part)
        elif name.startswith("$") or isinstance(condition, Regex):
            continue
        elif not isinstance(condition, dict) or not next(iter(condition), "").startswith("$"):
            yield name, condition
        elif "$eq" in condition:
            yield name, condition["$eq"]
        elif len(condition.get("$in", ())) == 1:
            refuse("an upsert with one value in $in", "not every MongoDB stores it")


def _overlap(path: str, other: str) -> bool:
    shorter, longer = sorted((f"{path}.", f"{other}."), key=len)
    return longer.startswith(shorter)
