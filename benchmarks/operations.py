"""Single operations of all contenders, side by side."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import contenders
from benchmarks.contenders import MEMORY, PLAIN, PYNENC_MEMORY, PYNENC_SQLITE, SQLITE
from benchmarks.measuring import Series, measured_in_turns
from benchmarks.plain_sqlite import PlainSQLite
from benchmarks.result import Result, Settings, Table, Target, number
from benchmarks.suite import OPERATIONS, Operation
from benchmarks.workload import Workload

Measured = Mapping[str, Mapping[str, Series]]

_QUICK_ROUNDS = 3


@dataclass(frozen=True)
class Ratio:
    """How often one contender does what another does once, and how often it should.

    :param is_for_all: Whether the target is for all operations, not for single ones only.
    """

    slower: str
    faster: str
    wanted: float | None
    is_for_all: bool = False

    @property
    def title(self) -> str:
        """The ratio in words."""
        return f"{self.slower} / {self.faster}"

    def of(self, series: Mapping[str, Series]) -> float:
        """The ratio of one operation."""
        return series[self.slower].times_slower_than(series[self.faster])


_RATIOS = (
    Ratio(PYNENC_SQLITE, SQLITE, 10.0),
    # What nothing that is written in Python and sends these statements could exceed.
    Ratio(PYNENC_SQLITE, PLAIN, None),
    Ratio(PLAIN, SQLITE, 0.5),
    Ratio(PYNENC_MEMORY, MEMORY, 1.0, is_for_all=True),
    Ratio(contenders.RUSTVELLO, SQLITE, None),
)


def measure(settings: Settings) -> Result:
    """Time each operation of each contender."""
    rounds = settings.either(settings.rounds, _QUICK_ROUNDS)
    measured = {
        operation.name: _measured(operation, settings.names, rounds, settings.directory)
        for operation in OPERATIONS
    }
    ratios = [each for each in _RATIOS if {each.slower, each.faster} <= set(settings.names)]
    return Result(
        [_times(measured, settings.names), _ratios(measured, ratios)],
        [_target(measured, each) for each in ratios if each.wanted is not None],
        {
            operation: {name: each.summary() for name, each in series.items()}
            for operation, series in measured.items()
        },
    )


def _measured(
    operation: Operation, names: Sequence[str], rounds: int, directory: Path
) -> dict[str, Series]:
    rounds = operation.rounds_of(rounds)
    with ExitStack() as stack:
        next_slices: dict[str, Any] = {}
        for name in names:
            if name == PLAIN:
                plain = PlainSQLite(operation, rounds, directory)
                stack.callback(plain.close)
                next_slices[name] = plain.next_slice
            else:
                workload = Workload(stack.enter_context(contenders.opened(name, directory)))
                operation.prepare(workload)
                next_slices[name] = partial(operation.make, workload)
        return measured_in_turns(next_slices, rounds)


def _times(measured: Measured, names: Sequence[str]) -> Table:
    rows = [
        (operation, *(str(series[name]) for name in names))
        for operation, series in measured.items()
    ]
    title = "Microseconds a call: median (interquartile range)"
    return Table(title, ("operation", *names), rows)


def _ratios(measured: Measured, ratios: Sequence[Ratio]) -> Table:
    rows = [
        (operation, *(number(each.of(series)) for each in ratios))
        for operation, series in measured.items()
    ]
    title = "How many times as long: median of the ratios of all rounds"
    return Table(title, ("operation", *(each.title for each in ratios)), rows)


def _target(measured: Measured, ratio: Ratio) -> Target:
    judged = {
        each.name: ratio.of(measured[each.name])
        for each in OPERATIONS
        if each.is_single or ratio.is_for_all
    }
    least = min(judged, key=judged.__getitem__)
    wanted = ratio.wanted or 0.0
    met = sum(factor >= wanted for factor in judged.values())
    return Target(
        f"{'all' if ratio.is_for_all else 'single'} operations: {ratio.title}",
        f"at least {wanted:g}",
        f"{number(judged[least])} ({least}) to {number(max(judged.values()))}, median "
        f"{number(statistics.median(judged.values()))}; {met} of {len(judged)} operations",
        met == len(judged),
    )
