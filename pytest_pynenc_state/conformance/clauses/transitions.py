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

from pytest_pynenc_state import compat
from pytest_pynenc_state.conformance.clause import clause
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
    from pynenc.invocation.dist_invocation import DistributedInvocation
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

# Who may attempt a transition: the owner, somebody else, nobody, and an empty name.
_ATTEMPTED_BY = (OWNER, "somebody else", None, "")


def _outcome(transition: Callable[..., InvocationStatusRecord], *arguments: object) -> object:
    """What became of an attempt: status and owner, or the class of the error."""
    try:
        record = transition(*arguments)
    except InvocationStatusError as error:
        return type(error)
    return record.status, record.runner_id


def _is_refused(record: InvocationStatusRecord, attempt: tuple[object, ...]) -> bool:
    return isinstance(_outcome(status_record_transition, record, *attempt), type)


@clause("OR-TRA-01", hint="call status_record_transition with the stored record; add no own rules")
def every_transition_ends_as_pynenc_decides(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """From each status to each status, whoever tries it: accepted or refused as pynenc decides."""
    transition = pynenc_orchestrator._atomic_status_transition
    for status in InvocationStatus:
        actual, expected = {}, {}
        invocation_id = moved_to(pynenc_app, status)
        current = pynenc_orchestrator.get_invocation_status_record(invocation_id)
        for attempt in product(InvocationStatus, _ATTEMPTED_BY):
            expected[attempt] = _outcome(status_record_transition, current, *attempt)
            actual[attempt] = _outcome(transition, invocation_id, *attempt)
            # A refused one leaves it where it was, which is a clause of its own.
            if not isinstance(actual[attempt], type):
                invocation_id = moved_to(pynenc_app, status)
                current = pynenc_orchestrator.get_invocation_status_record(invocation_id)
        assert (status, actual) == (status, expected)


@clause("OR-TRA-02", hint="write nothing before status_record_transition has returned")
def a_refused_transition_leaves_the_record_untouched(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """A refused transition leaves status, owner and timestamp as they were."""
    for status in InvocationStatus:
        invocation_id = moved_to(pynenc_app, status)
        before = pynenc_orchestrator.get_invocation_status_record(invocation_id)
        # One attempt of each target is enough: one that was accepted would be seen.
        for target in InvocationStatus:
            attempts = [(target, runner_id) for runner_id in _ATTEMPTED_BY]
            refused = next((each for each in attempts if _is_refused(before, each)), None)
            if refused:
                with pytest.raises(InvocationStatusError):
                    pynenc_orchestrator._atomic_status_transition(invocation_id, *refused)
        after = pynenc_orchestrator.get_invocation_status_record(invocation_id)
        assert (status, after) == (status, before)


@clause("OR-TRA-03", hint="store the returned record as it is: owner, and microseconds of its time")
def an_accepted_transition_stores_what_it_returns(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """The record that a transition returns is the stored one, to the microsecond."""
    for status, target in product(InvocationStatus, InvocationStatus):
        if status.can_transition_to(target):
            invocation_id = moved_to(pynenc_app, status)
            returned = pynenc_orchestrator._atomic_status_transition(invocation_id, target, OWNER)
            stored = pynenc_orchestrator.get_invocation_status_record(invocation_id)
            assert (status, target, stored) == (status, target, returned)


@clause("OR-TRA-04", hint="look the invocation up before the rules are asked")
def a_transition_of_an_unknown_invocation_is_a_key_error(
    pynenc_orchestrator: BaseOrchestrator,
) -> None:
    """A transition of an unknown invocation raises KeyError, and does not create it."""
    for status in InvocationStatus:
        invocation_id = unique_id("unknown")
        with pytest.raises(KeyError):
            pynenc_orchestrator._atomic_status_transition(invocation_id, status, OWNER)
        with pytest.raises(KeyError):
            pynenc_orchestrator.get_invocation_status_record(invocation_id)


@clause("OR-TRA-05", hint="the owner is part of what a transition checks and stores")
def the_first_of_equal_transitions_wins(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """A second claim of an invocation is refused, and the first claimant keeps it."""
    (invocation_id,) = registered(pynenc_app)
    pending = InvocationStatus.PENDING
    won = pynenc_orchestrator._atomic_status_transition(invocation_id, pending, "first")
    with pytest.raises(InvocationStatusError):
        pynenc_orchestrator._atomic_status_transition(invocation_id, pending, "second")
    assert pynenc_orchestrator.get_invocation_status_record(invocation_id) == won


@clause("OR-TRA-06", hint="the update must name the invocation, not its call or task")
def a_transition_moves_one_invocation_only(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Another invocation of the same call stays where it is."""
    other, moved = registered(pynenc_app, 2)
    before = pynenc_orchestrator.get_invocation_status_record(other)
    move(pynenc_orchestrator, moved, InvocationStatus.PENDING)
    assert pynenc_orchestrator.get_invocation_status_record(other) == before
    assert pynenc_orchestrator.get_invocation_status(moved) == InvocationStatus.PENDING


@clause("OR-TRA-07", hint="store the owner of the new record, also when it is None")
def an_owner_is_kept_while_it_works_and_dropped_at_the_end(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """PENDING, RUNNING and PAUSED have the owner that claimed; no other status has one."""
    for status in (InvocationStatus.PENDING, InvocationStatus.RUNNING, InvocationStatus.PAUSED):
        record = pynenc_orchestrator.get_invocation_status_record(moved_to(pynenc_app, status))
        assert (status, record.runner_id) == (status, OWNER)
    for status in (InvocationStatus.SUCCESS, InvocationStatus.REROUTED):
        record = pynenc_orchestrator.get_invocation_status_record(moved_to(pynenc_app, status))
        assert (status, record.runner_id) == (status, None)


def _running(app: Pynenc) -> DistributedInvocation[..., object]:
    """Register a new invocation the public way, have `OWNER` run it, and return it."""
    invocation = new_invocation(app)
    app.orchestrator.register_new_invocations([invocation])
    for status in legal_path(InvocationStatus.RUNNING):
        app.orchestrator.set_invocation_status(invocation.invocation_id, status, new_context(OWNER))
        # So that records that are written in threads are in the order of the transitions.
        compat.wait_for_all_writes(app.state_backend)
    return invocation


@clause("OR-TRA-08", hint="set_invocation_status adds the returned record to the history")
def a_public_transition_is_in_the_history(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Each status that was set, and no other, is in the history, and the last is the status."""
    invocation_id = _running(pynenc_app).invocation_id
    pynenc_orchestrator.set_invocation_status(
        invocation_id, InvocationStatus.SUCCESS, new_context(OWNER)
    )
    with pytest.raises(InvocationStatusError):
        pynenc_orchestrator.set_invocation_status(
            invocation_id, InvocationStatus.FAILED, new_context(OWNER)
        )
    compat.wait_for_all_writes(pynenc_app.state_backend)
    history = pynenc_app.state_backend.get_history(invocation_id)
    statuses = [each.status_record.status for each in history]
    assert statuses == ["registered", "pending", "running", "success"]
    last = pynenc_orchestrator.get_invocation_status_record(invocation_id)
    assert history[-1].status_record == last


@clause("OR-TRA-09", hint="set_invocation_result stores the result, then moves to SUCCESS")
def a_result_ends_an_invocation(pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator) -> None:
    """Setting the result of an invocation stores it, and the status is SUCCESS."""
    invocation = _running(pynenc_app)
    pynenc_orchestrator.set_invocation_result(invocation, 42, new_context(OWNER))
    compat.wait_for_all_writes(pynenc_app.state_backend)
    status = pynenc_orchestrator.get_invocation_status(invocation.invocation_id)
    result = pynenc_app.state_backend.get_result(invocation.invocation_id)
    assert (status, result) == (InvocationStatus.SUCCESS, 42)


@clause("OR-TRA-10", hint="set_invocation_exception stores the exception, then moves to FAILED")
def an_exception_ends_an_invocation(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Setting the exception of an invocation stores it, and the status is FAILED."""
    invocation = _running(pynenc_app)
    error = ValueError("no", 7)
    pynenc_orchestrator.set_invocation_exception(invocation, error, new_context(OWNER))
    compat.wait_for_all_writes(pynenc_app.state_backend)
    status = pynenc_orchestrator.get_invocation_status(invocation.invocation_id)
    stored = pynenc_app.state_backend.get_exception(invocation.invocation_id)
    assert (status, type(stored), stored.args) == (
        InvocationStatus.FAILED,
        ValueError,
        ("no", 7),
    )


@clause("OR-TRA-11", hint="set_invocation_status releases the waiters when the status is final")
def a_final_status_releases_the_waiters(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Once the awaited invocation has ended, its waiter may run."""
    (waiter,) = registered(pynenc_app)
    awaited = _running(pynenc_app).invocation_id
    blocking = pynenc_orchestrator.blocking_control
    blocking.waiting_for_results(waiter, [awaited])
    blocking.waiting_for_results("another", [waiter])
    assert list(blocking.get_blocking_invocations(9)) == []
    pynenc_orchestrator.set_invocation_status(awaited, InvocationStatus.SUCCESS, new_context(OWNER))
    compat.wait_for_all_writes(pynenc_app.state_backend)
    assert list(blocking.get_blocking_invocations(9)) == [waiter]
