"""Checking aggregation pipelines before mongomock sees them, and mending what it gets wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_pynenc_state.backends.mongo.server import arguments
from pytest_pynenc_state.backends.mongo.server.errors import Code, CommandError, refuse
from pytest_pynenc_state.backends.mongo.server.expressions import check_expression
from pytest_pynenc_state.backends.mongo.server.filters import check_filter
from pytest_pynenc_state.backends.mongo.server.projections import checked_order
from pytest_pynenc_state.backends.mongo.server.refusals import ACCUMULATORS, check_stage
from pytest_pynenc_state.backends.mongo.server.wire import Document

_COUNTED: Document = {"count": {}}
_SUM_OF_COUNTS = {"_id": 1, "n": {"$sum": "$count"}}
_LOOKUP_FIELDS = {"from", "localField", "foreignField", "as"}


def counts_all(stages: list[Document]) -> bool:
    """Whether it is the pipeline by which older drivers estimate a collection's size."""
    return stages == [{"$collStats": _COUNTED}, {"$group": _SUM_OF_COUNTS}]


def checked_pipeline(stages: list[Document]) -> list[Document]:
    """Return *stages* as mongomock gets them right.

    :raises CommandError: One is wrong, or mongomock would get it wrong.
    """
    checked: list[Document] = []
    for stage in stages:
        if len(stage) != 1:
            message = "A pipeline stage specification object must contain exactly one field."
            raise CommandError(_STAGE_FIELDS, message)
        ((name, options),) = stage.items()
        check_stage(name)
        checked += _STAGES[name](name, options)
    return checked


_STAGE_FIELDS = 40323


def _document(name: str, options: Any) -> Document:
    return arguments.document({name: options}, name)


def _match(name: str, options: Any) -> list[Document]:
    check_filter(_document(name, options))
    return [{name: options}]


def _sort(name: str, options: Any) -> list[Document]:
    order = checked_order(_document(name, options))
    if order is None:
        raise CommandError(Code.BadValue, "$sort stage must have at least one sort key")
    return [{name: dict(order)}]


def _amount(name: str, options: Any) -> list[Document]:
    count = arguments.integer({name: options}, name, -1)
    if count < (1 if name == "$limit" else 0):
        raise CommandError(Code.BadValue, f"the {name} must be positive, got {options!r}")
    return [{name: count}]


def _sample(name: str, options: Any) -> list[Document]:
    size = arguments.integer(_document(name, options), "size", 0)
    return [{name: {"size": size}}]


def _count(name: str, options: Any) -> list[Document]:
    if not isinstance(options, str) or not options or options[0] == "$" or "." in options:
        raise CommandError(Code.BadValue, f"{name} needs the name of a field, got {options!r}")
    # mongomock counts 0 where MongoDB, having nothing to count, returns nothing.
    return [{"$group": {"_id": 1, options: {"$sum": 1}}}, {"$project": {"_id": 0}}]


def _unwind(name: str, options: Any) -> list[Document]:
    path = options.get("path") if isinstance(options, dict) else options
    if not isinstance(path, str) or not path.startswith("$"):
        raise CommandError(Code.BadValue, f"{name} needs a path that begins with '$', got {path!r}")
    return [{name: options}]


def _lookup(name: str, options: Any) -> list[Document]:
    if set(_document(name, options)) != _LOOKUP_FIELDS:
        refuse(f"{name} with {sorted(options)}", f"only {sorted(_LOOKUP_FIELDS)} are")
    return [{name: options}]


def _replace_root(name: str, options: Any) -> list[Document]:
    check_expression(arguments.required(_document(name, options), "newRoot"))
    return [{name: options}]


def _add_fields(name: str, options: Any) -> list[Document]:
    for field, value in _document(name, options).items():
        _check_computed(name, field, value)
    return [{name: options}]


def _project(name: str, options: Any) -> list[Document]:
    checked: Document = {}
    for field, value in _document(name, options).items():
        if isinstance(value, bool | int | float):
            if field.startswith("_id."):
                refuse(f"{name} of {field}", "mongomock takes the whole _id")
            if not value and "." in field:
                refuse(f"{name} without {field}", "mongomock drops numbers from arrays, too")
            checked[field] = int(bool(value))
        else:
            _check_computed(name, field, value)
            checked[field] = value
    return [{name: checked}]


def _check_computed(stage: str, field: str, value: Any) -> None:
    if "." in field:
        refuse(f"{stage} computing {field}", "mongomock puts it elsewhere")
    if isinstance(value, dict) and not next(iter(value), "").startswith("$"):
        refuse(f"{stage} with a document for {field}", "mongomock takes it literally")
    check_expression(value)


def _group(name: str, options: Any) -> list[Document]:
    key = arguments.required(_document(name, options), "_id")
    check_expression(key)
    computed = {
        field: _checked_accumulator(field, value)
        for field, value in options.items()
        if field != "_id"
    }
    # By a constant that is false, mongomock makes one group even of no documents.
    return [{name: {"_id": key or {"$literal": key}, **computed}}]


def _checked_accumulator(field: str, value: Any) -> Document:
    if not isinstance(value, dict) or len(value) != 1:
        raise CommandError(_ACCUMULATOR, f"The field '{field}' must be an accumulator object")
    ((name, expression),) = value.items()
    if name not in ACCUMULATORS:
        refuse(f"accumulator {name}", f"only {sorted(ACCUMULATORS)} are")
    if isinstance(expression, dict) and not next(iter(expression), "").startswith("$"):
        refuse(f"{name} of a document", "mongomock leaves out those in part missing")
    check_expression(expression)
    if name == "$push" and not isinstance(expression, str):
        refuse("$push of an expression", "mongomock leaves out nulls")
    if name in {"$first", "$last"}:
        # mongomock would pass over documents that lack it.
        return {name: {"$ifNull": [expression, None]}}
    return value


_ACCUMULATOR = 40234

_STAGES: Mapping[str, Callable[[str, Any], list[Document]]] = {
    "$match": _match,
    "$project": _project,
    "$addFields": _add_fields,
    "$set": _add_fields,
    "$group": _group,
    "$sort": _sort,
    "$limit": _amount,
    "$skip": _amount,
    "$unwind": _unwind,
    "$lookup": _lookup,
    "$count": _count,
    "$replaceRoot": _replace_root,
    "$sample": _sample,
}
