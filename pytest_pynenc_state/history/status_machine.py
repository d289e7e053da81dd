"""The status machine of the installed pynenc, asked about single steps.

No rule is written down here: which status may follow which, and who owns what, comes from
pynenc's own definitions.
"""

from __future__ import annotations

from functools import cache

from pynenc.invocation.status import InvocationStatus, get_status_definition

from pytest_pynenc_state.errors import PathError
from pytest_pynenc_state.history.records import Record
from pytest_pynenc_state.option_values import near_match


def status_named(name: str) -> InvocationStatus:
    """The status called *name*, a name as pynenc writes it: ``"running"``.

    :raises PathError: The installed pynenc has no such status.
    """
    try:
        return InvocationStatus(name)
    except ValueError:
        known = [status.value for status in InvocationStatus]
        message = f"the installed pynenc has no status {name!r}"
        raise PathError(message, near_match(name.lower(), known)) from None


@cache
def following(status: InvocationStatus | None) -> tuple[InvocationStatus, ...]:
    """The statuses that may follow *status*, in pynenc's order; None is before the first one."""
    # pynenc's function declares no None, but has a definition for it.
    allowed = get_status_definition(status).allowed_transitions  # type: ignore[arg-type]
    return tuple(each for each in InvocationStatus if each in allowed)


def transition_objection(before: Record | None, after: Record) -> str:
    """Say why the status of *after* may not follow that of *before*, or return nothing.

    :param before: None if *after* is the first record.
    """
    status = before.status if before else None
    if after.status in following(status):
        return ""
    allowed = ", ".join(following(status)) or "nothing"
    if before is None:
        return f"a history begins with {allowed}, not with {after.status}"
    return f"after {status} pynenc allows {allowed}, not {after.status}"


def owner_objection(before: Record | None, after: Record) -> str:
    """Say why *after* may not have its owner, or return nothing.

    A status that acquires needs an owner, one that releases has none, any other keeps that of
    *before*. The first record may name the one who registered.
    """
    definition = get_status_definition(after.status)
    if before is None:
        return ""
    if definition.releases_ownership:
        names = f"{after.status} releases ownership, but {after.owner} owns it"
        return names if after.owner else ""
    if definition.acquires_ownership:
        return "" if after.owner else f"{after.status} needs an owner"
    if after.owner != before.owner:
        return f"{after.status} belongs to the owner of {before.status}, which was {before.owner}"
    return ""


def leaver_objection(before: Record | None, after: Record) -> str:
    """Say why somebody else than the owner of *before* may not have moved it, or return nothing.

    A status that requires ownership is left by its owner only, but for a recovery.
    """
    if before is None or get_status_definition(after.status).overrides_ownership:
        return ""
    if not get_status_definition(before.status).requires_ownership:
        return ""
    if after.mover == before.owner:
        return ""
    return f"{before.status} was left by {after.mover}, but owned by {before.owner}"


def objection(before: Record | None, after: Record) -> str:
    """Say why pynenc does not allow *after* to follow *before*, or return nothing."""
    return (
        transition_objection(before, after)
        or owner_objection(before, after)
        or leaver_objection(before, after)
    )
