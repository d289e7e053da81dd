"""What a filter says about single fields, as far as indexes can use it.

What is not understood here is not an error: it narrows nothing, and the matcher decides.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from bson import ObjectId, Regex

from pytest_pynenc_state.backends.mongo.server.indexing.keys import key_of

#: A MongoDB filter.
Filter: TypeAlias = Mapping[str, Any]

#: The keys that each of some fields may have, one of which it must have.
Equalities: TypeAlias = dict[str, Sequence[Hashable]]

_LOWER_BOUNDS = ("$gt", "$gte")
_UPPER_BOUNDS = ("$lt", "$lte")


def conditions(wanted: Filter) -> Iterator[tuple[str, Any]]:
    """Yield the fields and conditions that all have to hold, those in ``$and`` too."""
    for path, condition in wanted.items():
        if not path.startswith("$"):
            yield path, condition
        elif path == "$and" and isinstance(condition, list):
            for part in condition:
                if isinstance(part, Mapping):
                    yield from conditions(part)


def equalities(wanted: Filter) -> Equalities:
    """Return, for each field that must equal one of some values, the keys of those values.

    If a field has several such conditions, the one with the fewest values counts.
    """
    found: Equalities = {}
    for path, condition in conditions(wanted):
        keys = _keys(condition)
        if keys is not None and (path not in found or len(keys) < len(found[path])):
            found[path] = keys
    return found


def bounds(wanted: Filter, path: str) -> tuple[Any, Any]:
    """Return a lower and an upper bound of the values at *path*, inclusive; None for none."""
    lower = upper = None
    for name, condition in conditions(wanted):
        if name == path and _has_operators(condition):
            lower = next((condition[op] for op in _LOWER_BOUNDS if op in condition), lower)
            upper = next((condition[op] for op in _UPPER_BOUNDS if op in condition), upper)
    return lower, upper


def _has_operators(condition: Any) -> bool:
    return (
        isinstance(condition, Mapping)
        and bool(condition)
        and all(name.startswith("$") for name in condition)
    )


def _keys(condition: Any) -> Sequence[Hashable] | None:
    """Return the keys of the values that *condition* allows; None if it is no equality."""
    if condition == {}:
        # To mongomock this is an operator that a missing field satisfies.
        return None
    values = [condition]
    if _has_operators(condition):
        if "$eq" in condition:
            values = [condition["$eq"]]
        elif isinstance(condition.get("$in"), list):
            values = condition["$in"]
        else:
            return None
    if any(isinstance(value, (re.Pattern, Regex)) for value in values):
        return None
    try:
        keys = dict.fromkeys(map(key_of, values))
    except TypeError:
        return None
    # mongomock finds an ObjectId among the strings of an array, too.
    keys.update({str(value): None for value in values if isinstance(value, ObjectId)})
    return tuple(keys)
