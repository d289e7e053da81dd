"""The results as plain tables of at most 110 columns."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from benchmarks.contenders import MEMORY, PLAIN, PYNENC_MEMORY, PYNENC_SQLITE, SQLITE
from benchmarks.contention import NO_STORE, Crowd
from benchmarks.growth import Growth
from benchmarks.layout import CELL, row, short, titled, verdict
from benchmarks.measuring import Series
from benchmarks.set_up import SET_UPS
from benchmarks.suite import OPERATIONS

_SINGLE = frozenset(operation.name for operation in OPERATIONS if operation.is_single)

Results = Mapping[str, Mapping[str, Series]]


@dataclass(frozen=True)
class Ratio:
    """How often one contender does what another does once, and how often it should.

    :param is_for_all: Whether the target is for all operations, not for single ones only.
    """

    slower: str
    faster: str
    target: float
    is_for_all: bool = False

    @property
    def title(self) -> str:
        """The ratio in words."""
        return f"{self.slower} / {self.faster}"


RATIOS = (
    Ratio(PYNENC_SQLITE, SQLITE, 10.0),
    Ratio(PLAIN, SQLITE, 0.5),
    Ratio(PYNENC_MEMORY, MEMORY, 1.0, is_for_all=True),
)

# The set-up has one target in absolute time, as a test suite pays it for each test.
_SET_UP_TARGET_US = 2000.0
# No transition may take longer than this under contention.
_WORST_TARGET_MS = 50.0


def versions() -> dict[str, str]:
    """What the results depend on."""
    return {
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "pynenc": version("pynenc"),
        "processors": str(os.cpu_count()),
    }


def header(rounds: int) -> Iterator[str]:
    """What was measured, on what, and how to read it."""
    found = ", ".join(f"{name} {value}" for name, value in versions().items())
    yield f"{found}; {rounds} rounds"
    yield "All contenders took turns in one run. Compare the ratios: they are the result. The"
    yield "absolute times are those of this machine at this moment, and mean nothing elsewhere."


def times(results: Results, names: Sequence[str]) -> Iterator[str]:
    """Medians and, in brackets, interquartile ranges."""
    yield from titled("microseconds a call: median (interquartile range)", "operation", names)
    for operation, series in results.items():
        shown = [series[name] for name in names]
        cells = [f"{short(each.median_us)} ({short(each.spread_us)})" for each in shown]
        yield row(operation, cells)


def ratios(results: Results, names: Sequence[str]) -> Iterator[str]:
    """How many times faster, and whether that is the target."""
    shown = [ratio for ratio in RATIOS if {ratio.slower, ratio.faster} <= set(names)]
    width = 2 * CELL - 6
    title = "times faster: median of the ratios of all rounds (+ meets its target, - misses it)"
    columns = [f"{ratio.title} >= {ratio.target:g}" for ratio in shown]
    yield from titled(title, "operation", columns, width)
    for operation, series in results.items():
        yield row(operation, [_judged(each, operation, series) for each in shown], width)
    if SQLITE in names:
        yield f"set-up and tear-down, at most {_SET_UP_TARGET_US / 1000:g} ms:"
        for each in SET_UPS:
            median_us = results[each.name][SQLITE].median_us
            met = verdict(median_us <= _SET_UP_TARGET_US)
            yield f"  {each.name}: {median_us / 1000:.2f} ms, {met}"


def _judged(ratio: Ratio, operation: str, series: Mapping[str, Series]) -> str:
    factor = series[ratio.slower].times_slower_than(series[ratio.faster])
    mark = " "
    if ratio.is_for_all or operation in _SINGLE:
        mark = "+" if factor >= ratio.target else "-"
    return f"{factor:.2f} {mark}"


def contention(crowds: Mapping[str, Crowd], processes: int) -> Iterator[str]:
    """Throughput and latency while several processes write to one file."""
    columns = ("moves/s", "p50 ms", "p99 ms", "worst ms", "failures")
    yield from titled(f"status transitions, {processes} processes on one file", "", columns)
    for name, crowd in crowds.items():
        times_ms = (crowd.percentile_ms(50), crowd.percentile_ms(99), crowd.worst_ms)
        cells = [f"{crowd.per_second:,.0f}", *(f"{each:,.2f}" for each in times_ms)]
        yield row(name, [*cells, str(crowd.failures)])
    if {SQLITE, PYNENC_SQLITE} <= crowds.keys():
        factor = crowds[SQLITE].per_second / crowds[PYNENC_SQLITE].per_second
        target = RATIOS[0].target
        met = verdict(factor >= target)
        yield f"throughput: {factor:.1f} times; target at least {target:g}: {met}"
    if SQLITE in crowds:
        met = verdict(crowds[SQLITE].worst_ms < _WORST_TARGET_MS)
        alone_ms = crowds[NO_STORE].worst_ms
        yield (
            f"worst case: target below {_WORST_TARGET_MS:g} ms: {met} "
            f"(this machine delays up to {alone_ms:.1f} ms by itself)"
        )


def growth(grown: Mapping[str, Growth]) -> Iterator[str]:
    """The cost of a batch at both ends of a long iteration.

    The memory's list costs the same everywhere: its factor is that of the machine, which
    was slower or faster at the end, for all contenders.
    """
    columns = ("rows", "first tenth us", "last tenth us", "factor", "beside memory")
    yield from titled("history of a time range, batches of 100: median per batch", "", columns)
    machine = grown[MEMORY].factor if MEMORY in grown else 1.0
    for name, each in grown.items():
        cells = [f"{each.rows:,}", f"{each.first_us:,.0f}", f"{each.last_us:,.0f}"]
        yield row(name, [*cells, f"{each.factor:.2f}", f"{each.factor / machine:.2f}"])
