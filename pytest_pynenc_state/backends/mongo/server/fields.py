"""How ``$inc``, ``$min`` and ``$max`` change one field, where Python and MongoDB differ.

Python cannot compare values of two types, counts booleans as numbers, and does not tell a
64-bit number from a 32-bit one.

Relies on mongomock's ``Collection._update_document_single_field``, which is told by which of the
module's functions to change a field; without these functions it does what mongomock does.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, TypeAlias

from bson import Decimal128, Int64
from mongomock import collection as mongomock_collection
from mongomock.collection import Collection
from mongomock.filtering import bson_compare
from pymongo.errors import WriteError

_Updater: TypeAlias = Callable[[Any, str, Any], None]

_TYPE_MISMATCH = 14


def _increase(there: Any, amount: Any) -> Any:
    if isinstance(there, Decimal128) or isinstance(amount, Decimal128):
        message = "$inc of decimals is not supported here: mongomock cannot add them"
        raise NotImplementedError(message)
    if isinstance(there, bool) or not isinstance(there, int | float):
        message = f"Cannot apply $inc to a value of non-numeric type {type(there).__name__}"
        raise WriteError(message, _TYPE_MISMATCH)
    total = there + amount
    is_long = isinstance(total, int) and (isinstance(there, Int64) or isinstance(amount, Int64))
    return Int64(total) if is_long else total


def _least(there: Any, value: Any) -> Any:
    return value if bson_compare(operator.lt, value, there) else there


def _greatest(there: Any, value: Any) -> Any:
    return value if bson_compare(operator.gt, value, there) else there


_CHANGES = {
    getattr(mongomock_collection, name, None): combine
    for name, combine in {
        "_inc_updater": _increase,
        "_min_updater": _least,
        "_max_updater": _greatest,
    }.items()
}


class FieldsCollection(Collection):
    """A collection whose updates combine what is there with what is given as MongoDB does."""

    def _update_document_single_field(
        self, doc: Any, field_name: str, field_value: Any, updater: Any
    ) -> None:
        combine = _CHANGES.get(updater)
        changed = updater if combine is None else _changing(updater, combine)
        super()._update_document_single_field(doc, field_name, field_value, changed)


def _changing(updater: _Updater, combine: Callable[[Any, Any], Any]) -> _Updater:
    def change(parent: Any, name: str, value: Any) -> None:
        if isinstance(parent, dict) and name in parent:
            parent[name] = combine(parent[name], value)
        elif isinstance(parent, list) and int(name) < len(parent):
            parent[int(name)] = combine(parent[int(name)], value)
        else:
            updater(parent, name, value)

    return change
