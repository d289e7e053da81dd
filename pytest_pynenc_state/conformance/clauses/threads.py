"""Threads of one process: one of many wins, nothing is lost, and each sees what others wrote."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from pynenc.exceptions import InvocationStatusError
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.compat import AtomicServiceExecutionStatus
from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import (
    at,
    new_history,
    new_invocation,
    registered,
    unique_id,
)
from pytest_pynenc_state.conformance.service_runs import new_run
from pytest_pynenc_state.conformance.together import eager_switching, for_a_while, in_threads

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator
    from pynenc.state_backend.base_state_backend import BaseStateBackend

THREADS = 4

# Long enough for threads to take turns many times, whatever one operation costs.
_RACE_S = 0.15


@clause("OR-THR-01", hint="read, check and write the status in one transaction, or under one lock")
def each_invocation_has_one_winner(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Of equal transitions in several threads one succeeds, and its runner is the owner."""
    invocations = [new_invocation(pynenc_app) for _ in range(1000)]
    pynenc_orchestrator._register_new_invocations(invocations)
    runners = [f"runner {number}" for number in range(THREADS)]
    won: dict[str, list[str]] = {runner_id: [] for runner_id in runners}

    def claim(runner_id: str, ids: itertools.chain[str]) -> None:
        # At the end of the ids, the rest of the while is spent on the last one.
        invocation_id = next(ids)
        try:
            pynenc_orchestrator._atomic_status_transition(
                invocation_id, InvocationStatus.PENDING, runner_id
            )
        except InvocationStatusError:
            return
        won[runner_id].append(invocation_id)

    all_ids = [invocation.invocation_id for invocation in invocations]
    workers = [
        partial(
            for_a_while,
            partial(claim, runner_id, itertools.chain(all_ids, itertools.repeat(all_ids[-1]))),
            _RACE_S,
        )
        for runner_id in runners
    ]
    with eager_switching():
        in_threads(workers)
    claims = sorted((each, runner_id) for runner_id, wins in won.items() for each in wins)
    claimed = sorted({each for each, _ in claims})
    owners = [pynenc_orchestrator.get_invocation_status_record(each).runner_id for each in claimed]
    assert claims == list(zip(claimed, owners, strict=True))
    assert claims != []


@clause("OR-THR-02", hint="let the store add one; do not read, add and write")
def no_retry_is_lost(pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator) -> None:
    """Increments of the retries in several threads add up."""
    (invocation_id,) = registered(pynenc_app)
    increment = partial(pynenc_orchestrator.increment_invocation_retries, invocation_id)
    with eager_switching():
        counts = in_threads([partial(for_a_while, increment, _RACE_S)] * THREADS)
    assert pynenc_orchestrator.get_invocation_retries(invocation_id) == sum(counts)


@clause("OR-THR-03", hint="registering is an insert of what is not there, in one step")
def an_invocation_is_registered_once(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Of several threads that register the same invocations, each is listed and counted once."""
    invocations = [new_invocation(pynenc_app) for _ in range(50)]

    def register() -> None:
        for invocation in invocations:
            pynenc_orchestrator._register_new_invocations([invocation])

    with eager_switching():
        in_threads([register] * THREADS)
    listed = pynenc_orchestrator.get_invocation_ids_paginated(limit=99)
    expected = sorted(invocation.invocation_id for invocation in invocations)
    assert (sorted(listed), pynenc_orchestrator.count_invocations()) == (expected, 50)


@clause("OR-THR-04", since="0.2.4", hint="look for a RUNNING row and insert in one transaction")
def atomic_services_never_overlap(pynenc_orchestrator: BaseOrchestrator) -> None:
    """Whoever is admitted is alone until it ends, however many try meanwhile."""
    inside: set[str] = set()
    seen: list[tuple[int, int]] = []

    def serve() -> None:
        run = new_run(runner_id=unique_id("runner"))
        if pynenc_orchestrator.record_atomic_service_execution_start(run, None):
            inside.add(run.atomic_service_run_id)
            active = pynenc_orchestrator.get_active_atomic_service_executions()
            seen.append((len(inside), len(active)))
            inside.remove(run.atomic_service_run_id)
            pynenc_orchestrator.finalize_atomic_service_execution(
                run, datetime.now(UTC), AtomicServiceExecutionStatus.COMPLETED
            )

    with eager_switching():
        in_threads([partial(for_a_while, serve, _RACE_S)] * THREADS)
    assert set(seen) == {(1, 1)}


@clause("SB-THR-01", hint="append in one step; do not read, extend and write")
def no_history_record_is_lost(pynenc_state_backend: BaseStateBackend) -> None:  # type: ignore[type-arg]
    """Records that several threads add are all there, in the order of their time."""
    offsets = itertools.count()

    def write() -> None:
        record = new_history("invocation", at(next(offsets)))
        pynenc_state_backend._add_histories(["invocation"], record)

    with eager_switching():
        counts = in_threads([partial(for_a_while, write, _RACE_S)] * THREADS)
    history = pynenc_state_backend.get_history("invocation")
    assert [record.timestamp for record in history] == [at(each) for each in range(sum(counts))]


@clause("SB-THR-02", hint="commit before returning; no reader keeps an older snapshot or cache")
def what_one_thread_wrote_another_reads_at_once(
    pynenc_state_backend: BaseStateBackend,  # type: ignore[type-arg]
) -> None:
    """What a thread has written, every other thread reads once the write has returned."""
    pynenc_state_backend._set_result("invocation", "first")
    for number in range(10):
        in_threads([partial(pynenc_state_backend._set_result, "invocation", str(number))])
        read = partial(pynenc_state_backend._get_result, "invocation")
        found = [read(), *in_threads([read] * 2)]
        assert found == [str(number)] * 3
