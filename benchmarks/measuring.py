"""Timing contenders in turns, so that the noise of a shared machine hits all alike."""

from __future__ import annotations

import gc
import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import Any

from benchmarks.result import number


@dataclass(frozen=True)
class Slice:
    """A few calls of one contender that are timed together.

    :param call: What is called.
    :param arguments: The arguments of each call, made before the clock starts.
    :param units: How many units of work they are; by default one a call.
    """

    call: Callable[..., object]
    arguments: Sequence[tuple[Any, ...]]
    units: int | None = None

    def time_us(self) -> float:
        """Make all calls; return microseconds per unit.

        The garbage of these calls, and no other, is collected inside that time: some
        contenders leave connections to the garbage collector, which is no cheap way to
        close them.
        """
        call, units = self.call, self.units or len(self.arguments)
        gc.collect(0)
        gc.disable()
        try:
            started_ns = perf_counter_ns()
            for arguments in self.arguments:
                call(*arguments)
            gc.collect(0)
            elapsed_ns = perf_counter_ns() - started_ns
        finally:
            gc.enable()
        return elapsed_ns / 1000 / units


@dataclass
class Series:
    """The times of one contender in microseconds, one of each round."""

    times_us: list[float] = field(default_factory=list)

    @property
    def median_us(self) -> float:
        """The time that half of the rounds were faster than."""
        return statistics.median(self.times_us)

    @property
    def spread_us(self) -> float:
        """The interquartile range."""
        if len(self.times_us) < 2:
            return 0.0
        first, _, third = statistics.quantiles(self.times_us, n=4)
        return third - first

    def __str__(self) -> str:
        return f"{number(self.median_us)} ({number(self.spread_us)})"

    def summary(self) -> dict[str, float]:
        """The numbers for a file."""
        return {"median_us": self.median_us, "spread_us": self.spread_us}

    def times_slower_than(self, other: Series) -> float:
        """The median, over all rounds, of this time divided by the other's of that round."""
        pairs = zip(self.times_us, other.times_us, strict=True)
        return statistics.median(mine / theirs for mine, theirs in pairs)


def measured_in_turns(
    next_slices: Mapping[str, Callable[[], Slice]], rounds: int
) -> dict[str, Series]:
    """Time one slice of each contender in each round, after one that does not count.

    :param next_slices: By contender, what makes its next slice.

    Their order is another one in each round: who follows a slow contender finds colder
    caches, and who follows one that uses the same code finds warmer ones.
    """
    series = {name: Series() for name in next_slices}
    order = list(next_slices)
    chance = random.Random(rounds)
    for turn in range(rounds + 1):
        chance.shuffle(order)
        for name in order:
            time_us = next_slices[name]().time_us()
            if turn:
                series[name].times_us.append(time_us)
        gc.collect()
    return series
