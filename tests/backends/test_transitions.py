"""Status transitions: pynenc's own rules decide, and a refused one leaves no trace."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
from pynenc.exceptions import InvocationStatusError
from pynenc.invocation.status import (
    InvocationStatus,
    InvocationStatusRecord,
    status_record_transition,
)

from pytest_pynenc_state.conformance.making import (
    OWNER,
    legal_path,
    move,
    moved_to,
    new_context,
    new_invocation,
    registered,
    unique_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pynenc.app import Pynenc
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

#: Who may attempt a transition: the owner, somebody else, nobody, and an empty name.
ATTEMPTED_BY = (OWNER, "somebody else", None, "")

each_status = pytest.mark.parametrize("status", InvocationStatus)


def _outcome(transition: Callable[..., InvocationStatusRecord], *arguments: object) -> object:
    """What became of an attempt: status and owner, or the class of the error."""
    try:
        record = transition(*arguments)
    except InvocationStatusError as error:
        return type(error)
    return record.status, record.runner_id


@each_status
def test_every_transition_ends_as_pynenc_decides(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator, status: InvocationStatus
) -> None:
    """From one status to each status, tried by anybody: accepted and refused like pynenc."""
    transition = pynenc_orchestrator._atomic_status_transition
    actual, expected = {}, {}
    invocation_id = moved_to(pynenc_app, status)
    current = pynenc_orchestrator.get_invocation_status_record(invocation_id)
    for attempt in product(InvocationStatus, ATTEMPTED_BY):
        expected[attempt] = _outcome(status_record_transition, current, *attempt)
        actual[attempt] = _outcome(transition, invocation_id, *attempt)
        # A refused one leaves it where it was, which has a test of its own.
        if not isinstance(actual[attempt], type):
            invocation_id = moved_to(pynenc_app, status)
            current = pynenc_orchestrator.get_invocation_status_record(invocation_id)
    assert actual == expected


@each_status
def test_a_refused_transition_leaves_the_record_untouched(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator, status: InvocationStatus
) -> None:
    """Status, owner and time stamp are what they were before every refused attempt."""
    invocation_id = moved_to(pynenc_app, status)
    before = pynenc_orchestrator.get_invocation_status_record(invocation_id)
    refused = [
        attempt
        for attempt in product(InvocationStatus, ATTEMPTED_BY)
        if isinstance(_outcome(status_record_transition, before, *attempt), type)
    ]
    for target, runner_id in refused:
        with pytest.raises(InvocationStatusError):
            pynenc_orchestrator._atomic_status_transition(invocation_id, target, runner_id)
    assert pynenc_orchestrator.get_invocation_status_record(invocation_id) == before


@each_status
def test_an_accepted_transition_stores_what_it_returns(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator, status: InvocationStatus
) -> None:
    """The returned record is the stored one, to the microsecond."""
    accepted = [target for target in InvocationStatus if status.can_transition_to(target)]
    returned, stored = [], []
    for target in accepted:
        invocation_id = moved_to(pynenc_app, status)
        returned.append(pynenc_orchestrator._atomic_status_transition(invocation_id, target, OWNER))
        stored.append(pynenc_orchestrator.get_invocation_status_record(invocation_id))
    assert stored == returned


@each_status
def test_a_transition_of_an_unknown_invocation_is_a_key_error(
    pynenc_orchestrator: BaseOrchestrator, status: InvocationStatus
) -> None:
    """No status brings an invocation into being, REGISTERED neither."""
    invocation_id = unique_id("unknown")
    with pytest.raises(KeyError):
        pynenc_orchestrator._atomic_status_transition(invocation_id, status, OWNER)
    with pytest.raises(KeyError):
        pynenc_orchestrator.get_invocation_status(invocation_id)


def test_the_first_of_equal_transitions_wins(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """The second claim of an invocation is refused, and the first claimant keeps it."""
    invocation_id = moved_to(pynenc_app, InvocationStatus.REGISTERED)
    won = pynenc_orchestrator._atomic_status_transition(
        invocation_id, InvocationStatus.PENDING, "first"
    )
    with pytest.raises(InvocationStatusError):
        pynenc_orchestrator._atomic_status_transition(
            invocation_id, InvocationStatus.PENDING, "second"
        )
    assert pynenc_orchestrator.get_invocation_status_record(invocation_id) == won


def test_a_transition_moves_one_invocation_only(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Another invocation of the same call stays where it is."""
    moved, other = (
        moved_to(pynenc_app, status)
        for status in (InvocationStatus.PENDING, InvocationStatus.REGISTERED)
    )
    statuses = [pynenc_orchestrator.get_invocation_status(each) for each in (moved, other)]
    assert statuses == [InvocationStatus.PENDING, InvocationStatus.REGISTERED]


def test_the_public_transition_is_in_the_history(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Status and history tell the same story, record by record."""
    invocation = new_invocation(pynenc_app)
    pynenc_orchestrator.register_new_invocations([invocation])
    runner_context = new_context()
    for status in (InvocationStatus.PENDING, InvocationStatus.RUNNING, InvocationStatus.SUCCESS):
        pynenc_orchestrator.set_invocation_status(invocation.invocation_id, status, runner_context)
    history = pynenc_app.state_backend.get_history(invocation.invocation_id)
    last = pynenc_orchestrator.get_invocation_status_record(invocation.invocation_id)
    assert ([record.status_record.status for record in history], history[-1].status_record) == (
        ["registered", "pending", "running", "success"],
        last,
    )


def test_a_final_status_releases_the_waiters(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Once the awaited invocation has ended, the waiter is free to run."""
    (waiter,) = registered(pynenc_app)
    awaited = new_invocation(pynenc_app)
    pynenc_orchestrator.register_new_invocations([awaited])
    move(pynenc_orchestrator, awaited.invocation_id, *legal_path(InvocationStatus.RUNNING))
    blocking = pynenc_orchestrator.blocking_control
    blocking.waiting_for_results(waiter, [awaited.invocation_id])
    blocking.waiting_for_results("another", [waiter])
    before = list(blocking.get_blocking_invocations(9))
    pynenc_orchestrator.set_invocation_status(
        awaited.invocation_id, InvocationStatus.SUCCESS, new_context(OWNER)
    )
    assert (before, list(blocking.get_blocking_invocations(9))) == ([], [waiter])
