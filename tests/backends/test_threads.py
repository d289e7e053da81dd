"""Threads: one of many wins, nothing is lost, and readers never stumble over writers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from pynenc.exceptions import InvocationStatusError
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.compat import AtomicServiceRun
from tests.backends.areas import AREAS, purge
from tests.backends.builders import (
    START,
    at,
    new_history,
    new_invocation,
    registered,
    unique_id,
)
from tests.backends.together import in_threads

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

    from pytest_pynenc_state.backends.orchestrator import PytestOrchestrator
    from pytest_pynenc_state.backends.state_backend import PytestStateBackend

THREADS = 4


@pytest.fixture(autouse=True)
def eager_switching() -> Iterator[None]:
    """Let threads take turns so often that a race that is possible also happens."""
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual_s)


def _claimed(orchestrator: BaseOrchestrator, ids: list[str], runner_id: str) -> set[str]:
    """Try to claim all of *ids*, and return those that were won."""
    won = set()
    for invocation_id in ids:
        try:
            orchestrator._atomic_status_transition(
                invocation_id, InvocationStatus.PENDING, runner_id
            )
        except InvocationStatusError:
            continue
        won.add(invocation_id)
    return won


def test_each_invocation_has_one_winner(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Of equal transitions in several threads one succeeds, and its runner is the owner."""
    ids = registered(pynenc_app, 100)
    runners = [f"runner {number}" for number in range(THREADS)]
    won = in_threads([partial(_claimed, pynenc_orchestrator, ids, each) for each in runners])
    claims = [(each, runner) for runner, wins in zip(runners, won, strict=True) for each in wins]
    owners = [
        (each, pynenc_orchestrator.get_invocation_status_record(each).runner_id) for each in ids
    ]
    assert sorted(claims) == sorted(owners)


def test_no_retry_is_lost(pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator) -> None:
    """Increments of several threads add up."""
    (invocation_id,) = registered(pynenc_app)

    def increment() -> None:
        for _ in range(250):
            pynenc_orchestrator.increment_invocation_retries(invocation_id)

    in_threads([increment] * THREADS)
    assert pynenc_orchestrator.get_invocation_retries(invocation_id) == 250 * THREADS


def test_no_history_record_is_lost(pynenc_state_backend: PytestStateBackend) -> None:
    """Records of several threads are all there, in the order of time."""

    def write(number: int) -> None:
        for offset in range(number, 400, THREADS):
            record = new_history("invocation", at(offset))
            pynenc_state_backend._add_histories(["invocation"], record)

    in_threads([partial(write, number) for number in range(THREADS)])
    history = pynenc_state_backend.get_history("invocation")
    assert [record.timestamp for record in history] == [at(offset) for offset in range(400)]


def test_an_invocation_is_registered_once(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Several threads register the same invocations: each is listed and counted once."""
    invocations = [new_invocation(pynenc_app) for _ in range(50)]

    def register() -> None:
        for invocation in invocations:
            pynenc_orchestrator._register_new_invocations([invocation])

    in_threads([register] * THREADS)
    listed = pynenc_orchestrator.get_invocation_ids_paginated(limit=999)
    expected = sorted(invocation.invocation_id for invocation in invocations)
    assert (sorted(listed), pynenc_orchestrator.count_invocations()) == (expected, 50)


def test_one_atomic_service_is_admitted(pynenc_orchestrator: PytestOrchestrator) -> None:
    """Of several runs that start at once, one may work."""
    for _ in range(20):
        runs = [AtomicServiceRun(runner_id=unique_id("runner")) for _ in range(THREADS)]
        start = pynenc_orchestrator.record_atomic_service_execution_start
        admitted = in_threads([partial(start, run, START) for run in runs])
        active = pynenc_orchestrator.get_active_atomic_service_executions()
        winners = [run.runner_id for run, won in zip(runs, admitted, strict=True) if won]
        assert [each.runner_id for each in active] == winners
        pynenc_orchestrator.purge()


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

    def write() -> None:
        for number in range(1, 16):
            area.write(pynenc_app, number)
        purge(pynenc_app)

    def read() -> None:
        for _ in range(40):
            area.read(pynenc_app)

    in_threads([write, write, read, read])
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
