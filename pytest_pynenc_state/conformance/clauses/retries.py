"""Retries are counted, and what is to run again comes back to the runners."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state import compat
from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import (
    OWNER,
    move,
    moved_to,
    new_context,
    new_invocation,
    registered,
)

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.invocation.dist_invocation import DistributedInvocation
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator


@clause("OR-RET-01", hint="register an invocation with 0 retries")
def retries_begin_at_none(pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator) -> None:
    """A new invocation has no retries."""
    (invocation_id,) = registered(pynenc_app)
    assert pynenc_orchestrator.get_invocation_retries(invocation_id) == 0


@clause("OR-RET-02", hint="add one to the counter of that invocation")
def every_retry_is_counted(pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator) -> None:
    """Each increment adds one to the retries of one invocation."""
    counted, other = registered(pynenc_app, 2)
    for _ in range(5):
        pynenc_orchestrator.increment_invocation_retries(counted)
    retries = [pynenc_orchestrator.get_invocation_retries(each) for each in (counted, other)]
    assert retries == [5, 0]


@clause("OR-RET-03", hint="answer 0 where there is no counter")
def an_unknown_invocation_was_never_retried(pynenc_orchestrator: BaseOrchestrator) -> None:
    """The retries of an unknown invocation are 0."""
    assert pynenc_orchestrator.get_invocation_retries("unknown") == 0


@clause("OR-RET-04", hint="a status change must not rewrite the counter")
def a_status_change_keeps_the_retries(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Retries are counted over the whole life of an invocation."""
    invocation_id = moved_to(pynenc_app, InvocationStatus.RUNNING)
    pynenc_orchestrator.increment_invocation_retries(invocation_id)
    move(pynenc_orchestrator, invocation_id, InvocationStatus.RETRY, InvocationStatus.PENDING)
    assert pynenc_orchestrator.get_invocation_retries(invocation_id) == 1


def _claimed(app: Pynenc) -> list[str]:
    found = app.orchestrator.get_invocations_to_run(9, new_context(OWNER))
    ids: list[str] = [each.invocation_id for each in found]
    compat.wait_for_all_writes(app.state_backend)
    return ids


def _stored(app: Pynenc) -> DistributedInvocation[..., object]:
    """Store and register a new invocation that no queue has, and return it."""
    invocation = new_invocation(app)
    app.state_backend.upsert_invocations([invocation])
    app.orchestrator._register_new_invocations([invocation])
    return invocation


@clause("OR-RET-05", hint="set_invocation_retry: status RETRY, one retry more, back into the queue")
def a_retried_invocation_runs_again(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """A retry moves an invocation to RETRY, is counted, and gives it to a runner again."""
    invocation = _stored(pynenc_app)
    running = (InvocationStatus.PENDING, InvocationStatus.RUNNING)
    move(pynenc_orchestrator, invocation.invocation_id, *running)
    error = ValueError("try again")
    compat.set_invocation_retry(pynenc_app, invocation, error, new_context(OWNER))
    compat.wait_for_all_writes(pynenc_app.state_backend)
    status = pynenc_orchestrator.get_invocation_status(invocation.invocation_id)
    retries = pynenc_orchestrator.get_invocation_retries(invocation.invocation_id)
    assert (status, retries) == (InvocationStatus.RETRY, 1)
    assert _claimed(pynenc_app) == [invocation.invocation_id]


@clause("OR-RET-06", hint="reroute_invocations: status REROUTED, back into the queue")
def a_rerouted_invocation_runs_later(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Rerouting moves invocations to REROUTED, and gives them to a runner again."""
    ids = {_stored(pynenc_app).invocation_id for _ in range(2)}
    for invocation_id in ids:
        move(pynenc_orchestrator, invocation_id, InvocationStatus.PENDING)
    pynenc_orchestrator.reroute_invocations(ids, new_context(OWNER))
    compat.wait_for_all_writes(pynenc_app.state_backend)
    rerouted = frozenset({InvocationStatus.REROUTED})
    assert set(pynenc_orchestrator.filter_by_status([*ids], rerouted)) == ids
    assert set(_claimed(pynenc_app)) == ids


@clause("OR-RET-07", since="0.4.0", hint="route with the queue and priority of each one's task")
def routed_invocations_come_to_a_runner(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Invocations that are routed, one or many, are given to a runner."""
    one, *many = (_stored(pynenc_app) for _ in range(3))
    pynenc_orchestrator.route_invocation(one)
    pynenc_orchestrator.route_invocations(many)
    assert set(_claimed(pynenc_app)) == {each.invocation_id for each in (one, *many)}
