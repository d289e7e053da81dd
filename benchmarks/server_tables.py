"""The server's results as plain tables."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import TypeAlias

from benchmarks.layout import row, short, titled, verdict
from benchmarks.measuring import Series
from benchmarks.server_calls import PING
from benchmarks.server_clients import IN_PROCESS, Cell, Outcome, all_cells
from benchmarks.server_life import Life

Outcomes: TypeAlias = Mapping[Cell, Outcome]

#: How many times as long a call may take with the most documents as with the fewest.
GROWTH_TARGET = 2.0

# Of fewer calls, none is beyond 99 % of them.
_CALLS_OF_P99 = 100


def versions() -> dict[str, str]:
    """What the results depend on."""
    return {
        "Python": platform.python_version(),
        "mongomock": version("mongomock"),
        "pymongo": version("pymongo"),
        "processors": str(os.cpu_count()),
    }


def header(rounds: int, turn_s: float) -> Iterator[str]:
    """What is measured, on what, and how to read it."""
    found = ", ".join(f"{name} {value}" for name, value in versions().items())
    yield f"{found}; {rounds} rounds of turns of {turn_s:g} s"
    yield "1, 2 and 4 client processes on the mongomock server, and a mongomock in process, in"
    yield "turns in one run. Compare the ratios: they are the result. The absolute times are those"
    yield "of this machine at this moment, and mean nothing elsewhere."


def life(measured: Life) -> Iterator[str]:
    """What a run pays for the server itself."""
    yield from titled("the server: median (interquartile range)", "", ["milliseconds"])
    yield row("start, to first answer", [_in_ms(measured.start)])
    yield row("stop", [_in_ms(measured.stop)])
    yield ""
    yield f"resident memory: {measured.empty_mb:.1f} MB empty, {measured.full_mb:.1f} MB at the end"


def _in_ms(series: Series) -> str:
    return f"{short(series.median_us / 1000)} ({short(series.spread_us / 1000)})"


def calls_per_second(outcomes: Outcomes, sizes: Sequence[int]) -> Iterator[str]:
    """Throughput of all clients together."""
    title = "calls a second of all clients: median (interquartile range in %)"
    return _by_size(title, outcomes, sizes, _throughput)


def _throughput(outcome: Outcome) -> str:
    interval = outcome.interval
    return f"{short(1e6 / interval.median_us)} {_relative_spread(interval)}"


def medians(outcomes: Outcomes, sizes: Sequence[int]) -> Iterator[str]:
    """The usual latency."""
    title = "microseconds a call: p50, median of the rounds (interquartile range in %)"
    return _by_size(title, outcomes, sizes, _median)


def _median(outcome: Outcome) -> str:
    return f"{short(outcome.p50.median_us)} {_relative_spread(outcome.p50)}"


def _relative_spread(series: Series) -> str:
    return f"({series.spread_us / series.median_us:.0%})"


def tails(outcomes: Outcomes, sizes: Sequence[int]) -> Iterator[str]:
    """The unusual latency."""
    title = f"microseconds a call: p99 of all rounds (* near the worst of < {_CALLS_OF_P99} calls)"
    return _by_size(title, outcomes, sizes, _tail)


def _tail(outcome: Outcome) -> str:
    return f"{short(outcome.p99_us)} {' ' if outcome.calls >= _CALLS_OF_P99 else '*'}"


def ratios(outcomes: Outcomes, sizes: Sequence[int]) -> Iterator[str]:
    """What more documents cost, and what the server gains or loses beside a mongomock."""
    fewest, most = min(sizes), max(sizes)
    yield from titled(
        f"growth: p50 with {most:,} documents / with {fewest:,} (+ meets target, - misses it);\n"
        "gain: calls a second of all clients on the server / of one on a mongomock in process",
        "operation",
        ["clients", "growth", *(f"gain at {size:,}" for size in sizes)],
    )
    for operation, clients in _rows(sizes):
        grown = growth(outcomes, operation, clients, sizes)
        mark = " " if not _has_target(operation, clients) else "-+"[grown <= GROWTH_TARGET]
        gains = [gain(outcomes, Cell(operation, clients, size)) for size in sizes]
        shown = ["" if each is None else f"{each:.2f}" for each in gains]
        yield row(operation, [_who(clients), f"{grown:.2f} {mark}", *shown])
    worst = max(
        growth(outcomes, operation, clients, sizes)
        for operation, clients in _rows(sizes)
        if _has_target(operation, clients)
    )
    met = verdict(worst <= GROWTH_TARGET)
    yield f"largest growth on the server {worst:.2f}; target at most {GROWTH_TARGET:g}: {met}"
    yield "(a ping uses no document: its growth is what the machine did by itself)"


def growth(outcomes: Outcomes, operation: str, clients: int, sizes: Sequence[int]) -> float:
    """How many times as long a call takes with the most documents as with the fewest."""
    slower, faster = (
        outcomes[Cell(operation, clients, size)].p50 for size in (max(sizes), min(sizes))
    )
    return slower.times_slower_than(faster)


def gain(outcomes: Outcomes, cell: Cell) -> float | None:
    """How many times as many calls the server answers as a mongomock; None if not compared."""
    own = outcomes.get(cell._replace(clients=IN_PROCESS))
    if own is None or cell.clients == IN_PROCESS:
        return None
    return own.interval.times_slower_than(outcomes[cell].interval)


def _has_target(operation: str, clients: int) -> bool:
    return operation != PING and clients != IN_PROCESS


def _by_size(
    title: str, outcomes: Outcomes, sizes: Sequence[int], show: Callable[[Outcome], str]
) -> Iterator[str]:
    columns = ["clients", *(f"{size:,} documents" for size in sizes)]
    yield from titled(title, "operation", columns)
    for operation, clients in _rows(sizes):
        shown = [show(outcomes[Cell(operation, clients, size)]) for size in sizes]
        yield row(operation, [_who(clients), *shown])


def _rows(sizes: Sequence[int]) -> list[tuple[str, int]]:
    return [
        (operation, cell.clients)
        for operation, cells in all_cells(sizes).items()
        for cell in cells
        if cell.size == sizes[0]
    ]


def _who(clients: int) -> str:
    return "in process" if clients == IN_PROCESS else str(clients)
