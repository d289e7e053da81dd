"""The operations that are timed one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pynenc.invocation.status import InvocationStatus, InvocationStatusRecord
from pynenc.state_backend.base_state_backend import BaseStateBackend

from benchmarks.measuring import Slice
from benchmarks.workload import CYCLE, EPOCH, RUNNER_ID, Workload

_CALLS = 30
_STORED = 300
_BATCH_SIZE = 100
_WINDOW_BATCHES = 5
# 5,000 rows: each of these milliseconds has a record of each of so many invocations.
_TIMELINE_MS = 100
_TIMELINE_IDS = 50
_PURGED = 100

# Up to pynenc 0.2.0, its classes write history in threads: the write ends when they do.
_WRITES_IN_THREADS = hasattr(BaseStateBackend, "wait_for_invocation_async_operations")


@dataclass(frozen=True)
class Operation:
    """Something that every contender does.

    :param name: What the tables call it.
    :param make: Prepares a slice of it, untimed.
    :param prepare: Stores what it needs, once.
    :param share: How many of the asked-for rounds it gets; slow ones get fewer.
    :param is_single: Whether it is about one invocation. The targets for SQLite are for
        these: in the others, SQLite itself takes most of the time, whoever calls it.
    """

    name: str
    make: Callable[[Workload], Slice]
    prepare: Callable[[Workload], None] = lambda workload: workload.seed(_STORED)
    share: float = 1.0
    is_single: bool = True

    def rounds_of(self, rounds: int) -> int:
        """How many rounds it gets, out of *rounds*."""
        return max(round(rounds * self.share), 3)


def _upsert(workload: Workload) -> Slice:
    entries = [([workload.entry()],) for _ in range(_CALLS)]
    return Slice(workload.state._upsert_invocations, entries)


def _add_history(workload: Workload) -> Slice:
    record = InvocationStatusRecord(InvocationStatus.RUNNING, RUNNER_ID)
    state, context = workload.state, workload.runner_context

    def add_and_wait(*arguments: Any) -> None:
        state.add_history(*arguments)
        state.wait_for_invocation_async_operations(arguments[0])

    call = add_and_wait if _WRITES_IN_THREADS else state.add_history
    return Slice(call, [(each, record, context) for each in workload.next_ids(_CALLS)])


def _get_history(workload: Workload) -> Slice:
    return Slice(workload.state.get_history, [(each,) for each in workload.next_ids(_CALLS)])


def _set_result(workload: Workload) -> Slice:
    arguments = [(each, workload.result()) for each in workload.next_ids(_CALLS)]
    return Slice(workload.state._set_result, arguments)


def _get_result(workload: Workload) -> Slice:
    arguments = [(each,) for each in workload.next_ids(_CALLS)]
    return Slice(workload.state._get_result, arguments)


def _transition(workload: Workload) -> Slice:
    ids = workload.next_ids(_CALLS // len(CYCLE))
    return Slice(workload.move, [(each, status, RUNNER_ID) for each in ids for status in CYCLE])


def _get_status(workload: Workload) -> Slice:
    ids = workload.next_ids(_CALLS)
    return Slice(workload.orchestrator.get_invocation_status, [(each,) for each in ids])


def _filter_final(workload: Workload) -> Slice:
    return Slice(workload.orchestrator.filter_final, [(workload.ids,)] * 3)


def _history_batches(workload: Workload) -> Slice:
    return _batches(workload, workload.state.iter_history_in_timerange, _TIMELINE_IDS)


def _invocation_batches(workload: Workload) -> Slice:
    # Two records for each invocation: twice the time for the same number of ids.
    return _batches(workload, workload.state.iter_invocations_in_timerange, _TIMELINE_IDS / 2)


def _batches(
    workload: Workload, iterate: Callable[[datetime, datetime, int], Any], per_ms: float
) -> Slice:
    """All batches of a window of the timeline, which slides on from slice to slice."""
    window_ms = round(_WINDOW_BATCHES * _BATCH_SIZE / per_ms)
    start = EPOCH + timedelta(milliseconds=workload.slide(window_ms, _TIMELINE_MS - window_ms))
    end = start + timedelta(milliseconds=window_ms - 1)

    def exhaust() -> None:
        for _ in iterate(start, end, _BATCH_SIZE):
            pass

    return Slice(exhaust, [()], units=_WINDOW_BATCHES)


def _purge(workload: Workload) -> Slice:
    workload.ids.clear()
    workload.seed(_PURGED)
    workload.seed_histories()

    def purge_both() -> None:
        workload.state.purge()
        workload.orchestrator.purge()

    return Slice(purge_both, [()])


def _with_nothing(_: Workload) -> None:
    """Store nothing."""


def _with_histories(workload: Workload) -> None:
    workload.seed(_STORED)
    workload.seed_histories()


def _with_results(workload: Workload) -> None:
    workload.seed(_STORED)
    for invocation_id in workload.ids:
        workload.state._set_result(invocation_id, workload.result())


def _with_finished(workload: Workload) -> None:
    workload.seed(_STORED)
    workload.seed_finished()


def _with_timeline(workload: Workload) -> None:
    workload.seed_timeline(_TIMELINE_MS, _TIMELINE_IDS)


def _with_pairs(workload: Workload) -> None:
    for first_ms in range(0, _TIMELINE_MS, 2):
        workload.seed_timeline(2, _TIMELINE_IDS, first_ms)


def _bulk(
    name: str,
    make: Callable[[Workload], Slice],
    prepare: Callable[[Workload], None] = _with_nothing,
) -> Operation:
    return Operation(name, make, prepare, share=0.5, is_single=False)


OPERATIONS = (
    Operation("upsert", _upsert),
    Operation("add_history", _add_history),
    Operation("get_history, 4 rows", _get_history, _with_histories),
    Operation("set_result", _set_result),
    Operation("get_result", _get_result, _with_results),
    Operation("status transition", _transition),
    Operation("get_status", _get_status),
    _bulk(f"filter_final, {_STORED} ids", _filter_final, _with_finished),
    _bulk("history, batch of 100", _history_batches, _with_timeline),
    _bulk("invocations, batch of 100", _invocation_batches, _with_pairs),
    _bulk("purge, 100 invocations", _purge),
)
