"""The status machine of the installed pynenc, asked about single steps.

No rule is written down here: which status may follow which, and who owns what, comes from
pynenc's own definitions.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from pynenc.invocation.status import InvocationStatus, get_status_definition

from pytest_pynenc_state.errors import PathError
from pytest_pynenc_state.history.records import Record
from pytest_pynenc_state.option_values import near_match


def status_named(name: str) -> InvocationStatus:
    """The status called *name*, a name as pynenc writes it: ``"running"``.

    :raises PathError: The installed pynenc has no such status.
    """
    __tracebackhide__ = True
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

    A status that acquires belongs to who sets it, one that releases to nobody, any other to the
    owner of *before*. The first record may name the one who registered.
    """
    definition = get_status_definition(after.status)
    if before is None:
        return ""
    if definition.releases_ownership:
        names = f"{after.status} releases ownership, but {after.owner} owns it"
        return names if after.owner else ""
    if definition.acquires_ownership:
        if after.owner == after.mover:
            return ""
        owner = after.owner or "nobody"
        return f"{after.status} belongs to who sets it, {after.mover}, not to {owner}"
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
    if allows(before, after):
        return ""
    return (
        transition_objection(before, after)
        or owner_objection(before, after)
        or leaver_objection(before, after)
    )


def allows(before: Record | None, after: Record) -> bool:
    """Whether there is no `objection` to *after* behind *before*; asked of every record."""
    demands = _demands(before.status if before else None, after.status)
    if before is None or not demands.is_allowed:
        return demands.is_allowed
    if demands.is_left_by_owner and after.mover != before.owner:
        return False
    if demands.releases:
        return not after.owner
    return after.owner == (after.mover if demands.acquires else before.owner)


class _Demands(NamedTuple):
    """What pynenc asks of a step from one status to another."""

    is_allowed: bool
    releases: bool
    acquires: bool
    is_left_by_owner: bool


@cache
def _demands(before: InvocationStatus | None, after: InvocationStatus) -> _Demands:
    entered = get_status_definition(after)
    is_owned = before is not None and get_status_definition(before).requires_ownership
    return _Demands(
        is_allowed=after in following(before),
        releases=entered.releases_ownership,
        acquires=entered.acquires_ownership,
        is_left_by_owner=is_owned and not entered.overrides_ownership,
    )
