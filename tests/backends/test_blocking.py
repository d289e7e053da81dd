"""Blocking control: who is waited for, waits for nobody, and could run now; oldest first."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.conformance.making import move, moved_to, new_invocation, registered

if TYPE_CHECKING:
    from collections.abc import Callable

    from pynenc.app import Pynenc
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

    AppFactory = Callable[..., Pynenc]


def _wait(orchestrator: BaseOrchestrator, waiter: str, *awaited: str) -> None:
    orchestrator.blocking_control.waiting_for_results(waiter, list(awaited))


def _blocking(orchestrator: BaseOrchestrator, limit: int = 99) -> list[str]:
    return list(orchestrator.blocking_control.get_blocking_invocations(limit))


def test_what_is_awaited_and_waits_for_nothing_is_blocking(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Of a chain of waiters, only its end can be run to move it on."""
    ids = registered(pynenc_app, 4)
    for waiter, awaited in pairwise(ids):
        _wait(pynenc_orchestrator, waiter, awaited)
    assert _blocking(pynenc_orchestrator) == [ids[3]]


def test_an_invocation_that_many_wait_for_is_listed_once(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Several waiters, and a repeated wait, make no second entry."""
    awaited, *waiters = registered(pynenc_app, 4)
    for waiter in (*waiters, *waiters):
        _wait(pynenc_orchestrator, waiter, awaited, awaited)
    assert _blocking(pynenc_orchestrator) == [awaited]


def test_the_limit_counts_distinct_invocations(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Many waiters of one invocation leave room for the others within the limit."""
    first, second, third, *waiters = registered(pynenc_app, 9)
    for waiter in waiters:
        _wait(pynenc_orchestrator, waiter, first)
    _wait(pynenc_orchestrator, waiters[0], second, third)
    assert _blocking(pynenc_orchestrator, 2) == [first, second]


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_gives_nothing(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator, limit: int
) -> None:
    """Nobody who asks for no invocations gets some, or all."""
    waiter, awaited = registered(pynenc_app, 2)
    _wait(pynenc_orchestrator, waiter, awaited)
    assert _blocking(pynenc_orchestrator, limit) == []


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_circle_of_waiters_blocks_nothing_that_could_run(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator, length: int
) -> None:
    """All of a circle wait, also an invocation that waits for itself."""
    ids = registered(pynenc_app, length)
    for waiter, awaited in zip(ids, ids[1:] + ids[:1], strict=True):
        _wait(pynenc_orchestrator, waiter, awaited)
    assert _blocking(pynenc_orchestrator) == []


@pytest.mark.parametrize("status", InvocationStatus)
def test_only_what_is_available_for_run_is_blocking(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator, status: InvocationStatus
) -> None:
    """What is claimed, runs or has ended cannot be run to release its waiters."""
    awaited = moved_to(pynenc_app, status)
    _wait(pynenc_orchestrator, "waiter", awaited)
    expected = [awaited] if status.is_available_for_run() else []
    assert _blocking(pynenc_orchestrator) == expected


def test_the_oldest_registration_comes_first(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Neither the order of waiting nor a status that changed since makes one younger."""
    ids = registered(pynenc_app, 12)
    for awaited in (*ids[6:], *ids[:6]):
        _wait(pynenc_orchestrator, "waiter", awaited)
    for index in (0, 5):
        rerouted = (InvocationStatus.PENDING, InvocationStatus.REROUTED)
        move(pynenc_orchestrator, ids[index], *rerouted)
    found = [_blocking(pynenc_orchestrator, limit) for limit in (1, 6, 99)]
    assert found == [ids[:1], ids[:6], ids]


def test_an_unknown_invocation_is_left_out(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """An awaited id that was never registered is no error, and hides no other."""
    (awaited,) = registered(pynenc_app)
    _wait(pynenc_orchestrator, "waiter", "unknown", awaited, "unknown too")
    assert _blocking(pynenc_orchestrator) == [awaited]


def test_released_waiters_wait_no_more(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """When an invocation ends, those that waited for it alone are free, the others not."""
    ended, other, free, waiting = registered(pynenc_app, 4)
    _wait(pynenc_orchestrator, free, ended)
    _wait(pynenc_orchestrator, waiting, ended, other)
    _wait(pynenc_orchestrator, "root", free, waiting)
    pynenc_orchestrator.blocking_control.release_waiters(ended)
    assert _blocking(pynenc_orchestrator) == [other, free]


def test_a_released_waiter_makes_nothing_blocking_any_more(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """What only an ended invocation waited for is awaited by nobody."""
    ended, awaited = registered(pynenc_app, 2)
    _wait(pynenc_orchestrator, ended, awaited)
    pynenc_orchestrator.blocking_control.release_waiters(ended)
    assert _blocking(pynenc_orchestrator) == []


def test_releasing_again_or_an_unknown_invocation_is_harmless(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Nothing is released twice, and nothing else is."""
    waiter, ended, other = registered(pynenc_app, 3)
    _wait(pynenc_orchestrator, waiter, ended, other)
    for released in (ended, ended, "unknown"):
        pynenc_orchestrator.blocking_control.release_waiters(released)
    assert _blocking(pynenc_orchestrator) == [other]


def test_waiting_for_nothing_is_no_wait(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """An empty list of awaited invocations leaves its caller free to run."""
    awaited, caller = registered(pynenc_app, 2)
    _wait(pynenc_orchestrator, awaited)
    _wait(pynenc_orchestrator, caller, awaited)
    assert _blocking(pynenc_orchestrator) == [awaited]


def test_the_wait_of_nobody_is_ignored(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """A result that the outside of any task waits for blocks no task."""
    (awaited,) = registered(pynenc_app)
    pynenc_orchestrator.waiting_for_results(None, [awaited])
    assert list(pynenc_orchestrator.get_blocking_invocations(9)) == []


def test_blocking_control_can_be_switched_off(pynenc_app_factory: AppFactory) -> None:
    """With ``blocking_control=False`` no wait is kept."""
    app = pynenc_app_factory(blocking_control=False)
    waiter, awaited = registered(app, 2)
    app.orchestrator.waiting_for_results(waiter, [awaited])
    assert _blocking(app.orchestrator) == []


def test_waiting_may_begin_before_registration(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """An edge to an invocation that is registered later counts from then on."""
    invocation = new_invocation(pynenc_app)
    _wait(pynenc_orchestrator, "waiter", invocation.invocation_id)
    pynenc_orchestrator._register_new_invocations([invocation])
    assert _blocking(pynenc_orchestrator) == [invocation.invocation_id]
