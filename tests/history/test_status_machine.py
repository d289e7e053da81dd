"""Single steps of the installed pynenc's status machine."""

from __future__ import annotations

from itertools import product

import pytest
from pynenc.exceptions import InvocationStatusError
from pynenc.invocation.status import (
    InvocationStatus,
    InvocationStatusRecord,
    status_record_transition,
)

from pytest_pynenc_state.errors import PathError
from pytest_pynenc_state.history.records import Record
from pytest_pynenc_state.history.status_machine import (
    allows,
    leaver_objection,
    objection,
    owner_objection,
    status_named,
    transition_objection,
)
from tests.history.builders import record

OWNERS = (None, "runner-1", "runner-2")
MOVERS = ("runner-1", "runner-2")


def is_pynencs_own(before: Record | None, after: Record) -> bool:
    """Whether pynenc itself would come from the one to the other, with that owner."""
    current = before and InvocationStatusRecord(before.status, before.owner)
    try:
        made = status_record_transition(current, after.status, after.mover)
    except InvocationStatusError:
        return False
    # Who registers may be named.
    return made.runner_id == after.owner or before is None


@pytest.mark.parametrize("status", InvocationStatus)
def test_a_step_is_allowed_exactly_if_pynenc_would_make_it(status: InvocationStatus) -> None:
    """From any status, with any owner, to any status and owner, by anybody."""
    befores = [None, *(record(status, owner=owner) for owner in OWNERS)]
    afters = [
        record(next_status, owner=owner, mover=mover)
        for next_status, owner, mover in product(InvocationStatus, OWNERS, MOVERS)
    ]
    for before, after in product(befores, afters):
        assert allows(before, after) == is_pynencs_own(before, after), (before, after)


@pytest.mark.parametrize("status", InvocationStatus)
def test_there_is_an_objection_exactly_to_what_is_not_allowed(status: InvocationStatus) -> None:
    befores = [None, *(record(status, owner=owner) for owner in OWNERS)]
    afters = [
        record(next_status, owner=owner, mover=mover)
        for next_status, owner, mover in product(InvocationStatus, OWNERS, MOVERS)
    ]
    for before, after in product(befores, afters):
        each = [
            told(before, after)
            for told in (transition_objection, owner_objection, leaver_objection)
        ]
        assert allows(before, after) == (not any(each)), (before, after, each)
        assert objection(before, after) == next(filter(None, each), "")


def test_an_unknown_status_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(PathError, match="no status 'sucess'\n- did you mean 'success'"):
        status_named("sucess")
