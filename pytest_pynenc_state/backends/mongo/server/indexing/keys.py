"""Which keys a document has in an index: values that mongomock calls equal have one key.

Several values may share a key, because mongomock's own matcher decides afterwards; what must
not happen is that two equal values have different keys. So

- ``1``, ``1.0`` and ``True`` share one, as Python's equality and hashes have it;
- a missing field has the key of None, as it matches None;
- an array has the keys of its elements and one as a whole;
- embedded documents are compared without regard to the order of their fields.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping
from typing import Any, TypeAlias

from bson import ObjectId
from mongomock.filtering import iter_key_candidates
from sentinels import NOTHING

#: A stored document. It is never changed: a write replaces it by another.
Document: TypeAlias = dict[str, Any]

#: Values that are their own key, told by their exact type.
_ATOMS = frozenset(
    {str, int, float, bool, type(None), bytes, dt.datetime, ObjectId},
)


def key_of(value: Any) -> Hashable:
    """Return the key of one value.

    :raises TypeError: The value cannot be hashed (a regular expression, a Decimal128).
    """
    if type(value) in _ATOMS:
        return value  # type: ignore[no-any-return]  # one of _ATOMS
    if isinstance(value, Mapping):
        return frozenset((name, key_of(part)) for name, part in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(map(key_of, value))
    hash(value)
    return value  # type: ignore[no-any-return]  # it has a hash


def keys_at(document: Document, path: str) -> tuple[Hashable, ...]:
    """Return the different keys that *document* has at a dotted *path*.

    Empty if the path leads into a scalar: no equality, not even with None, matches there.

    :raises TypeError: A value cannot be hashed.
    """
    if "." not in path:
        value = document.get(path)
        if type(value) in _ATOMS:
            return (value,)
    keys: dict[Hashable, None] = {}
    for value in iter_key_candidates(path, document):
        if isinstance(value, (list, tuple)):
            keys.update(dict.fromkeys(map(key_of, value)))
        keys[key_of(None if value is NOTHING else value)] = None
    return tuple(keys)
