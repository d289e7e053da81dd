"""Blocking control: who is waited for, waits for nobody, and could run now; oldest first."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import (
    move,
    moved_to,
    new_invocation,
    registered,
    wait_for_later_clock,
)

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

# So much later is the next registration where the order matters, whatever clock a store has.
_APART = timedelta(milliseconds=2)


def _wait(orchestrator: BaseOrchestrator, waiter: str, *awaited: str) -> None:
    orchestrator.blocking_control.waiting_for_results(waiter, list(awaited))


def _blocking(orchestrator: BaseOrchestrator, limit: int = 99) -> list[str]:
    return list(orchestrator.blocking_control.get_blocking_invocations(limit))


@clause("BC-BLO-01", hint="leave out every awaited invocation that is itself waiting")
def what_is_awaited_and_waits_for_nothing_is_blocking(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Of a chain of waiting invocations, only the last is blocking."""
    ids = registered(pynenc_app, 4)
    assert _blocking(pynenc_orchestrator) == []
    for waiter, awaited in pairwise(ids):
        _wait(pynenc_orchestrator, waiter, awaited)
    assert _blocking(pynenc_orchestrator) == [ids[3]]


@clause("BC-BLO-02", hint="the edges are a set; list the awaited ends without duplicates")
def an_invocation_that_many_wait_for_is_listed_once(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Several waiters, and a repeated wait, make no second entry."""
    awaited, *waiters = registered(pynenc_app, 4)
    for waiter in (*waiters, *waiters):
        _wait(pynenc_orchestrator, waiter, awaited, awaited)
    assert _blocking(pynenc_orchestrator) == [awaited]


@clause("BC-BLO-03", hint="limit the distinct invocations, not the edges, and after every filter")
def the_limit_counts_what_is_listed(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """A limit counts distinct blocking invocations, and nothing that is left out."""
    running, waiter, *awaited = registered(pynenc_app, 5)
    for number in range(6):
        _wait(pynenc_orchestrator, f"waiter {number}", awaited[0])
    move(pynenc_orchestrator, running, InvocationStatus.PENDING)
    _wait(pynenc_orchestrator, waiter, running, *awaited[1:])
    _wait(pynenc_orchestrator, "waiter", waiter)
    for limit in (1, 2, 3):
        found = _blocking(pynenc_orchestrator, limit)
        assert (limit, len(found), len(set(found))) == (limit, limit, limit)
        assert set(found) <= set(awaited)


@clause("BC-BLO-04", hint="an invocation that waits for itself is waiting, too")
def a_circle_of_waiters_is_not_blocking(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Invocations that wait for each other in a circle are not blocking."""
    for length in (1, 2, 5):
        ids = registered(pynenc_app, length)
        for waiter, awaited in zip(ids, ids[1:] + ids[:1], strict=True):
            _wait(pynenc_orchestrator, waiter, awaited)
        assert (length, _blocking(pynenc_orchestrator)) == (length, [])


@clause("BC-BLO-05", hint="ask the installed pynenc which statuses are available for run")
def only_what_is_available_for_run_is_blocking(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """What is awaited is blocking in the statuses that are available for run, in no other."""
    available = set()
    for status in InvocationStatus:
        awaited = moved_to(pynenc_app, status)
        _wait(pynenc_orchestrator, f"waiter of {awaited}", awaited)
        if status.is_available_for_run():
            available.add(awaited)
        assert (status, set(_blocking(pynenc_orchestrator))) == (status, available)


@clause("BC-BLO-06", hint="order by the instant of registration; the limit cuts the ordered list")
def the_oldest_registration_comes_first(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """The oldest registration comes first, whatever waited or changed its status since."""
    ids = []
    for _ in range(12):
        ids += registered(pynenc_app)
        wait_for_later_clock(_APART)
    for awaited in (*ids[6:], *ids[:6]):
        _wait(pynenc_orchestrator, "waiter", awaited)
    for index in (0, 5):
        rerouted = (InvocationStatus.PENDING, InvocationStatus.REROUTED)
        move(pynenc_orchestrator, ids[index], *rerouted)
    found = [_blocking(pynenc_orchestrator, limit) for limit in (1, 6, 99)]
    assert found == [ids[:1], ids[:6], ids]


@clause("BC-BLO-07", hint="skip an awaited id that has no status")
def an_unknown_invocation_is_not_blocking(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """An awaited id that was never registered is skipped, and hides no other."""
    (awaited,) = registered(pynenc_app)
    _wait(pynenc_orchestrator, "waiter", "unknown", awaited, "unknown too")
    assert _blocking(pynenc_orchestrator) == [awaited]


@clause("BC-BLO-08", hint="keep edges to ids that are not there yet")
def waiting_may_begin_before_registration(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """An invocation that is awaited before it is registered is blocking from then on."""
    invocation = new_invocation(pynenc_app)
    _wait(pynenc_orchestrator, "waiter", invocation.invocation_id)
    pynenc_orchestrator._register_new_invocations([invocation])
    assert _blocking(pynenc_orchestrator) == [invocation.invocation_id]


@clause("BC-BLO-09", hint="release_waiters removes the edges to the id, and no others")
def released_waiters_wait_no_more(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Who waited for the released invocation alone is free; who waits for another is not."""
    ended, other, free, waiting = registered(pynenc_app, 4)
    _wait(pynenc_orchestrator, free, ended)
    _wait(pynenc_orchestrator, waiting, ended, other)
    _wait(pynenc_orchestrator, "root", free, waiting)
    pynenc_orchestrator.blocking_control.release_waiters(ended)
    assert set(_blocking(pynenc_orchestrator)) == {other, free}


@clause("BC-BLO-10", hint="removing edges that are not there is no error")
def releasing_again_or_an_unknown_invocation_is_harmless(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Releasing the waiters of an invocation that nobody waits for changes nothing."""
    waiter, ended, other = registered(pynenc_app, 3)
    _wait(pynenc_orchestrator, waiter, ended, other)
    _wait(pynenc_orchestrator, "another", waiter)
    for released in (ended, ended, "unknown"):
        pynenc_orchestrator.blocking_control.release_waiters(released)
    assert _blocking(pynenc_orchestrator) == [other]


@clause("BC-BLO-11", hint="the orchestrator's three methods hand over to its blocking_control")
def the_orchestrator_blocks_and_releases(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Waiting, asking and releasing work through the orchestrator, too."""
    waiter, awaited = registered(pynenc_app, 2)
    pynenc_orchestrator.waiting_for_results(waiter, [awaited])
    assert list(pynenc_orchestrator.get_blocking_invocations(9)) == [awaited]
    assert _blocking(pynenc_orchestrator) == [awaited]
    pynenc_orchestrator.release_waiters(awaited)
    assert list(pynenc_orchestrator.get_blocking_invocations(9)) == []


@clause("BC-BLO-12", hint="ignore a wait without a waiter, and one without anything awaited")
def the_wait_of_nobody_or_for_nothing_is_ignored(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """The wait of no invocation blocks none, and who waits for nothing may run."""
    awaited, caller, other = registered(pynenc_app, 3)
    pynenc_orchestrator.waiting_for_results(None, [other])
    assert _blocking(pynenc_orchestrator) == []
    pynenc_orchestrator.waiting_for_results(awaited, [])
    pynenc_orchestrator.waiting_for_results(caller, [awaited])
    assert _blocking(pynenc_orchestrator) == [awaited]


@clause("BC-BLO-13", hint="the orchestrator asks its configuration first")
def blocking_control_can_be_switched_off(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """With the configuration value blocking_control false, the orchestrator keeps no wait."""
    pynenc_orchestrator.conf.blocking_control = False
    waiter, awaited = registered(pynenc_app, 2)
    pynenc_orchestrator.waiting_for_results(waiter, [awaited])
    assert list(pynenc_orchestrator.get_blocking_invocations(9)) == []
    assert _blocking(pynenc_orchestrator) == []
