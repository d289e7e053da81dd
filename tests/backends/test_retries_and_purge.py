"""Retries are counted; a purge takes everything; what is due is forgotten, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.conformance.areas import AREAS, purge
from pytest_pynenc_state.conformance.making import move, moved_to, new_invocation, registered

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator


def _purge_after(orchestrator: BaseOrchestrator, hours: float) -> None:
    orchestrator.conf.auto_final_invocation_purge_hours = hours


def _is_known(orchestrator: BaseOrchestrator, invocation_id: str) -> bool:
    try:
        orchestrator.get_invocation_status(invocation_id)
    except KeyError:
        return False
    return True


def test_every_retry_is_counted(pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator) -> None:
    """Each increment adds one, to one invocation."""
    counted, other = registered(pynenc_app, 2)
    for _ in range(5):
        pynenc_orchestrator.increment_invocation_retries(counted)
    retries = [pynenc_orchestrator.get_invocation_retries(each) for each in (counted, other)]
    assert retries == [5, 0]


def test_an_unknown_invocation_was_never_retried(pynenc_orchestrator: BaseOrchestrator) -> None:
    """The retries of an unknown id are 0, and no error."""
    assert pynenc_orchestrator.get_invocation_retries("unknown") == 0


def test_a_status_change_keeps_the_retries(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Retries are counted over the whole life of an invocation."""
    invocation_id = moved_to(pynenc_app, InvocationStatus.RUNNING)
    pynenc_orchestrator.increment_invocation_retries(invocation_id)
    move(pynenc_orchestrator, invocation_id, InvocationStatus.RETRY, InvocationStatus.PENDING)
    assert pynenc_orchestrator.get_invocation_retries(invocation_id) == 1


@pytest.mark.parametrize("status", [InvocationStatus.SUCCESS, InvocationStatus.REGISTERED])
def test_everything_that_is_due_is_forgotten(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator, status: InvocationStatus
) -> None:
    """Several invocations go at once, ended or not, and those not scheduled stay."""
    _purge_after(pynenc_orchestrator, 0.0)
    due = [moved_to(pynenc_app, status) for _ in range(3)]
    other = moved_to(pynenc_app, status)
    for invocation_id in due:
        pynenc_orchestrator.set_up_invocation_auto_purge(invocation_id)
    pynenc_orchestrator.auto_purge()
    known = [_is_known(pynenc_orchestrator, each) for each in (*due, other)]
    assert known == [False, False, False, True]


def test_nothing_is_forgotten_before_its_time(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """What was scheduled less than the configured hours ago stays."""
    _purge_after(pynenc_orchestrator, 1.0)
    invocation_id = moved_to(pynenc_app, InvocationStatus.SUCCESS)
    pynenc_orchestrator.set_up_invocation_auto_purge(invocation_id)
    pynenc_orchestrator.auto_purge()
    assert _is_known(pynenc_orchestrator, invocation_id)


def test_what_is_not_scheduled_is_never_forgotten(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """An ended invocation alone is no reason."""
    _purge_after(pynenc_orchestrator, 0.0)
    invocation_id = moved_to(pynenc_app, InvocationStatus.SUCCESS)
    pynenc_orchestrator.auto_purge()
    assert _is_known(pynenc_orchestrator, invocation_id)


def test_scheduling_twice_and_purging_twice_is_harmless(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """An invocation that is scheduled again, or gone already, is no error."""
    _purge_after(pynenc_orchestrator, 0.0)
    invocation_id = moved_to(pynenc_app, InvocationStatus.SUCCESS)
    for _ in range(2):
        for each in (invocation_id, invocation_id, "unknown"):
            pynenc_orchestrator.set_up_invocation_auto_purge(each)
        pynenc_orchestrator.auto_purge()
    assert not _is_known(pynenc_orchestrator, invocation_id)


@pytest.mark.parametrize("forget", ["auto_purge", "purge"])
def test_nothing_comes_back_with_an_invocation_that_was_forgotten(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator, forget: str
) -> None:
    """Retries, indexed arguments, waiting edges and schedule are gone with the status."""
    _purge_after(pynenc_orchestrator, 0.0)
    invocation = new_invocation(pynenc_app, arguments={"left": "1"})
    invocation_id, blocking = invocation.invocation_id, pynenc_orchestrator.blocking_control
    pynenc_orchestrator._register_new_invocations([invocation])
    pynenc_orchestrator.index_arguments_for_concurrency_control(invocation)
    pynenc_orchestrator.increment_invocation_retries(invocation_id)
    blocking.waiting_for_results("waiter", [invocation_id])
    pynenc_orchestrator.set_up_invocation_auto_purge(invocation_id)
    getattr(pynenc_orchestrator, forget)()
    pynenc_orchestrator._register_new_invocations([invocation])
    pynenc_orchestrator.auto_purge()
    left = (
        pynenc_orchestrator.get_invocation_retries(invocation_id),
        list(pynenc_orchestrator.get_existing_invocations(invocation.task, {"left": "1"})),
        list(blocking.get_blocking_invocations(9)),
        _is_known(pynenc_orchestrator, invocation_id),
    )
    assert left == (0, [], [], True)


def test_a_forgotten_waiter_waits_no_more(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """What an invocation waited for is awaited by nobody once it is forgotten."""
    _purge_after(pynenc_orchestrator, 0.0)
    waiter, awaited = registered(pynenc_app, 2)
    pynenc_orchestrator.blocking_control.waiting_for_results(waiter, [awaited])
    pynenc_orchestrator.set_up_invocation_auto_purge(waiter)
    pynenc_orchestrator.auto_purge()
    assert list(pynenc_orchestrator.blocking_control.get_blocking_invocations(9)) == []


def test_the_state_backend_keeps_what_the_orchestrator_forgets(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """The result of an invocation that is long over can still be read."""
    _purge_after(pynenc_orchestrator, 0.0)
    invocation_id = moved_to(pynenc_app, InvocationStatus.SUCCESS)
    pynenc_app.state_backend._set_result(invocation_id, "kept")
    pynenc_orchestrator.set_up_invocation_auto_purge(invocation_id)
    pynenc_orchestrator.auto_purge()
    assert pynenc_app.state_backend._get_result(invocation_id) == "kept"


def test_a_purge_takes_everything_at_once(pynenc_app: Pynenc) -> None:
    """Nothing of any kind is left, and purging an empty store is no error."""
    for area in AREAS.values():
        area.write(pynenc_app, 1)
    purge(pynenc_app)
    purge(pynenc_app)
    left = {name: area.read(pynenc_app) for name, area in AREAS.items()}
    assert left == {name: area.nothing for name, area in AREAS.items()}


def test_a_purge_of_the_orchestrator_leaves_the_state_backend(pynenc_app: Pynenc) -> None:
    """Each component purges its own: results stay when statuses go, and the reverse."""
    (invocation_id,) = registered(pynenc_app)
    pynenc_app.state_backend._set_result(invocation_id, "kept")
    pynenc_app.orchestrator.purge()
    registered(pynenc_app)
    result = pynenc_app.state_backend._get_result(invocation_id)
    pynenc_app.state_backend.purge()
    assert (result, pynenc_app.orchestrator.count_invocations()) == ("kept", 1)


def test_auto_purge_after_a_purge_is_harmless(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """What was scheduled before a purge, of either component, is no error after it."""
    _purge_after(pynenc_orchestrator, 0.0)
    for purged in (pynenc_orchestrator, pynenc_app.state_backend):
        invocation_id = moved_to(pynenc_app, InvocationStatus.SUCCESS)
        pynenc_orchestrator.set_up_invocation_auto_purge(invocation_id)
        purged.purge()
        pynenc_orchestrator.auto_purge()
    assert pynenc_orchestrator.count_invocations() == 0
