"""Checking update operators before mongomock sees them, and mending what it gets wrong."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bson.decimal128 import Decimal128
from bson.regex import Regex
from bson.timestamp import Timestamp

from pytest_pynenc_state.backends.mongo.server.errors import Code, CommandError, refuse
from pytest_pynenc_state.backends.mongo.server.filters import check_condition, check_element
from pytest_pynenc_state.backends.mongo.server.refusals import (
    REFUSED_UPDATES,
    UPDATE_OPERATORS,
    check_operator,
)
from pytest_pynenc_state.backends.mongo.server.wire import Document

_PUSH_MODIFIERS = frozenset({"$each", "$position", "$slice", "$sort"})
_ARRAY_OPERATORS = ("$addToSet", "$pull", "$pullAll", "$pop")
# What mongomock does not do to an element of an array, without a word.
_NOT_BY_NUMBER = frozenset({"$unset", "$min", "$max"})
# Operators that make the documents on the way to a field that is not there.
_CREATING = ("$set", "$setOnInsert", "$inc", "$min", "$max", "$push", "$addToSet")


def checked_change(change: Document) -> Document:
    """Return *change*, a document of update operators, as mongomock gets it right.

    :raises CommandError: It is wrong, or mongomock would get it wrong.
    """
    seen: list[str] = []
    for operator, fields in change.items():
        if operator not in UPDATE_OPERATORS:
            check_operator("update operator", operator, REFUSED_UPDATES, Code.FailedToParse)
        if not isinstance(fields, dict):
            message = f"Modifiers operate on fields but we found type {type(fields).__name__}"
            raise CommandError(Code.FailedToParse, message)
        for path, operand in fields.items():
            _check_path(operator, path)
            check = _OPERANDS.get(operator)
            if check is not None:
                check(path, operand)
            seen += [path, operand] if operator == "$rename" else [path]
    _check_conflicts(seen)
    return _with_dates_set(change) if "$currentDate" in change else change


def _check_path(operator: str, path: str) -> None:
    parts = path.split(".")
    if "" in parts:
        raise CommandError(_EMPTY_FIELD_NAME, f"The update path '{path}' has an empty field name")
    if any(part.startswith("$") for part in parts):
        refuse(f"positional update {path}", "mongomock finds other elements")
    if operator in _NOT_BY_NUMBER and any(part.isdecimal() for part in parts):
        refuse(f"{operator} of element {path}", "mongomock ignores it")


_EMPTY_FIELD_NAME = 56


def _check_conflicts(paths: list[str]) -> None:
    if len(paths) == 1:
        return
    known: set[str] = set()
    for path in sorted(paths, key=lambda path: path.count(".")):
        parts = path.split(".")
        for length in range(1, len(parts) + 1):
            start = ".".join(parts[:length])
            if start in known:
                message = f"Updating the path '{path}' would create a conflict at '{start}'"
                raise CommandError(Code.ConflictingUpdateOperators, message)
        known.add(path)


def _with_dates_set(change: Document) -> Document:
    # mongomock would store microseconds, which no client can ask for.
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    dates = {path: _now(kind, now) for path, kind in change["$currentDate"].items()}
    others = {name: fields for name, fields in change.items() if name != "$currentDate"}
    return {**others, "$set": {**others.get("$set", {}), **dates}}


def _now(kind: Any, now: dt.datetime) -> Any:
    if kind == {"$type": "timestamp"}:
        return Timestamp(int(time.time()), 1)
    if kind is True or kind == {"$type": "date"}:
        return now
    raise CommandError(Code.BadValue, f"$currentDate knows true, date and timestamp, got {kind!r}")


def _number(path: str, operand: Any) -> None:
    is_number = isinstance(operand, int | float | Decimal128) and not isinstance(operand, bool)
    if not is_number:
        message = f"Cannot increment with non-numeric argument: {{{path}: {operand!r}}}"
        raise CommandError(Code.TypeMismatch, message)


def _pushed(path: str, operand: Any) -> None:
    if not isinstance(operand, dict) or not any(name.startswith("$") for name in operand):
        return
    if "$each" not in operand or not _PUSH_MODIFIERS.issuperset(operand):
        message = f"$push to {path} takes $each with {sorted(_PUSH_MODIFIERS)}, got {list(operand)}"
        raise CommandError(Code.BadValue, message)
    _check_each(path, operand["$each"])
    if isinstance(operand.get("$sort"), dict) and len(operand["$sort"]) > 1:
        refuse("$push with $sort by several fields", "mongomock takes one")


def _added(path: str, operand: Any) -> None:
    if not isinstance(operand, dict) or not any(name.startswith("$") for name in operand):
        return
    if set(operand) != {"$each"}:
        raise CommandError(Code.BadValue, f"$addToSet to {path} takes $each, got {list(operand)}")
    _check_each(path, operand["$each"])
    # mongomock compares each with what was stored, not with one another.
    unique: list[Any] = []
    for value in operand["$each"]:
        if value not in unique:
            unique.append(value)
    operand["$each"] = unique


def _check_each(path: str, values: Any) -> None:
    if not isinstance(values, list):
        raise CommandError(Code.TypeMismatch, f"The argument to $each in {path} must be an array")


def _pulled(path: str, operand: Any) -> None:
    if isinstance(operand, Regex):
        refuse(f"$pull of a pattern from {path}", "mongomock pulls equals only")
    if isinstance(operand, dict) and next(iter(operand), "").startswith("$"):
        check_condition(operand)
    elif isinstance(operand, dict):
        check_element(operand)


def _list(path: str, operand: Any) -> None:
    if not isinstance(operand, list):
        raise CommandError(Code.BadValue, f"$pullAll from {path} requires an array argument")


def _renamed(path: str, operand: Any) -> None:
    if not isinstance(operand, str):
        raise CommandError(Code.BadValue, f"The 'to' field for $rename must be a string: {path}")
    _check_path("$rename", operand)


def _popped(path: str, operand: Any) -> None:
    if isinstance(operand, bool) or operand not in {1, -1}:
        raise CommandError(Code.FailedToParse, f"$pop of {path} expects 1 or -1, got {operand!r}")


_OPERANDS: Mapping[str, Callable[[str, Any], None]] = {
    "$inc": _number,
    "$push": _pushed,
    "$addToSet": _added,
    "$pull": _pulled,
    "$pullAll": _list,
    "$rename": _renamed,
    "$pop": _popped,
}


def needs_look(change: Document) -> bool:
    """Whether *change* may suit one document and not another; see `check_suits`."""
    return any(name in change for name in _ARRAY_OPERATORS) or any(
        "." in path for path in _paths(change, _CREATING)
    )


def check_suits(change: Document, document: Document) -> None:
    """Check that *document* has the types of fields that *change* is for.

    mongomock would leave such a document as it is, and say that it was updated.

    :raises CommandError: It has not.
    """
    for path in _paths(change, _CREATING):
        parts = path.split(".")
        if not _leads_on(document, parts):
            message = f"Cannot create field '{parts[-1]}' of '{path}': what is there is no document"
            raise CommandError(Code.PathNotViable, message)
    for operator in _ARRAY_OPERATORS:
        for path in change.get(operator, ()):
            if operator != "$pop" and _enters_array(document, path):
                refuse(f"{operator} to '{path}' in an array", "mongomock takes another one")
            value = _value_at(document, path)
            if value is not _MISSING and not isinstance(value, list):
                message = f"Cannot apply {operator} to '{path}', which is no array: {value!r}"
                raise CommandError(Code.BadValue, message)
            if value is _MISSING and operator == "$pop":
                refuse(f"$pop of '{path}', which is missing", "mongomock gives up")


_MISSING = object()


def _paths(change: Document, operators: tuple[str, ...]) -> Iterator[str]:
    for operator in operators:
        yield from change.get(operator, ())


def _leads_on(value: Any, parts: list[str]) -> bool:
    for part in parts:
        if not isinstance(value, dict) and not (isinstance(value, list) and part.isdecimal()):
            return value is _MISSING
        value = _child(value, part)
    return True


def _enters_array(value: Any, path: str) -> bool:
    for part in path.split("."):
        if isinstance(value, list):
            return True
        value = _child(value, part)
    return False


def _value_at(value: Any, path: str) -> Any:
    for part in path.split("."):
        value = _child(value, part)
    return value


def _child(value: Any, part: str) -> Any:
    if isinstance(value, dict):
        return value.get(part, _MISSING)
    if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
        return value[int(part)]
    return _MISSING
