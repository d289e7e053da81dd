"""Whether a history takes a path, and if not, the first record that no way through it takes.

Ken Thompson, "Regular Expression Search Algorithm", Communications of the ACM 11(6), 1968: a
path becomes an automaton of states, each of which takes one record or splits into several ways.
All ways are followed at once, record by record. There is nothing to go back to, so that the time
is at most the number of records times the number of states, whatever the path.

The sets of states come back again and again in long histories. They are remembered, with what
led from one to the next, as in the same author's grep: then a record costs no more than a few
questions about it. See Russ Cox, "Regular Expression Matching Can Be Simple And Fast", 2007.

One thing is added. A `...` stands for steps that pynenc allows, from the record in front of it
to the record behind it. So the record that a way takes right behind a `...` must be a legal step
too: such a way is *guarded*.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import compress

from pytest_pynenc_state.history.records import Record
from pytest_pynenc_state.history.status_machine import objection
from pytest_pynenc_state.history.steps import Refusal, Step


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """A state that takes the record of a step."""

    step: Step
    then: State


@dataclass(frozen=True, slots=True, eq=False)
class TakeLegal:
    """A state that takes any number of legal steps: a ``...``."""

    then: State


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A state that takes nothing and goes on in several ways."""

    ways: list[State] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class End:
    """The state behind the last record."""


State = Take | TakeLegal | Split | End


@dataclass(frozen=True, slots=True)
class Expected:
    """One thing that a path allows at some place.

    :ivar step: The record; None is any legal one.
    :ivar is_guarded: Whether it has to be a legal step.
    """

    step: Step | None
    is_guarded: bool

    def refusal(self, before: Record | None, record: Record) -> Refusal | None:
        """What of *record* is not as expected; None if all is."""
        refusal = self.step.refusal(before, record) if self.step else None
        if refusal is None and self.is_guarded and objection(before, record):
            return Refusal.RULES
        return refusal


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where a history leaves a path.

    :ivar position: The first record that no way takes; the number of records if all are taken,
        and the path goes on.
    :ivar expected: What the path allows there, in the path's order.
    :ivar may_end: Whether it may end there, before the record.
    """

    position: int
    expected: tuple[Expected, ...]
    may_end: bool


@dataclass(frozen=True, slots=True)
class Situation:
    """All states that some records lead to.

    :ivar ways: What may come next, in the path's order, and the states that it leads to.
    :ivar may_end: Whether the path may end here.
    :ivar following: The situations that were reached from here, by which of *ways* were taken.
    """

    ways: dict[Expected, list[State]]
    may_end: bool
    following: dict[tuple[bool, ...], Situation] = field(default_factory=dict)


def first_mismatch(start: State, records: Sequence[Record]) -> Mismatch | None:
    """Follow all ways from *start* over *records*; None if one of them ends with the last one."""
    known: dict[frozenset[State], Situation] = {}
    here = _situation([start])
    before: Record | None = None
    for position, record in enumerate(records):
        taken = tuple([not expected.refusal(before, record) for expected in here.ways])
        if True not in taken:
            return Mismatch(position, tuple(here.ways), here.may_end)
        if taken not in here.following:
            arrived = [state for ways in compress(here.ways.values(), taken) for state in ways]
            key = frozenset(arrived)
            if key not in known:
                known[key] = _situation(arrived)
            here.following[taken] = known[key]
        here = here.following[taken]
        before = record
    if here.may_end:
        return None
    return Mismatch(len(records), tuple(here.ways), may_end=False)


def _situation(entries: Iterable[State]) -> Situation:
    """The situation to which *entries* lead without taking a record."""
    ways: dict[Expected, list[State]] = {}
    may_end = False
    seen = set()
    waiting = [(state, False) for state in entries][::-1]
    while waiting:
        entry = state, is_guarded = waiting.pop()
        if entry in seen:
            continue
        seen.add(entry)
        if isinstance(state, Split):
            waiting += [(way, is_guarded) for way in reversed(state.ways)]
        elif isinstance(state, Take):
            ways.setdefault(Expected(state.step, is_guarded), []).append(state.then)
        elif isinstance(state, TakeLegal):
            ways.setdefault(Expected(None, is_guarded=True), []).append(state)
            waiting.append((state.then, True))
        else:
            may_end = True
    return Situation(ways, may_end)
