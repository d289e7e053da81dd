"""How runners come to their work: each invocation is claimed by one of them, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pynenc.conf.config_task import ConcurrencyControlType
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state import compat
from pytest_pynenc_state.conformance import tasks
from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import (
    OWNER,
    flat,
    legal_path,
    move,
    new_context,
    new_invocation,
)

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.invocation.dist_invocation import DistributedInvocation
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

PENDING = InvocationStatus.PENDING


def _queued(app: Pynenc, count: int = 1, **options: Any) -> list[str]:
    """Register new invocations the public way, and return their ids in the queue's order."""
    ids: list[str] = []
    for _ in range(count):
        invocation = new_invocation(app, **options)
        app.orchestrator.register_new_invocations([invocation])
        ids.append(invocation.invocation_id)
    return ids


def _claimed(app: Pynenc, count: int, runner_id: str = OWNER) -> list[str]:
    """Claim up to so many invocations for a runner, and return their ids."""
    found = app.orchestrator.get_invocations_to_run(count, new_context(runner_id))
    ids: list[str] = [each.invocation_id for each in found]
    compat.wait_for_all_writes(app.state_backend)
    return ids


def _statuses(orchestrator: BaseOrchestrator, ids: list[str]) -> list[InvocationStatus]:
    return [orchestrator.get_invocation_status(each) for each in ids]


@clause("OR-TRA-12", hint="get_invocations_to_run moves what it yields to PENDING, for its caller")
def what_a_runner_gets_is_pending_for_it(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """A registered invocation is given to a runner that asks, which then owns it."""
    queued = _queued(pynenc_app)
    assert _claimed(pynenc_app, 1, "asking") == queued
    record = pynenc_orchestrator.get_invocation_status_record(queued[0])
    assert (record.status, record.runner_id) == (PENDING, "asking")


@clause("OR-TRA-13", hint="get_invocations_to_run gives at most so many, and none of them again")
def each_invocation_is_given_to_one_runner(pynenc_app: Pynenc) -> None:
    """Runners get at most as many as they ask for, and each invocation once."""
    queued = _queued(pynenc_app, 4)
    given = [_claimed(pynenc_app, count, f"runner {count}") for count in (1, 2, 3)]
    assert [len(ids) for ids in given] == [1, 2, 1]
    assert sorted(flat(given)) == sorted(queued)
    assert _claimed(pynenc_app, 9, "late") == []


@clause("OR-TRA-14", hint="get_invocations_to_run takes get_blocking_invocations_to_run first")
def what_others_wait_for_is_given_first(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """An invocation that others wait for is given before those that were queued earlier."""
    *_, awaited = _queued(pynenc_app, 3)
    pynenc_orchestrator.waiting_for_results("waiter", [awaited])
    assert _claimed(pynenc_app, 1) == [awaited]


@clause("OR-TRA-15", hint="get_blocking_invocations_to_run: claim, add to the caller's set, yield")
def blocking_invocations_are_claimed(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Awaited invocations are claimed as PENDING, at most as many as asked for, and reported."""
    queued = _queued(pynenc_app, 4)
    pynenc_orchestrator.waiting_for_results("waiter", queued[:3])
    taken: set[Any] = set()
    found = list(pynenc_orchestrator.get_blocking_invocations_to_run(2, taken, new_context(OWNER)))
    compat.wait_for_all_writes(pynenc_app.state_backend)
    assert (len(found), taken, taken <= set(queued[:3])) == (2, set(found), True)
    assert _statuses(pynenc_orchestrator, found) == [PENDING, PENDING]


@clause("OR-TRA-16", hint="get_additional_invocations_to_run: skip what was given as blocking")
def additional_invocations_are_others(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """What is given in addition was not given as blocking, and is claimed as PENDING."""
    first, *others = _queued(pynenc_app, 4)
    found = [
        each.invocation_id
        for each in pynenc_orchestrator.get_additional_invocations_to_run(
            2, {first}, set(), new_context(OWNER), **compat.retrieval_options(pynenc_app)
        )
    ]
    compat.wait_for_all_writes(pynenc_app.state_backend)
    assert (len(found), set(found) <= set(others)) == (2, True)
    assert _statuses(pynenc_orchestrator, found) == [PENDING, PENDING]


def _one_at_a_time(app: Pynenc) -> None:
    """Declare that of the task `tasks.greet` one invocation may run at a time."""
    app.task(
        tasks.greet,
        running_concurrency=ConcurrencyControlType.TASK,
        reroute_on_concurrency_control=True,
    )


def _greeting(app: Pynenc, status: InvocationStatus) -> DistributedInvocation[..., Any]:
    """Register, index and move a new invocation of `tasks.greet`, and return it."""
    invocation = new_invocation(app, tasks.greet)
    app.orchestrator._register_new_invocations([invocation])
    app.orchestrator.index_arguments_for_concurrency_control(invocation)
    move(app.orchestrator, invocation.invocation_id, *legal_path(status))
    return invocation


@clause("OR-TRA-17", hint="both ask get_existing_invocations of the task, by status")
def running_concurrency_is_controlled_by_status(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """A PENDING one keeps others from being candidates; a RUNNING one also from running."""
    _one_at_a_time(pynenc_app)
    new = _greeting(pynenc_app, InvocationStatus.REGISTERED)
    found = {}
    for status in (InvocationStatus.SUCCESS, PENDING, InvocationStatus.RUNNING):
        _greeting(pynenc_app, status)
        found[status] = (
            pynenc_orchestrator.is_candidate_to_run_by_concurrency_control(new),
            pynenc_orchestrator.is_authorize_to_run_by_concurrency_control(new),
        )
    assert list(found.values()) == [(True, True), (False, True), (False, False)]


@clause("OR-TRA-18", hint="get_invocations_to_run ends with reroute_invocations")
def a_controlled_invocation_waits_for_its_turn(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """What concurrency control keeps from running is rerouted, and given later."""
    _one_at_a_time(pynenc_app)
    running = _greeting(pynenc_app, InvocationStatus.RUNNING)
    (waiting,) = _queued(pynenc_app, function=tasks.greet)
    assert _claimed(pynenc_app, 1) == []
    assert pynenc_orchestrator.get_invocation_status(waiting) == InvocationStatus.REROUTED
    move(pynenc_orchestrator, running.invocation_id, InvocationStatus.SUCCESS)
    assert _claimed(pynenc_app, 1) == [waiting]
