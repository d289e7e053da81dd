"""Checking projections and sort orders before mongomock sees them."""

from __future__ import annotations

from typing import Any

from pytest_pynenc_state.backends.mongo.server.errors import (
    EXCLUSION_IN_INCLUSION,
    INCLUSION_IN_EXCLUSION,
    Code,
    CommandError,
    refuse,
)
from pytest_pynenc_state.backends.mongo.server.filters import check_condition
from pytest_pynenc_state.backends.mongo.server.wire import Document

#: Fields with the directions (1 or -1) to sort by.
Order = list[tuple[str, int]]


def checked_projection(projection: Document) -> Document | None:
    """Return *projection* as mongomock reads it; None if it is empty.

    :raises CommandError: It is wrong, or mongomock would get it wrong.
    """
    checked = {field: _checked_field(field, value) for field, value in projection.items()}
    kinds = [(field, value) for field, value in checked.items() if field != "_id"]
    included = any(value != 0 for _, value in kinds)
    for field, value in kinds:
        if included and value == 0:
            code = INCLUSION_IN_EXCLUSION if kinds[0][1] == 0 else EXCLUSION_IN_INCLUSION
            raise CommandError(code, f"Cannot mix inclusion and exclusion: field {field}")
    return checked or None


def _checked_field(field: str, value: Any) -> Any:
    if field.startswith("$") or ".$" in field:
        refuse(f"projection {field}", "mongomock knows no positions")
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
