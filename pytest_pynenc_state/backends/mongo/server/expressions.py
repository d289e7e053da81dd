"""Checking aggregation expressions before mongomock sees them, and mending comparisons.

mongomock gives up on a comparison with a field that is missing. Here such a field compares
as null does, which is what MongoDB says of it too unless it meets a null.
"""

from __future__ import annotations

from typing import Any

from pytest_pynenc_state.backends.mongo.server.errors import Code, CommandError, refuse
from pytest_pynenc_state.backends.mongo.server.refusals import EXPRESSIONS

_ROOT = frozenset({"ROOT", "CURRENT"})

_COMPARISONS = frozenset({"$eq", "$ne", "$gt", "$gte", "$lt", "$lte"})

# How many arguments those have whose arguments are a list.
_ARGUMENTS = {
    **dict.fromkeys(_COMPARISONS, 2),
    "$in": 2,
    "$subtract": 2,
    "$divide": 2,
    "$arrayElemAt": 2,
    "$ifNull": 2,
}
# Functions that evaluate an expression for each element, which it calls by a name.
_LOOPS = {"$filter": "cond", "$map": "in"}


def check_expression(expression: Any, variables: frozenset[str] = _ROOT) -> None:
    """Check an expression of a pipeline or of ``$expr``, and mend it in place.

    :param variables: The names that may follow ``$$``.
    :raises CommandError: It is wrong, or mongomock would get it wrong.
    """
    if isinstance(expression, str):
        _check_path(expression, variables)
    elif isinstance(expression, list):
        _check_constant(expression)
    elif isinstance(expression, dict):
        _check_document(expression, variables)


def _check_path(path: str, variables: frozenset[str]) -> None:
    if path.startswith("$$") and path[2:].partition(".")[0] not in variables:
        refuse(f"variable {path}", f"only one of {sorted(variables)} is known")
    if path == "$":
        raise CommandError(Code.BadValue, "'$' by itself is not a valid FieldPath")


def _check_constant(values: list[Any]) -> None:
    # mongomock returns an array as it is written.
    for value in values:
        if isinstance(value, dict) or (isinstance(value, str) and value.startswith("$")):
            refuse("an array of expressions", "mongomock does not evaluate them")
        if isinstance(value, list):
            _check_constant(value)


def _check_document(expression: dict[str, Any], variables: frozenset[str]) -> None:
    for name, argument in expression.items():
        if not name.startswith("$"):
            check_expression(argument, variables)
        elif len(expression) > 1:
            message = f"an expression must have exactly one field, got {list(expression)}"
            raise CommandError(Code.FailedToParse, message)
        elif name not in EXPRESSIONS:
            refuse(f"expression {name}", f"only {sorted(EXPRESSIONS)} are")
        elif name != "$literal":
            _check_arguments(name, argument, variables)


def _check_arguments(name: str, argument: Any, variables: frozenset[str]) -> None:
    if name in _LOOPS:
        _check_loop(name, argument, variables)
    elif name == "$cond" and isinstance(argument, dict):
        for part in ("if", "then", "else"):
            if part not in argument:
                raise CommandError(Code.BadValue, f"Missing '{part}' parameter to $cond")
            check_expression(argument[part], variables)
    elif name == "$size":
        check_expression(argument, variables)
    else:
        _check_list(name, argument, 3 if name == "$cond" else _ARGUMENTS.get(name))
        for one in argument:
            check_expression(one, variables)
        if name in _COMPARISONS:
            argument[:] = map(_never_missing, argument)


def _never_missing(expression: Any) -> Any:
    is_path = isinstance(expression, str) and expression.startswith("$")
    is_computed = is_path or isinstance(expression, dict)
    return {"$ifNull": [expression, None]} if is_computed else expression


def _check_list(name: str, arguments: Any, count: int | None) -> None:
    if not isinstance(arguments, list) or not arguments or count not in {None, len(arguments)}:
        wanted = "a list" if count is None else f"exactly {count}"
        raise CommandError(Code.BadValue, f"Expression {name} takes {wanted} arguments")


def _check_loop(name: str, argument: Any, variables: frozenset[str]) -> None:
    body = _LOOPS[name]
    needed = {"input", body}
    if not isinstance(argument, dict) or not needed <= set(argument) <= {*needed, "as"}:
        raise CommandError(Code.BadValue, f"{name} takes 'input', '{body}' and 'as'")
    check_expression(argument["input"], variables)
    check_expression(argument[body], variables | {argument.get("as", "this")})
