"""Projections, and sort orders checked before mongomock sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from mongomock.filtering import filter_applies

from pytest_pynenc_state.backends.mongo.server.errors import (
    EXCLUSION_IN_INCLUSION,
    INCLUSION_IN_EXCLUSION,
    PATH_COLLISION,
    Code,
    CommandError,
    refuse,
)
from pytest_pynenc_state.backends.mongo.server.filters import check_condition
from pytest_pynenc_state.backends.mongo.server.wire import Document

#: Fields with the directions (1 or -1) to sort by.
Order = list[tuple[str, int]]


_Paths: TypeAlias = dict[str, Any]


class Projection:
    """Which fields of a document to show, as MongoDB shows them.

    mongomock stumbles over arrays of other things than documents, drops a scalar that a hidden
    field would be in, and shows a whole ``_id`` for a part of it.

    :param fields: Paths with 1 to show, 0 to hide, or an ``$elemMatch``; checked.
    """

    def __init__(self, fields: Document) -> None:
        self._elements = {name: value for name, value in fields.items() if isinstance(value, dict)}
        plain = {path: value for path, value in fields.items() if path not in self._elements}
        whole_id = plain.pop("_id", None)
        shows = bool(self._elements) or any(plain.values()) or (not plain and whole_id == 1)
        self._paths = _nested(plain)
        if shows == (whole_id != 0):
            self._paths.setdefault("_id", {})
        self._choose = _shown if shows else _hidden

    def of(self, document: Document) -> Document:
        """Return what is shown of *document*."""
        chosen = self._choose(document, self._paths)
        for name, condition in self._elements.items():
            values = document.get(name)
            for value in values if isinstance(values, list) else ():
                if filter_applies({name: condition}, {name: [value]}):  # type: ignore[no-untyped-call]
                    chosen[name] = [value]
                    break
        return chosen


def _nested(paths: Iterable[str]) -> _Paths:
    """Each field with the fields in it that are named; with none if all of it is meant."""
    nested: _Paths = {}
    for path in paths:
        inner = nested
        for part in path.split("."):
            inner = inner.setdefault(part, {})
    return nested


def _shown(document: Document, paths: _Paths) -> Document:
    named = ((name, value, paths[name]) for name, value in document.items() if name in paths)
    return {
        name: _within(value, below, _shown) if below else value
        for name, value, below in named
        if not below or isinstance(value, dict | list)
    }


def _hidden(document: Document, paths: _Paths) -> Document:
    return {
        name: _within(value, paths[name], _hidden) if name in paths else value
        for name, value in document.items()
        if paths.get(name) != {}
    }


def _within(value: Any, paths: _Paths, choose: Callable[[Document, _Paths], Document]) -> Any:
    if isinstance(value, dict):
        return choose(value, paths)
    if isinstance(value, list):
        kept = [each for each in value if choose is _hidden or isinstance(each, dict | list)]
        return [_within(each, paths, choose) for each in kept]
    return value


def checked_projection(fields: Document) -> Projection | None:
    """Return the projection that *fields* describe; None if they are empty.

    :raises CommandError: It is wrong, or not supported here.
    """
    checked = {field: _checked_field(field, value) for field, value in fields.items()}
    kinds = [(field, value) for field, value in checked.items() if field != "_id"]
    included = any(value != 0 for _, value in kinds)
    for field, value in kinds:
        if included and value == 0:
            code = INCLUSION_IN_EXCLUSION if kinds[0][1] == 0 else EXCLUSION_IN_INCLUSION
            raise CommandError(code, f"Cannot mix inclusion and exclusion: field {field}")
    _check_collisions(checked)
    return Projection(checked) if checked else None


def _check_collisions(fields: Document) -> None:
    for field in fields:
        parts = field.split(".")
        if "" in parts:
            raise CommandError(_EMPTY_FIELD_NAME, f"the path '{field}' has an empty field name")
        for length in range(1, len(parts)):
            if ".".join(parts[:length]) in fields:
                raise CommandError(PATH_COLLISION, f"Path collision at {field}")


_EMPTY_FIELD_NAME = 15998


def _checked_field(field: str, value: Any) -> Any:
    if field.startswith("$") or ".$" in field:
        refuse(f"projection {field}", "elements are not found by the filter")
    if isinstance(value, bool | int | float):
        return int(bool(value))
    if not isinstance(value, dict) or set(value) != {"$elemMatch"} or "." in field:
        refuse(f"projection of {field} by {value!r}", "only 0, 1 and $elemMatch are")
    check_condition(value)
    return value


def checked_order(order: Document) -> Order | None:
    """Return a sort order as mongomock reads it; None if it is empty.

    :raises CommandError: It is wrong, or mongomock would get it wrong.
    """
    for field, direction in order.items():
        if isinstance(direction, dict):
            refuse(f"sorting by {direction}", "there are no text indexes")
        if isinstance(direction, bool) or direction not in {1, -1}:
            message = f"$sort key ordering must be 1 or -1, got {field}: {direction!r}"
            raise CommandError(Code.BadValue, message)
        if field != "$natural" and (field.startswith("$") or not field):
            raise CommandError(Code.BadValue, f"cannot sort by {field!r}")
    return [(field, int(direction)) for field, direction in order.items()] or None
