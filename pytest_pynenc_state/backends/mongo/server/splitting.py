"""Saying as several filters what mongomock gets wrong as one."""

from __future__ import annotations

from pytest_pynenc_state.backends.mongo.server.wire import Document

# Operators that say nothing alone.
_BELONGS_TO = {"$options": "$regex", "$size": "$type"}


def is_too_much(path: str, condition: Document) -> bool:
    """Whether mongomock gets *condition* wrong as a whole, and its operators right one by one.

    If the path leads through an array, mongomock looks for one element that all operators are
    true of, and takes ``$not`` for false if there is none. For ``$all`` it takes a document for
    an array.
    """
    negated = condition.get("$not")
    return (
        ("." in path and (len(condition) > 1 or "$not" in condition))
        or "$all" in condition
        or (isinstance(negated, dict) and "$all" in negated)
    )


def apart(path: str, condition: Document) -> list[Document]:
    """Return filters that together ask for what *condition* says about *path*."""
    if not next(iter(condition)).startswith("$"):
        return [{path: {"$eq": condition}}]
    groups: dict[str, Document] = {}
    for operator, operand in condition.items():
        groups.setdefault(_BELONGS_TO.get(operator, operator), {})[operator] = operand
    required = groups.pop("$all", {}).get("$all", ())
    negated = groups.pop("$not", None)
    filters: list[Document] = [{path: operators} for operators in groups.values()]
    for value in required:
        is_condition = isinstance(value, dict) and "$elemMatch" in value
        filters.append({path: value if is_condition else {"$eq": value}})
    if negated is not None:
        filters.append({"$nor": [{path: negated["$not"]}]})
    return filters
