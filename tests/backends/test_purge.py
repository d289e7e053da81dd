"""What our stores forget, and what they keep, where pynenc's contract leaves it open."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.conformance.areas import AREAS, Area, purge
from pytest_pynenc_state.conformance.making import moved_to, registered
from pytest_pynenc_state.conformance.together import eager_switching, for_a_while, in_threads

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

RACE_S = 0.05


@pytest.fixture
def orchestrator(pynenc_orchestrator: BaseOrchestrator) -> BaseOrchestrator:
    """The orchestrator, to which everything that is scheduled is due at once."""
    pynenc_orchestrator.conf.auto_final_invocation_purge_hours = 0.0
    return pynenc_orchestrator


def test_what_is_not_scheduled_is_never_forgotten(
    pynenc_app: Pynenc, orchestrator: BaseOrchestrator
) -> None:
    """An ended invocation alone is no reason."""
    invocation_id = moved_to(pynenc_app, InvocationStatus.SUCCESS)
    orchestrator.auto_purge()
    assert orchestrator.get_invocation_ids_paginated() == [invocation_id]


def test_an_unknown_invocation_may_be_scheduled(
    pynenc_app: Pynenc, orchestrator: BaseOrchestrator
) -> None:
    """What is gone when it is due is no error, and keeps no other from going."""
    invocation_id = moved_to(pynenc_app, InvocationStatus.SUCCESS)
    for each in ("unknown", invocation_id, "unknown too"):
        orchestrator.set_up_invocation_auto_purge(each)
    orchestrator.auto_purge()
    assert orchestrator.count_invocations() == 0


def test_a_forgotten_waiter_waits_no_more(
    pynenc_app: Pynenc, orchestrator: BaseOrchestrator
) -> None:
    """What an invocation waited for is awaited by nobody once it is forgotten."""
    waiter, awaited = registered(pynenc_app, 2)
    orchestrator.blocking_control.waiting_for_results(waiter, [awaited])
    orchestrator.set_up_invocation_auto_purge(waiter)
    orchestrator.auto_purge()
    assert list(orchestrator.blocking_control.get_blocking_invocations(9)) == []


def test_the_state_backend_keeps_what_the_orchestrator_forgets(
    pynenc_app: Pynenc, orchestrator: BaseOrchestrator
) -> None:
    """The result of an invocation that is long over can still be read."""
    invocation_id = moved_to(pynenc_app, InvocationStatus.SUCCESS)
    pynenc_app.state_backend._set_result(invocation_id, "kept")
    orchestrator.set_up_invocation_auto_purge(invocation_id)
    orchestrator.auto_purge()
    assert pynenc_app.state_backend._get_result(invocation_id) == "kept"


def test_each_component_purges_its_own(pynenc_app: Pynenc) -> None:
    """Results stay when statuses go, and the reverse."""
    (invocation_id,) = registered(pynenc_app)
    pynenc_app.state_backend._set_result(invocation_id, "kept")
    pynenc_app.orchestrator.purge()
    registered(pynenc_app)
    result = pynenc_app.state_backend._get_result(invocation_id)
    pynenc_app.state_backend.purge()
    assert (result, pynenc_app.orchestrator.count_invocations()) == ("kept", 1)


def test_what_is_due_goes_also_when_the_state_backend_has_lost_it(
    pynenc_app: Pynenc, orchestrator: BaseOrchestrator
) -> None:
    """A purge of the state backend before is no error after it."""
    invocation_id = moved_to(pynenc_app, InvocationStatus.SUCCESS)
    orchestrator.set_up_invocation_auto_purge(invocation_id)
    pynenc_app.state_backend.purge()
    orchestrator.auto_purge()
    assert orchestrator.count_invocations() == 0


@pytest.mark.parametrize("area", AREAS.values(), ids=AREAS)
def test_the_last_purge_of_several_threads_leaves_nothing(pynenc_app: Pynenc, area: Area) -> None:
    """Each thread purges when it has written: whichever ends last, its purge is the last act."""

    def write() -> None:
        for number in range(1, 9):
            area.write(pynenc_app, number)
        purge(pynenc_app)

    with eager_switching():
        in_threads([partial(for_a_while, write, RACE_S)] * 2)
    assert area.read(pynenc_app) == area.nothing
