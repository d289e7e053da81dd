"""`Race`: what became of several calls that were made at one instant."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

from pytest_pynenc_state.processes.calling import Done

# So many characters of what a racer returned are shown.
_SHOWN = 100

_NOTHING_OVERLAPPED = "no two calls overlapped, so this race proves nothing"


@dataclass(frozen=True, repr=False)
class Outcome:
    """What became of one racer.

    :param index: Which racer, from 0.
    :param value: What the function returned; None if it raised.
    :param error: What it raised, in another process with a note that has its traceback there.
    :param started_ns: When it was called, by `time.monotonic_ns`, one clock for all racers.
    :param ended_ns: When it returned or raised.
    """

    index: int
    pid: int
    value: Any
    error: BaseException | None
    started_ns: int
    ended_ns: int

    @classmethod
    def of(cls, index: int, pid: int, call: Done) -> Outcome:
        """What became of the call that racer *index* made."""
        return cls(index, pid, call.value, call.error, call.started_ns, call.ended_ns)

    def __repr__(self) -> str:
        return f"<racer {self.index}: {self._what}>"

    @property
    def _what(self) -> str:
        if self.error is None:
            text = repr(self.value)
            return f"returned {text if len(text) <= _SHOWN else f'{text[:_SHOWN]}...'}"
        first_line, _, _ = str(self.error).partition("\n")
        return f"raised {type(self.error).__name__}: {first_line}".rstrip(": ")

    def overlaps(self, other: Outcome) -> bool:
        """Whether there was an instant at which both calls were being made."""
        return self.started_ns < other.ended_ns and other.started_ns < self.ended_ns

    def line(self, first_ns: int) -> str:
        """One line, with times that count from the instant *first_ns*."""
        started_us, ended_us = (
            f"{(instant_ns - first_ns) / 1000:,.1f}"
            for instant_ns in (self.started_ns, self.ended_ns)
        )
        return (
            f"{self.index:>3}  pid {self.pid}  {started_us:>10} to {ended_us:>10} us  {self._what}"
        )


@dataclass(frozen=True, repr=False)
class Race:
    """What became of all racers. ``str(race)`` has a line for each of them.

    :param number: Which race of its test, from 0.
    :param seed: What the pauses before the calls were drawn from, with *number*.
    :param outcomes: Those of all racers, in the order of their indexes.
    """

    number: int
    seed: int
    outcomes: tuple[Outcome, ...]

    def __repr__(self) -> str:
        return (
            f"<Race of {len(self.outcomes)}: {len(self.winners)} returned, "
            f"{len(self.errors)} raised, {self.overlapping} of {self._pairs} pairs overlapped>"
        )

    def __str__(self) -> str:
        first_ns = min(outcome.started_ns for outcome in self.outcomes)
        lines = [f"race {self.number}, seed {self.seed}: {self!r}"]
        lines += [outcome.line(first_ns) for outcome in self.outcomes]
        if not self.overlapping:
            lines.append(_NOTHING_OVERLAPPED)
        return "\n".join(lines)

    @cached_property
    def winners(self) -> tuple[Outcome, ...]:
        """Those whose call returned, whatever it returned: those that did not raise."""
        return tuple(outcome for outcome in self.outcomes if outcome.error is None)

    @cached_property
    def values(self) -> tuple[Any, ...]:
        """What the winners returned."""
        return tuple(outcome.value for outcome in self.winners)

    @cached_property
    def errors(self) -> tuple[BaseException, ...]:
        """What all others raised."""
        return tuple(outcome.error for outcome in self.outcomes if outcome.error is not None)

    @cached_property
    def overlapping(self) -> int:
        """How many pairs of calls overlapped in time: without any, nothing was raced."""
        return sum(one.overlaps(other) for one, other in combinations(self.outcomes, 2))

    @property
    def _pairs(self) -> int:
        count = len(self.outcomes)
        return count * (count - 1) // 2
