"""What is due is forgotten, and no more; a purge takes everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state import compat
from pytest_pynenc_state.conformance.areas import ORCHESTRATOR_AREAS
from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import (
    OWNER,
    legal_path,
    move,
    new_context,
    new_invocation,
)

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.invocation.dist_invocation import DistributedInvocation
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator


def _purge_after(orchestrator: BaseOrchestrator, hours: float) -> None:
    orchestrator.conf.auto_final_invocation_purge_hours = hours


def _known(orchestrator: BaseOrchestrator, ids: list[str]) -> list[str]:
    """Those of *ids* that the orchestrator has in any status."""
    found = set(orchestrator.get_invocation_ids_paginated(limit=99))
    return [each for each in ids if each in found]


def _stored(app: Pynenc, status: InvocationStatus, **options: Any) -> str:
    """Store, register and move a new invocation, and return its id.

    It is also in the state backend, as every invocation of a program is.
    """
    invocation = new_invocation(app, **options)
    app.state_backend.upsert_invocations([invocation])
    app.orchestrator._register_new_invocations([invocation])
    move(app.orchestrator, invocation.invocation_id, *legal_path(status))
    return invocation.invocation_id


@clause(
    "OR-PUR-01", hint="one transaction at a time: removing the second must not wait for the first"
)
def everything_that_is_due_is_forgotten(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """All scheduled invocations go at once when they are due, ended or not; others stay."""
    _purge_after(pynenc_orchestrator, 0.0)
    due = [_stored(pynenc_app, status) for status in ("success", "registered", "success")]
    other = _stored(pynenc_app, InvocationStatus.RUNNING)
    for invocation_id in due:
        pynenc_orchestrator.set_up_invocation_auto_purge(invocation_id)
    pynenc_orchestrator.auto_purge()
    assert _known(pynenc_orchestrator, [*due, other]) == [other]
    for invocation_id in due:
        with pytest.raises(KeyError):
            pynenc_orchestrator.get_invocation_status(invocation_id)


@clause("OR-PUR-02", hint="compare with now minus auto_final_invocation_purge_hours, in hours")
def nothing_is_forgotten_before_its_time(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """What was scheduled less than the configured hours ago stays."""
    _purge_after(pynenc_orchestrator, 1.0)
    ended = _stored(pynenc_app, InvocationStatus.SUCCESS)
    pynenc_orchestrator.set_up_invocation_auto_purge(ended)
    pynenc_orchestrator.auto_purge()
    assert _known(pynenc_orchestrator, [ended]) == [ended]


@clause("OR-PUR-03", hint="schedule as an upsert, and skip what is gone already")
def scheduling_twice_and_purging_twice_is_harmless(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """An invocation that is scheduled several times is forgotten, and is no error."""
    _purge_after(pynenc_orchestrator, 0.0)
    ended = _stored(pynenc_app, InvocationStatus.SUCCESS)
    for _ in range(2):
        pynenc_orchestrator.set_up_invocation_auto_purge(ended)
    for _ in range(2):
        pynenc_orchestrator.auto_purge()
    assert _known(pynenc_orchestrator, [ended]) == []


@clause("OR-PUR-04", hint="set_invocation_status schedules an invocation when its status is final")
def an_ended_invocation_is_scheduled(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """An invocation that ends is scheduled to be forgotten; one that does not is not."""
    _purge_after(pynenc_orchestrator, 0.0)
    ids = [_stored(pynenc_app, InvocationStatus.RUNNING) for _ in range(2)]
    for invocation_id, status in zip(ids, ("success", "retry"), strict=True):
        pynenc_orchestrator.set_invocation_status(
            invocation_id, InvocationStatus(status), new_context(OWNER)
        )
    compat.wait_for_all_writes(pynenc_app.state_backend)
    pynenc_orchestrator.auto_purge()
    assert _known(pynenc_orchestrator, ids) == ids[1:]


def _with_everything(app: Pynenc) -> DistributedInvocation[..., Any]:
    """Register a new invocation with retries, indexed arguments, a waiter and a schedule."""
    invocation = new_invocation(app, arguments={"left": "1"})
    app.state_backend.upsert_invocations([invocation])
    app.orchestrator._register_new_invocations([invocation])
    app.orchestrator.index_arguments_for_concurrency_control(invocation)
    app.orchestrator.increment_invocation_retries(invocation.invocation_id)
    app.orchestrator.blocking_control.waiting_for_results("waiter", [invocation.invocation_id])
    app.orchestrator.set_up_invocation_auto_purge(invocation.invocation_id)
    return invocation


def _remainder(
    orchestrator: BaseOrchestrator, invocation: DistributedInvocation[..., Any]
) -> dict[str, object]:
    """What comes back with an invocation that is registered once more."""
    orchestrator._register_new_invocations([invocation])
    orchestrator.auto_purge()
    return {
        "retries": orchestrator.get_invocation_retries(invocation.invocation_id),
        "indexed": list(orchestrator.get_existing_invocations(invocation.task, {"left": "1"})),
        "awaited": list(orchestrator.blocking_control.get_blocking_invocations(9)),
        "count": orchestrator.count_invocations(),
    }


_NOTHING = {"retries": 0, "indexed": [], "awaited": [], "count": 1}


@clause("OR-PUR-05", hint="remove the rows of the id from every table, its schedule included")
def nothing_comes_back_with_what_was_forgotten(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """With an invocation go its retries, its indexed arguments, its waiters and its schedule."""
    _purge_after(pynenc_orchestrator, 0.0)
    invocation = _with_everything(pynenc_app)
    pynenc_orchestrator.auto_purge()
    assert _remainder(pynenc_orchestrator, invocation) == _NOTHING


@clause("OR-PUR-06", hint="purge the counters, the index, the edges and the schedule, too")
def nothing_comes_back_after_a_purge(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """After a purge an invocation is unknown, and nothing of it comes back with its id."""
    _purge_after(pynenc_orchestrator, 0.0)
    invocation = _with_everything(pynenc_app)
    pynenc_orchestrator.purge()
    with pytest.raises(KeyError):
        pynenc_orchestrator.get_invocation_status(invocation.invocation_id)
    assert _remainder(pynenc_orchestrator, invocation) == _NOTHING


@clause("OR-PUR-07", hint="purge every table of the app: heartbeats, edges and executions, too")
def a_purge_takes_everything_at_once(pynenc_app: Pynenc) -> None:
    """After a purge nothing of any kind is left, and a second one is harmless."""
    for area in ORCHESTRATOR_AREAS.values():
        area.write(pynenc_app, 1)
    pynenc_app.orchestrator.purge()
    pynenc_app.orchestrator.purge()
    left = {name: area.read(pynenc_app) for name, area in ORCHESTRATOR_AREAS.items()}
    assert left == {name: area.nothing for name, area in ORCHESTRATOR_AREAS.items()}


@clause("OR-PUR-08", hint="purge empties the tables, and does not remove them")
def a_purged_store_can_be_used(pynenc_app: Pynenc) -> None:
    """After a purge, everything can be stored and read as before."""
    for name, area in ORCHESTRATOR_AREAS.items():
        pynenc_app.orchestrator.purge()
        area.write(pynenc_app, 2)
        assert (name, area.read(pynenc_app)) == (name, area.expected(2))
