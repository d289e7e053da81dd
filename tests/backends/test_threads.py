"""Threads: one of many wins, nothing is lost, and readers never stumble over writers."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from pynenc.exceptions import InvocationStatusError
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.compat import AtomicServiceExecutionStatus, AtomicServiceRun
from pytest_pynenc_state.conformance.areas import AREAS, purge
from pytest_pynenc_state.conformance.making import (
    START,
    at,
    new_history,
    new_invocation,
    registered,
    unique_id,
)
from pytest_pynenc_state.conformance.together import in_threads

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

    from pytest_pynenc_state.backends.orchestrator import PytestOrchestrator
    from pytest_pynenc_state.backends.state_backend import PytestStateBackend

THREADS = 4

# Long enough for threads to take turns hundreds of times, whatever one operation costs.
RACE_S = 0.2
SHORT_RACE_S = 0.05


@pytest.fixture(autouse=True)
def eager_switching() -> Iterator[None]:
    """Let threads take turns so often that a race that is possible also happens."""
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual_s)


def _for_a_while(action: Callable[[], object], race_s: float = RACE_S) -> int:
    """Do something again and again for a while, and return how often."""
    count, end_s = 0, time.monotonic() + race_s
    while time.monotonic() < end_s:
        action()
        count += 1
    return count


def _claimed(orchestrator: BaseOrchestrator, ids: list[str], runner_id: str) -> list[str]:
    """Try to claim *ids*, one after the other for a while, and return those that were won."""
    won = []
    end_s = time.monotonic() + RACE_S
    for invocation_id in ids:
        if time.monotonic() > end_s:
            break
        try:
            orchestrator._atomic_status_transition(
                invocation_id, InvocationStatus.PENDING, runner_id
            )
        except InvocationStatusError:
            continue
        won.append(invocation_id)
    return won


def test_each_invocation_has_one_winner(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Of equal transitions in several threads one succeeds, and its runner is the owner."""
    invocations = [new_invocation(pynenc_app) for _ in range(2000)]
    pynenc_orchestrator._register_new_invocations(invocations)
    ids = [invocation.invocation_id for invocation in invocations]
    runners = [f"runner {number}" for number in range(THREADS)]
    won = in_threads([partial(_claimed, pynenc_orchestrator, ids, each) for each in runners])
    claims = [(each, runner) for runner, wins in zip(runners, won, strict=True) for each in wins]
    claimed = {each for each, _ in claims}
    owners = [
        (each, pynenc_orchestrator.get_invocation_status_record(each).runner_id) for each in claimed
    ]
    assert (len(claims) > 0, sorted(claims)) == (True, sorted(owners))


def test_no_retry_is_lost(pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator) -> None:
    """Increments of several threads add up."""
    (invocation_id,) = registered(pynenc_app)
    increment = partial(pynenc_orchestrator.increment_invocation_retries, invocation_id)
    counts = in_threads([partial(_for_a_while, increment)] * THREADS)
    assert pynenc_orchestrator.get_invocation_retries(invocation_id) == sum(counts)


def test_no_history_record_is_lost(pynenc_state_backend: PytestStateBackend) -> None:
    """Records of several threads are all there, in the order of time."""
    offsets = itertools.count()

    def write() -> None:
        record = new_history("invocation", at(next(offsets)))
        pynenc_state_backend._add_histories(["invocation"], record)

    counts = in_threads([partial(_for_a_while, write)] * THREADS)
    history = pynenc_state_backend.get_history("invocation")
    assert [record.timestamp for record in history] == [at(each) for each in range(sum(counts))]


def test_an_invocation_is_registered_once(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Several threads register the same invocations: each is listed and counted once."""
    invocations = [new_invocation(pynenc_app) for _ in range(500)]

    def register() -> None:
        for invocation in invocations:
            pynenc_orchestrator._register_new_invocations([invocation])

    in_threads([register] * THREADS)
    listed = pynenc_orchestrator.get_invocation_ids_paginated(limit=9999)
    expected = sorted(invocation.invocation_id for invocation in invocations)
    assert (sorted(listed), pynenc_orchestrator.count_invocations()) == (expected, 500)


def test_atomic_services_never_overlap(pynenc_orchestrator: PytestOrchestrator) -> None:
    """Whoever is admitted is alone until it ends, however many try meanwhile."""
    inside: list[AtomicServiceRun] = []
    seen: set[int] = set()

    def serve() -> None:
        run = AtomicServiceRun(runner_id=unique_id("runner"))
        if pynenc_orchestrator.record_atomic_service_execution_start(run, None):
            inside.append(run)
            seen.add(len(inside) + len(pynenc_orchestrator.get_active_atomic_service_executions()))
            inside.remove(run)
            pynenc_orchestrator.finalize_atomic_service_execution(
                run, datetime.now(UTC), AtomicServiceExecutionStatus.COMPLETED
            )

    in_threads([partial(_for_a_while, serve)] * THREADS)
    assert seen == {2}  # one inside, and one that the store says is running


def test_what_one_thread_wrote_another_reads_at_once(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """A write is visible to every thread when it returns."""
    for number in range(20):
        in_threads([partial(pynenc_state_backend._set_result, "invocation", str(number))])
        (found,) = in_threads([partial(pynenc_state_backend._get_result, "invocation")])
        assert found == str(number)


@pytest.mark.parametrize("area", AREAS.values(), ids=AREAS)
def test_readers_never_stumble_over_writers(pynenc_app: Pynenc, area: Any) -> None:
    """Whatever is written or purged meanwhile, a read raises nothing."""
    numbers = itertools.count(1)

    def write() -> None:
        for number in itertools.islice(numbers, 9):
            area.write(pynenc_app, number)
        purge(pynenc_app)

    write_for_a_while = partial(_for_a_while, write, SHORT_RACE_S)
    read_for_a_while = partial(_for_a_while, partial(area.read, pynenc_app), SHORT_RACE_S)
    in_threads([write_for_a_while, write_for_a_while, read_for_a_while, read_for_a_while])
    # Whichever writer ended last, its purge was the last thing that happened.
    assert area.read(pynenc_app) == area.nothing


#: Everything that returns an iterator: what writes one item to it, and what begins it.
ITERATORS: dict[str, tuple[str, Callable[[Any], Iterator[Any]]]] = {
    "children": (
        "children",
        lambda app: app.state_backend.get_child_invocations("parent"),
    ),
    "invocations of a workflow": (
        "invocations of a workflow",
        lambda app: app.state_backend.get_invocation_ids_by_workflow("workflow"),
    ),
    "history in a range": (
        "history",
        lambda app: app.state_backend.iter_history_in_timerange(START, START, 1),
    ),
    "invocations in a range": (
        "invocations in a range",
        lambda app: app.state_backend.iter_invocations_in_timerange(START, START, 1),
    ),
    "invocations inside a workflow": (
        "invocations inside a workflow",
        lambda app: app.state_backend.get_workflow_sub_invocations("workflow"),
    ),
    "matching runner contexts": (
        "matching runner contexts",
        lambda app: app.state_backend.get_matching_runner_contexts("token"),
    ),
    "invocations of a task": (
        "invocations of a task",
        lambda app: app.orchestrator.get_task_invocation_ids(new_invocation(app).call.task.task_id),
    ),
    "invocations of a call": (
        "invocations of a call",
        lambda app: app.orchestrator.get_call_invocation_ids(
            new_invocation(app, arguments={"left": "1"}).call.call_id
        ),
    ),
    "existing invocations": (
        "indexed arguments",
        lambda app: app.orchestrator.get_existing_invocations(
            new_invocation(app).call.task, {"left": "1"}
        ),
    ),
    "awaited invocations": (
        "awaited invocations",
        lambda app: app.orchestrator.blocking_control.get_blocking_invocations(99),
    ),
}


@pytest.mark.parametrize(("area_name", "begin"), ITERATORS.values(), ids=ITERATORS)
def test_an_iterator_goes_on_while_its_reader_writes(
    pynenc_app: Pynenc, area_name: str, begin: Callable[[Any], Iterator[Any]]
) -> None:
    """What was there when the first item was asked for comes; writing between items is fine."""
    for number in range(1, 6):
        AREAS[area_name].write(pynenc_app, number)
    expected = list(begin(pynenc_app))
    iterator = begin(pynenc_app)
    items = [next(iterator)]
    for number in range(6, 9):
        AREAS[area_name].write(pynenc_app, number)
        items.append(next(iterator))
    items += iterator
    assert sorted(items, key=str) == sorted(expected, key=str)
