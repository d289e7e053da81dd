"""What things cost in stores that grow: reads, pages, time ranges, filters, purges."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from pynenc.app import Pynenc
from pynenc.invocation.status import InvocationStatus

from benchmarks import contenders
from benchmarks.contenders import MEMORY, PYNENC_SQLITE, SQLITE
from benchmarks.result import Result, Settings, Table, Target, number
from benchmarks.workload import EPOCH, Workload

_SIZES = (1_000, 10_000, 100_000, 1_000_000)
_QUICK_SIZES = (200, 400)
# Larger stores take pynenc's class hours: it skips all rows before each batch of a time range,
# and opens a connection for each row that it writes.
_MOST_OF_PYNENC = 10_000

_CALLS = 30
_BATCH_SIZE = 100
_ROWS_PER_MS = 50
_SEEDED_TOGETHER = 10_000
_SPAN = timedelta(days=365)

# How much slower the last batches may be, where the store is large, than a list's are.
_MOST_FACTOR = 1.5


def measure(settings: Settings) -> Result:
    """Fill stores, and time what is done with them."""
    sizes = settings.either(_SIZES, _QUICK_SIZES)
    named = [each for each in (SQLITE, PYNENC_SQLITE, MEMORY) if each in settings.names]
    result = Result()
    for name in named:
        fitting = [size for size in sizes if size <= _MOST_OF_PYNENC or name != PYNENC_SQLITE]
        costs = {size: _costs(name, settings.directory, size) for size in fitting}
        rows = [
            (work, *(number(costs[size][work]) for size in fitting)) for work in costs[fitting[0]]
        ]
        title = f"{name}: microseconds a call (median; one purge), by stored invocations"
        result.tables.append(Table(title, ("", *(f"{size:,}" for size in fitting)), rows))
        result.data[name] = costs
    rows_of_history = sizes[-1]
    walked = _walked([each for each in named if each != PYNENC_SQLITE], settings, rows_of_history)
    result.data["history"] = walked
    title = f"Batches of {_BATCH_SIZE} of {rows_of_history:,} records of history, microseconds"
    rows = [(name, *map(number, tenths)) for name, tenths in walked.items()]
    columns = ("", "first tenth", "last tenth")
    result.tables.append(Table(title, columns, rows))
    if SQLITE in walked:
        result.targets.append(_target(walked, rows_of_history))
    return result


def _costs(name: str, directory: Path, size: int) -> dict[str, float]:
    """What each kind of call takes, by its name, in a store with *size* invocations."""
    with contenders.opened(name, directory) as app:
        workload = Workload(app)
        for first in range(0, size, _SEEDED_TOGETHER):
            workload.seed(min(_SEEDED_TOGETHER, size - first))
        workload.seed_timeline(max(size // _ROWS_PER_MS, 1), _ROWS_PER_MS)
        costs = {work: _median_us(call) for work, call in _calls(app, workload)}
        started_ns = perf_counter_ns()
        app.state_backend.purge()
        app.orchestrator.purge()
        return {**costs, "purge of all": (perf_counter_ns() - started_ns) / 1000}


def _calls(app: Pynenc, workload: Workload) -> Iterator[tuple[str, Callable[[], object]]]:
    state: Any = app.state_backend
    orchestrator: Any = app.orchestrator
    ids = itertools.cycle(workload.ids[:: max(len(workload.ids) // _CALLS, 1)])
    hundred = workload.ids[-_BATCH_SIZE:]
    last_page = max(len(workload.ids) - _BATCH_SIZE, 0)
    yield "get_invocation", lambda: state._get_invocation(next(ids))
    yield "get_status", lambda: orchestrator.get_invocation_status(next(ids))
    yield "get_history", lambda: state.get_history(next(ids))
    yield (
        "filter_by_status, 100 ids",
        lambda: orchestrator.filter_by_status(hundred, frozenset([InvocationStatus.REGISTERED])),
    )
    yield (
        "first page of 100",
        lambda: orchestrator.get_invocation_ids_paginated(limit=_BATCH_SIZE, offset=0),
    )
    yield (
        "last page of 100",
        lambda: orchestrator.get_invocation_ids_paginated(limit=_BATCH_SIZE, offset=last_page),
    )
    yield "count_invocations", orchestrator.count_invocations
    yield (
        "first batch of a time range",
        lambda: next(iter(state.iter_history_in_timerange(EPOCH, EPOCH + _SPAN, _BATCH_SIZE))),
    )


def _median_us(call: Callable[[], object]) -> float:
    times_us = []
    for _ in range(_CALLS):
        started_ns = perf_counter_ns()
        call()
        times_us.append((perf_counter_ns() - started_ns) / 1000)
    return statistics.median(times_us)


def _walked(names: Sequence[str], settings: Settings, rows: int) -> dict[str, tuple[float, float]]:
    """The median times of a batch, in the first and in the last tenth of a long time range.

    The contenders take turns batch by batch.
    """
    times_us: dict[str, list[float]] = {name: [] for name in names}
    with ExitStack() as stack:
        running: dict[str, Iterator[Any]] = {}
        for name in times_us:
            app = stack.enter_context(contenders.opened(name, settings.directory))
            workload = Workload(app)
            workload.seed_timeline(rows // _ROWS_PER_MS, _ROWS_PER_MS)
            batches = workload.state.iter_history_in_timerange(EPOCH, EPOCH + _SPAN, _BATCH_SIZE)
            running[name] = iter(batches)
        while running:
            for name, batches in list(running.items()):
                started_ns = perf_counter_ns()
                if next(batches, None) is None:
                    del running[name]
                else:
                    times_us[name].append((perf_counter_ns() - started_ns) / 1000)
    return {name: _tenths(times) for name, times in times_us.items()}


def _tenths(times_us: Sequence[float]) -> tuple[float, float]:
    tenth = max(len(times_us) // 10, 1)
    return statistics.median(times_us[:tenth]), statistics.median(times_us[-tenth:])


def _target(walked: dict[str, tuple[float, float]], rows: int) -> Target:
    first_us, last_us = walked[SQLITE]
    factor = last_us / first_us
    # A list's batches cost the same everywhere: its factor is that of the machine, which was
    # slower or faster at the end, for all contenders.
    machine = walked[MEMORY][1] / walked[MEMORY][0] if MEMORY in walked else 1.0
    return Target(
        f"sqlite, batches of a time range over {rows:,} records",
        f"the last less than {_MOST_FACTOR:g} times the first, beside a list",
        f"{factor:.2f} times the time ({factor / machine:.2f} beside a list in memory)",
        factor / machine < _MOST_FACTOR,
    )
