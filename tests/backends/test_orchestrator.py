"""What our orchestrators keep beyond pynenc's contract, which leaves it open."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state import Races, compat
from pytest_pynenc_state.compat import AtomicServiceExecutionStatus as Status
from pytest_pynenc_state.conformance import workers
from pytest_pynenc_state.conformance.making import at, move, new_invocation, registered
from pytest_pynenc_state.conformance.service_runs import finished, keep, new_run, rows, runs_in

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator


def _wait(orchestrator: BaseOrchestrator, waiter: str, *awaited: str) -> None:
    orchestrator.blocking_control.waiting_for_results(waiter, list(awaited))


def _blocking(orchestrator: BaseOrchestrator, limit: int = 99) -> list[str]:
    return list(orchestrator.blocking_control.get_blocking_invocations(limit))


def test_registering_nothing_returns_a_record(pynenc_orchestrator: BaseOrchestrator) -> None:
    """An empty batch is no error, and registers nothing."""
    record = pynenc_orchestrator._register_new_invocations([])
    count = pynenc_orchestrator.count_invocations()
    assert (record.status, count) == (InvocationStatus.REGISTERED, 0)


def test_a_status_change_moves_nothing_between_pages(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """The order is that of registration: whoever turns pages sees each invocation once."""
    ids = registered(pynenc_app, 6)
    seen: list[str] = []
    for offset in (0, 2, 4):
        seen += pynenc_orchestrator.get_invocation_ids_paginated(limit=2, offset=offset)
        move(pynenc_orchestrator, ids[offset], InvocationStatus.PENDING)
    assert seen == ids[::-1]


def test_invocations_are_found_by_call_each_time_that_somebody_asks(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Also what was registered after the first time, and not what is forgotten since."""
    call_id = new_invocation(pynenc_app).call.call_id
    first, second = registered(pynenc_app, 2)
    found = [set(pynenc_orchestrator.get_call_invocation_ids(call_id))]
    (third,) = registered(pynenc_app)
    found.append(set(pynenc_orchestrator.get_call_invocation_ids(call_id)))
    pynenc_orchestrator.conf.auto_final_invocation_purge_hours = 0.0
    pynenc_orchestrator.set_up_invocation_auto_purge(first)
    pynenc_orchestrator.auto_purge()
    found.append(set(pynenc_orchestrator.get_call_invocation_ids(call_id)))
    pynenc_orchestrator.purge()
    found.append(set(pynenc_orchestrator.get_call_invocation_ids(call_id)))
    assert found == [{first, second}, {first, second, third}, {second, third}, set()]


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_gives_no_blocking_invocation(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator, limit: int
) -> None:
    """Nobody who asks for no invocations gets some, or all."""
    waiter, awaited = registered(pynenc_app, 2)
    _wait(pynenc_orchestrator, waiter, awaited)
    assert _blocking(pynenc_orchestrator, limit) == []


def test_a_released_waiter_makes_nothing_blocking_any_more(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """What only an ended invocation waited for is awaited by nobody."""
    ended, awaited = registered(pynenc_app, 2)
    _wait(pynenc_orchestrator, ended, awaited)
    pynenc_orchestrator.blocking_control.release_waiters(ended)
    assert _blocking(pynenc_orchestrator) == []


def test_waiting_for_nothing_is_no_wait(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """An empty list of awaited invocations leaves its caller free to run."""
    awaited, caller = registered(pynenc_app, 2)
    _wait(pynenc_orchestrator, awaited)
    _wait(pynenc_orchestrator, caller, awaited)
    assert _blocking(pynenc_orchestrator) == [awaited]


def test_an_execution_that_has_ended_does_not_start_again(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """What has run stays as it was recorded, and its id may not work once more."""
    keep(pynenc_app)
    finished(pynenc_orchestrator, "run", 0, 1)
    is_admitted = pynenc_orchestrator.record_atomic_service_execution_start(new_run("run"), at(5))
    assert (is_admitted, rows(pynenc_orchestrator)) == (
        False,
        [("run", at(0), at(1), Status.COMPLETED)],
    )


def test_ending_an_execution_also_purges(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """The records of a program that never calls the purge do not grow for ever."""
    keep(pynenc_app, records=2)
    for start in range(4):
        finished(pynenc_orchestrator, f"at {start}", start, start)
    assert runs_in(pynenc_orchestrator) == ["at 3", "at 2"]


def test_limits_of_zero_keep_every_execution(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Whoever sets a limit to 0 switches it off."""
    keep(pynenc_app, minutes=0.0, records=0)
    finished(pynenc_orchestrator, "run", 0, 1)
    removed = pynenc_orchestrator.purge_atomic_service_executions()
    assert (removed, runs_in(pynenc_orchestrator)) == (0, ["run"])


@pytest.mark.pynenc_requires("shared")
@pytest.mark.skipif(not compat.HAS_EXECUTION_RECORDS, reason="no executions are recorded")
def test_recorded_executions_lie_one_after_the_other(
    pynenc_app: Pynenc, pynenc_race: Races
) -> None:
    """Who had to wait for the former one to end is stamped when it is admitted, not before."""
    runners = [(f"runner {number}", 20) for number in range(4)]
    race = pynenc_race(workers.run_services, each=runners)
    assert race.errors == ()
    windows = [each for each in compat.atomic_service_executions(pynenc_app) if each.end_time]
    admitted = [each for each in windows if each.status == "completed"]
    overlapping = [
        (earlier, later)
        for earlier, later in pairwise(sorted(admitted, key=lambda each: each.start_time))
        if later.start_time < earlier.end_time
    ]
    assert len(admitted) > 1
    assert overlapping == []
