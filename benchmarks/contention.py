"""Status transitions by several processes that share one file."""

from __future__ import annotations

import itertools
import multiprocessing
import sqlite3
import statistics
import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from pynenc.app import Pynenc

from benchmarks import contenders
from benchmarks.contenders import PYNENC_SQLITE, SQLITE
from benchmarks.result import Result, Settings, Table, Target, number
from benchmarks.workload import CYCLE, RUNNER_ID, Workload
from pytest_pynenc_state.errors import BackendError

#: Takes its turn without any store: what it waits for is the machine, and so do the others.
NO_STORE = "no store"

_PROCESSES = (1, 2, 4, 8)
# The targets are for so many.
_JUDGED = 4
_WANTED_FACTOR = 10.0
_WANTED_WORST_MS = 50.0

_TURNS = 5
_TURN_S = 1.0
_QUICK_TURN_S = 0.05
_IDS_PER_PROCESS = 20
# Some seconds for processes to start; they also wait for each other after each turn.
_PATIENCE_S = 120.0


@dataclass(frozen=True)
class Seat:
    """What one process needs to take part with one contender."""

    config_values: Mapping[str, Any]
    ids: Sequence[str]


@dataclass(frozen=True)
class Schedule:
    """Which contender all processes use in which turn, and how long a turn is."""

    turns: tuple[str, ...]
    turn_s: float


@dataclass(frozen=True)
class Outcome:
    """How long each transition of one process took, of all that it made in some seconds."""

    times_ns: array[int]
    failures: int
    seconds: float


@dataclass(frozen=True)
class Crowd:
    """What the transitions of one contender took while others contended, over all turns.

    :param counts: How many each process made.
    """

    times_ms: list[float]
    counts: list[int]
    failures: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Transitions of all processes together in one second."""
        return len(self.times_ms) / self.seconds

    def percentile_ms(self, percent: int) -> float:
        """The time that *percent* of the transitions did not exceed."""
        return statistics.quantiles(self.times_ms, n=100, method="inclusive")[percent - 1]

    @property
    def worst_ms(self) -> float:
        """The time of the slowest transition."""
        return max(self.times_ms)

    @property
    def fairness(self) -> float:
        """What the process with the fewest transitions made, by what that with most did."""
        return min(self.counts) / max(self.counts)

    def summary(self) -> dict[str, float]:
        """The numbers for a file."""
        return {
            "per_second": self.per_second,
            "p50_ms": self.percentile_ms(50),
            "p99_ms": self.percentile_ms(99),
            "worst_ms": self.worst_ms,
            "fairness": self.fairness,
            "failures": self.failures,
        }


def measure(settings: Settings) -> Result:
    """Let 1, 2, 4 and 8 processes contend."""
    names = [each for each in settings.names if each in (SQLITE, PYNENC_SQLITE)]
    turns, turn_s = settings.either((_TURNS, _TURN_S), (1, _QUICK_TURN_S))
    crowds = {
        processes: contended(names, processes, settings.directory, turns, turn_s)
        for processes in _PROCESSES
    }
    rows = [
        (f"{name}, {processes}", *_cells(crowd))
        for name in (*names, NO_STORE)
        for processes, found in crowds.items()
        for crowd in [found[name]]
    ]
    columns = ("processes", "a second", "p50 ms", "p99 ms", "worst ms", "fairness", "failures")
    title = "Status transitions by several processes on one file (fairness: fewest by most)"
    data = {
        str(processes): {name: crowd.summary() for name, crowd in found.items()}
        for processes, found in crowds.items()
    }
    return Result([Table(title, columns, rows)], list(_targets(crowds[_JUDGED])), data)


def _cells(crowd: Crowd) -> tuple[str, ...]:
    times_ms = (crowd.percentile_ms(50), crowd.percentile_ms(99), crowd.worst_ms)
    shown = [number(each) for each in (crowd.per_second, *times_ms, crowd.fairness)]
    return (*shown, str(crowd.failures))


def _targets(crowds: Mapping[str, Crowd]) -> Iterator[Target]:
    work = f"sqlite, transitions by {_JUDGED} processes"
    if {SQLITE, PYNENC_SQLITE} <= crowds.keys():
        factor = crowds[SQLITE].per_second / crowds[PYNENC_SQLITE].per_second
        wanted, met = f"at least {_WANTED_FACTOR:g} times pynenc's", factor >= _WANTED_FACTOR
        yield Target(work, wanted, f"{factor:.1f} times", met)
    if SQLITE in crowds:
        worst_ms = crowds[SQLITE].worst_ms
        measured = (
            f"{worst_ms:.0f} ms (p99 {crowds[SQLITE].percentile_ms(99):.2f} ms; without any "
            f"store, this machine delayed up to {crowds[NO_STORE].worst_ms:.0f} ms)"
        )
        met = worst_ms < _WANTED_WORST_MS
        yield Target(f"{work}, worst case", f"below {_WANTED_WORST_MS:g} ms", measured, met)


def contended(
    names: Sequence[str], processes: int, directory: Path, rounds: int, turn_s: float
) -> dict[str, Crowd]:
    """Let the same processes work on each contender in turns."""
    schedule = Schedule((*names, NO_STORE) * rounds, turn_s)
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        apps = {name: stack.enter_context(contenders.opened(name, directory)) for name in names}
        seats = {name: _seats(app, processes) for name, app in apps.items()}
        barrier = context.Barrier(processes)
        tasks = [
            (schedule, {name: seats[name][number] for name in names}) for number in range(processes)
        ]
        pool = stack.enter_context(context.Pool(processes, _keep_barrier, (barrier,)))
        # One task for each process: each waits for the others at the barrier.
        outcomes = pool.starmap(_take_part, tasks, chunksize=1)
    return {name: _crowd([outcome[name] for outcome in outcomes]) for name in (*names, NO_STORE)}


def _seats(app: Pynenc, processes: int) -> list[Seat]:
    workload = Workload(app)
    workload.seed(_IDS_PER_PROCESS * processes)
    values = dict(app.config_values or {})
    return [Seat(values, workload.ids[number::processes]) for number in range(processes)]


def _crowd(outcomes: Sequence[Outcome]) -> Crowd:
    return Crowd(
        [time_ns / 1e6 for each in outcomes for time_ns in each.times_ns],
        [len(each.times_ns) for each in outcomes],
        sum(each.failures for each in outcomes),
        max(each.seconds for each in outcomes),
    )


_barriers: list[Barrier] = []


def _keep_barrier(barrier: Barrier) -> None:
    # A barrier can be inherited, but not sent as an argument of a task.
    _barriers.append(barrier)


def _take_part(schedule: Schedule, seats: Mapping[str, Seat]) -> dict[str, Outcome]:
    contenders.import_classes()
    movers: dict[str, _Idler] = {name: _Mover(seat) for name, seat in seats.items()}
    movers[NO_STORE] = _Idler()
    for name in schedule.turns:
        _barriers[0].wait(_PATIENCE_S)
        movers[name].work(schedule.turn_s)
    return {
        name: Outcome(each.times_ns, each.failures, each.seconds) for name, each in movers.items()
    }


class _Idler:
    """Computes for about as long as a move takes, over and over."""

    def __init__(self) -> None:
        self.times_ns = array("q")
        self.failures = 0
        self.seconds = 0.0

    def work(self, seconds: float) -> None:
        """Compute for *seconds*."""
        begun_ns = started_ns = now_ns = time.perf_counter_ns()
        while now_ns < begun_ns + int(seconds * 1e9):
            is_done = self.act()
            now_ns = time.perf_counter_ns()
            # One that is tried again takes the time of all attempts.
            if is_done:
                self.times_ns.append(now_ns - started_ns)
                started_ns = now_ns
        self.seconds += (now_ns - begun_ns) / 1e9

    def act(self) -> bool:
        """Do what is timed; whether it was done."""
        return sum(range(1_000)) > 0


class _Mover(_Idler):
    """Moves its own invocations through their statuses, over and over."""

    def __init__(self, seat: Seat) -> None:
        super().__init__()
        app = Pynenc(config_values=dict(seat.config_values))
        self._move: Any = app.orchestrator._atomic_status_transition
        contenders.leave_pynenc_alone()
        moves = [(each, status) for each in seat.ids for status in CYCLE]
        self._moves = itertools.cycle(moves)
        self._next = next(self._moves)

    def act(self) -> bool:
        """Make the next move; if it fails it is tried again, until it succeeds."""
        try:
            self._move(*self._next, RUNNER_ID)
        except (sqlite3.Error, BackendError):
            self.failures += 1
            return False
        self._next = next(self._moves)
        return True
