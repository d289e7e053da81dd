"""Processes: one of many wins, nothing is lost, and a killed one leaves a sound store."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from pynenc.invocation.status import InvocationStatus, status_record_transition

from pytest_pynenc_state.conformance.making import at, flat, new_context, new_history, registered
from pytest_pynenc_state.conformance.together import HANG_GUARD_S
from tests.backends import workers
from tests.backends.workers import AppAddress

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.state_backend.base_state_backend import InvocationHistory

InProcesses = Callable[..., list[Any]]
Started = Callable[..., tuple[Any, Any]]

pytestmark = pytest.mark.pynenc_requires("shared")

RUNNERS = [f"runner {number}" for number in range(4)]


def _settled(app: Pynenc, invocation_id: str) -> list[InvocationHistory]:
    """An invocation's history in the order in which its status changed.

    A transition is stamped while it holds the lock; its history is written after it, so
    that two processes may write theirs in the other order.
    """
    history = app.state_backend.get_history(invocation_id)
    return sorted(history, key=lambda record: record.status_record.timestamp)


def _illegal_steps(history: list[InvocationHistory]) -> Iterator[str]:
    """The steps of a settled history that pynenc would have refused, in words."""
    for before, after in pairwise(history):
        expected = status_record_transition(
            before.status_record, after.status_record.status, after.runner_context_id
        )
        if expected.runner_id != after.status_record.runner_id:
            yield f"{before.status_record} -> {after.status_record}"


@pytest.fixture
def raced(
    pynenc_app: Pynenc, address: AppAddress, in_processes: InProcesses
) -> tuple[list[str], int]:
    """Invocations that four processes fought for, and how many transitions were accepted."""
    ids = registered(pynenc_app, 15)
    for invocation_id in ids:
        record = pynenc_app.orchestrator.get_invocation_status_record(invocation_id)
        pynenc_app.state_backend.add_history(invocation_id, record, new_context("registrar"))
    attempts = [(address, ids, runner, 150) for runner in RUNNERS]
    return ids, sum(in_processes(workers.attempt_transitions, attempts))


def test_every_accepted_transition_starts_where_the_former_ended(
    pynenc_app: Pynenc, raced: tuple[list[str], int]
) -> None:
    """Of processes that want the same transition one wins: there is no step that two made.

    pynenc's own rules are applied to each pair of consecutive records; a second winner
    would have left a status in which it was not any more. A refusal is the only error.
    """
    ids, accepted = raced
    illegal = {each: [*_illegal_steps(_settled(pynenc_app, each))] for each in ids}
    assert (accepted > 0, illegal) == (True, {each: [] for each in ids})


def test_every_accepted_transition_is_in_a_history(
    pynenc_app: Pynenc, raced: tuple[list[str], int]
) -> None:
    """There are as many records as transitions and registrations, and each ends rightly."""
    ids, accepted = raced
    histories = {each: _settled(pynenc_app, each) for each in ids}
    last = {each: history[-1].status_record for each, history in histories.items()}
    stored = {each: pynenc_app.orchestrator.get_invocation_status_record(each) for each in ids}
    assert (sum(map(len, histories.values())), last) == (accepted + len(ids), stored)


def test_no_retry_is_lost_between_processes(
    pynenc_app: Pynenc, address: AppAddress, in_processes: InProcesses
) -> None:
    """Increments of several processes add up."""
    (invocation_id,) = registered(pynenc_app)
    in_processes(workers.increment_retries, [(address, invocation_id, 200)] * 4)
    assert pynenc_app.orchestrator.get_invocation_retries(invocation_id) == 800


def test_a_runner_is_created_once_by_all_processes(
    pynenc_app: Pynenc, address: AppAddress, in_processes: InProcesses
) -> None:
    """Whoever gives the first heartbeat creates the runner; nobody ever sees another time."""
    seen = in_processes(workers.beat, [(address, RUNNERS, 50)] * 4)
    active = pynenc_app.orchestrator.get_active_runners()
    created = {runner.runner_id: {runner.creation_time} for runner in active}
    assert (set(created), seen) == (set(RUNNERS), [created] * 4)


def _kill(process: Any) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.join(HANG_GUARD_S)
    assert process.exitcode == -signal.SIGKILL


def _received(pipe: Any, count: int) -> list[Any]:
    return [pipe.recv() for _ in range(count)]


@pytest.mark.parametrize("count", [1, 7, 20])
def test_a_process_that_is_killed_leaves_statuses_and_histories_that_agree(
    pynenc_app: Pynenc, address: AppAddress, started: Started, count: int
) -> None:
    """What it said to have done is there; at most its very last step lacks its record."""
    process, pipe = started(workers.work_until_killed, address)
    done = _received(pipe, count)
    _kill(process)
    ids = pynenc_app.orchestrator.get_invocation_ids_paginated(limit=10_000)
    ahead = [each for each in ids if not _agrees(pynenc_app, each)]
    statuses = {pynenc_app.orchestrator.get_invocation_status(each) for each in done}
    assert (statuses, len(ahead) <= 1, set(ahead) & set(done)) == (
        {InvocationStatus.SUCCESS},
        True,
        set(),
    )


def _agrees(app: Pynenc, invocation_id: str) -> bool:
    history = _settled(app, invocation_id)
    record = app.orchestrator.get_invocation_status_record(invocation_id)
    is_stored = app.state_backend._get_invocation(invocation_id) is not None
    is_legal = not [*_illegal_steps(history)]
    return is_stored and is_legal and bool(history) and history[-1].status_record == record


@pytest.mark.parametrize("count", [1, 5, 30])
def test_a_process_that_is_killed_leaves_whole_batches(
    pynenc_app: Pynenc, address: AppAddress, started: Started, count: int
) -> None:
    """Of every batch all records are there, or none; and all that were said to be done."""
    ids = [f"invocation {number}" for number in range(50)]
    process, pipe = started(workers.add_batches_until_killed, address, ids)
    _received(pipe, count)
    _kill(process)
    rows = flat(pynenc_app.state_backend.iter_history_in_timerange(at(0), at(10**6), 10_000))
    batches = Counter(row.timestamp for row in rows)
    assert (len(batches) >= count, set(batches.values())) == (True, {len(ids)})


def test_others_go_on_when_a_process_is_killed(
    pynenc_app: Pynenc, address: AppAddress, started: Started, in_processes: InProcesses
) -> None:
    """Processes that use the store while one of them is killed lose nothing."""
    (invocation_id,) = registered(pynenc_app)
    process, pipe = started(workers.add_batches_until_killed, address, ["one", "two"])
    assert pipe.recv() == 0
    os.kill(process.pid, signal.SIGKILL)
    in_processes(workers.increment_retries, [(address, invocation_id, 50)] * 4)
    process.join(HANG_GUARD_S)
    pynenc_app.state_backend._add_histories(["one"], new_history("any", at(-1)))
    first = pynenc_app.state_backend.get_history("one")[0]
    retries = pynenc_app.orchestrator.get_invocation_retries(invocation_id)
    assert (retries, first.timestamp) == (200, at(-1))
