"""Checking filters before mongomock sees them.

mongomock looks at an operator only once it compares a document with it, so that a wrong
filter would pass as long as nothing is stored. Some operators it gets wrong: these are put
into words that it understands, in place, or refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bson.regex import Regex

from pytest_pynenc_state.backends.mongo.server.errors import Code, CommandError, refuse
from pytest_pynenc_state.backends.mongo.server.expressions import check_expression
from pytest_pynenc_state.backends.mongo.server.patterns import check_pattern
from pytest_pynenc_state.backends.mongo.server.refusals import (
    FIELD_OPERATORS,
    REFUSED_FILTERS,
    TYPES,
    check_operator,
)
from pytest_pynenc_state.backends.mongo.server.splitting import apart, is_too_much
from pytest_pynenc_state.backends.mongo.server.wire import Document

_REGEX_OPTIONS = frozenset("imsx")
# True of a scalar that a path leads into, unlike what else is true of a missing field.
_IS_THERE: Document = {"$in": []}


def check_filter(wanted: Document) -> None:
    """Check *wanted*, and mend it in place.

    :raises CommandError: It is wrong, or mongomock would get it wrong.
    """
    for field, condition in list(wanted.items()):
        if field.startswith("$"):
            _check_top(field, condition)
        elif not field:
            refuse("a filter on a field without a name", "it matches anything")
        elif condition == {}:
            # mongomock takes it for a condition that a missing field satisfies.
            wanted[field] = {"$eq": condition}
        elif isinstance(condition, dict):
            check_condition(condition)
            if is_too_much(field, condition):
                del wanted[field]
                wanted["$and"] = [*wanted.get("$and", ()), *_checked_parts(field, condition)]
        elif isinstance(condition, Regex):
            check_pattern(condition)


def _checked_parts(field: str, condition: Document) -> list[Document]:
    parts = apart(field, condition)
    for part in parts:
        if "$nor" in part:
            # What is denied has not been split yet.
            check_filter(part)
    return parts


def _check_top(operator: str, operand: Any) -> None:
    if operator in {"$and", "$or", "$nor"}:
        if not isinstance(operand, list) or not operand:
            raise CommandError(Code.BadValue, f"{operator} must be a nonempty array")
        for part in operand:
            _check_nested(operator, part)
    elif operator == "$expr":
        check_expression(operand)
    elif operator != "$comment":
        check_operator("top level operator", operator, REFUSED_FILTERS, Code.BadValue)


def _check_nested(operator: str, wanted: Any) -> None:
    if not isinstance(wanted, dict):
        raise CommandError(Code.BadValue, f"{operator} needs an object, got {wanted!r}")
    check_filter(wanted)


def check_condition(condition: Document) -> None:
    """Check what a filter says about one field, and mend it in place.

    :param condition: Operators with their operands, or a document to be equal to.
    :raises CommandError: It is wrong, or mongomock would get it wrong.
    """
    operators = [name for name in condition if name.startswith("$")]
    if not operators:
        return
    if len(operators) < len(condition):
        wrong = next(name for name in condition if not name.startswith("$"))
        raise CommandError(Code.BadValue, f"unknown operator: {wrong}")
    if "$options" in condition and "$regex" not in condition:
        raise CommandError(Code.BadValue, "$options needs a $regex")
    if "$size" in condition:
        _say_that_it_is_an_array(condition)
    for operator, operand in condition.items():
        if operator not in FIELD_OPERATORS:
            check_operator("operator", operator, REFUSED_FILTERS, Code.BadValue)
        check = _OPERANDS.get(operator)
        if check is not None:
            check(operator, operand)


def _say_that_it_is_an_array(condition: Document) -> None:
    # mongomock takes any value for an array of one element.
    if condition.setdefault("$type", "array") != "array":
        refuse("$size beside another $type", "mongomock counts scalars too")


def _regex(operator: str, operand: Any) -> None:
    if not isinstance(operand, str | Regex):
        raise CommandError(Code.BadValue, f"{operator} has to be a string")
    check_pattern(operand if isinstance(operand, Regex) else Regex(operand))


def _regex_options(operator: str, operand: Any) -> None:
    if not isinstance(operand, str) or not _REGEX_OPTIONS.issuperset(operand):
        raise CommandError(Code.BadValue, f"invalid {operator}: {operand!r}")


def _comparable(operator: str, operand: Any) -> None:
    if operand is None and operator in {"$gte", "$lte"}:
        refuse(f"{operator} null", "mongomock misses absent fields")
    if isinstance(operand, Regex):
        raise CommandError(Code.BadValue, f"Can't have RegEx as arg to {operator}")


def _array(operator: str, operand: Any) -> list[Any]:
    if not isinstance(operand, list):
        raise CommandError(Code.BadValue, f"{operator} needs an array")
    return operand


def _choices(operator: str, operand: Any) -> None:
    for value in _array(operator, operand):
        if isinstance(value, list):
            refuse(f"an array in {operator}", "mongomock compares elements only")
        if isinstance(value, dict) and any(name.startswith("$") for name in value):
            raise CommandError(Code.BadValue, f"cannot nest $ under {operator}")
        if isinstance(value, Regex):
            check_pattern(value)


def _all(operator: str, operand: Any) -> None:
    if not _array(operator, operand):
        refuse(f"an empty {operator}", "mongomock matches all documents")
    for value in operand:
        if isinstance(value, list | Regex):
            refuse(f"{value!r} in {operator}", "mongomock compares elements only")
        if isinstance(value, dict) and any(name.startswith("$") for name in value):
            if set(value) != {"$elemMatch"}:
                raise CommandError(Code.BadValue, f"no {next(iter(value))} expressions in $all")
            _element("$elemMatch", value["$elemMatch"])


def _unequal(operator: str, operand: Any) -> None:
    if isinstance(operand, Regex):
        raise CommandError(Code.BadValue, f"Can't have regex as arg to {operator}.")


def _size(operator: str, operand: Any) -> None:
    if isinstance(operand, bool) or not isinstance(operand, int) or operand < 0:
        raise CommandError(Code.BadValue, f"{operator} needs a number of at least 0")


def _type(operator: str, operand: Any) -> None:
    if not isinstance(operand, str) or operand not in TYPES:
        refuse(f"{operator} {operand!r}", f"only one of {sorted(TYPES)} is")


def _element(operator: str, operand: Any) -> None:
    if not isinstance(operand, dict):
        raise CommandError(Code.BadValue, f"{operator} needs an Object")
    first = next(iter(operand), "")
    if first.startswith("$") and first not in {"$and", "$or", "$nor"}:
        check_condition(operand)
    else:
        check_element(operand)


def check_element(wanted: Document) -> None:
    """Check a filter for the documents in an array, and mend it in place.

    To mongomock a number in the array is a document without any fields.

    :raises CommandError: It is wrong, or mongomock would get it wrong.
    """
    check_filter(wanted)
    _spare_scalars(wanted)


def _spare_scalars(wanted: Document) -> None:
    if not wanted:
        refuse("an empty filter for an element", "mongomock matches scalars, too")
    for field, condition in wanted.items():
        if field in {"$and", "$or"}:
            for part in condition:
                _spare_scalars(part)
        elif field == "$nor" or ("." in field and _suits_missing(condition)):
            refuse(f"{field} in a filter for an element", "mongomock matches scalars, too")
        elif _suits_missing(condition):
            condition.setdefault("$not", _IS_THERE)


def _suits_missing(condition: Any) -> bool:
    return isinstance(condition, dict) and (
        condition == {"$exists": False} or (condition != {} and condition.keys() <= {"$ne", "$nin"})
    )


def _negated(operator: str, operand: Any) -> None:
    if isinstance(operand, Regex):
        check_pattern(operand)
    elif not isinstance(operand, dict) or not operand:
        raise CommandError(Code.BadValue, f"{operator} needs a regex or a document")
    elif not all(name.startswith("$") for name in operand):
        raise CommandError(Code.BadValue, f"unknown operator: {next(iter(operand))}")
    else:
        check_condition(operand)


_OPERANDS: Mapping[str, Callable[[str, Any], Any]] = {
    "$ne": _unequal,
    "$gt": _comparable,
    "$gte": _comparable,
    "$lt": _comparable,
    "$lte": _comparable,
    "$in": _choices,
    "$nin": _choices,
    "$all": _all,
    "$type": _type,
    "$size": _size,
    "$elemMatch": _element,
    "$not": _negated,
    "$regex": _regex,
    "$options": _regex_options,
}
