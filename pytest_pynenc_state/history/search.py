"""The search for an order in which a correct store could have answered as it did.

Wing and Gong, "Testing and verifying concurrent objects" (1993): try each operation that no other
one wholly precedes, and step back when none is possible; with the memory of Lowe, "Testing for
linearizability" (2017): what was tried once from one state, after one set of operations, is not
tried again. Intervals are closed: an operation precedes another one only if it ended before the
other one began; those that touch may come in either order.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pytest_pynenc_state.history.operations import Operation
from pytest_pynenc_state.history.verdict import Outcome

State = TypeVar("State", bound=Hashable)
Step = Callable[[State, Operation], State | None]

# The clock is asked, and the memory reckoned, once in so many steps.
_STEPS = 512

# So much may be remembered; a set of operations is a number with a bit for each.
_MOST_BYTES = 400_000_000
_BYTES_OF_AN_ENTRY = 220


@dataclass(frozen=True)
class Found:
    """What a search has come to.

    :ivar order: A longest consistent beginning: positions of operations, in their order; all that
        ended, if the outcome is ok.
    :ivar stuck: The position of the operation that nothing allows after it; None unless violated.
    """

    outcome: Outcome
    order: tuple[int, ...]
    stuck: int | None = None


def search(
    operations: Sequence[Operation], initial: State, step: Step[State], deadline_s: float
) -> Found:
    """Look for an order of *operations*, which are all about one thing.

    :param step: The state after an operation; None if a correct store could not have answered so.
    :param deadline_s: Until when to look, by `time.monotonic`.
    """
    events = _Events(operations)
    most_remembered = _MOST_BYTES // (_BYTES_OF_AN_ENTRY + len(operations) // 7)
    state, done, waiting = initial, 0, events.ended
    tried: set[tuple[int, State]] = set()
    taken: list[tuple[int, State]] = []
    best: tuple[int, ...] = ()
    stuck: int | None = None
    event, steps = events.first(), 0
    while waiting:
        steps += 1
        if steps % _STEPS == 0 and (time.monotonic() > deadline_s or len(tried) > most_remembered):
            return Found(Outcome.UNDECIDED, best)
        if events.is_call(event):
            following = step(state, operations[event])
            after = done | (1 << event)
            if following is not None and (after, following) not in tried:
                tried.add((after, following))
                taken.append((event, state))
                state, done = following, after
                waiting -= events.take(event)
                event = events.first()
            else:
                event = events.next(event)
            continue
        # Somebody got this answer before anything that is left was asked: step back.
        if stuck is None or len(taken) > len(best):
            best = tuple(position for position, _ in taken)
            stuck = events.operation(event)
        if not taken:
            return Found(Outcome.VIOLATED, best, stuck)
        event, state = taken.pop()
        done ^= 1 << event
        waiting += events.put_back(event)
        event = events.next(event)
    return Found(Outcome.OK, tuple(position for position, _ in taken))


class _Events:
    """Calls and returns in the order of time, as a list from which operations can be taken.

    The call of the operation at position i is event i, its return event n + i.
    """

    def __init__(self, operations: Sequence[Operation]) -> None:
        count = self._count = len(operations)
        self.ended = sum(each.end_ns is not None for each in operations)
        # At one instant calls come first, because intervals are closed.
        moments = [(each.start_ns, False, i) for i, each in enumerate(operations)]
        moments += [
            (each.end_ns, True, count + i)
            for i, each in enumerate(operations)
            if each.end_ns is not None
        ]
        order = [event for _, _, event in sorted(moments)]
        self._head, self._end = 2 * count, 2 * count + 1
        self._next = [0] * (2 * count + 2)
        self._former = [0] * (2 * count + 2)
        self._has_return = [each.end_ns is not None for each in operations]
        for before, after in zip([self._head, *order], [*order, self._end], strict=True):
            self._next[before], self._former[after] = after, before

    def first(self) -> int:
        """The earliest event that is left."""
        return self._next[self._head]

    def next(self, event: int) -> int:
        """The one after it."""
        return self._next[event]

    def is_call(self, event: int) -> bool:
        """Whether it is a call: neither a return nor the end of the list."""
        return event < self._count

    def operation(self, event: int) -> int | None:
        """The position of the operation that a return belongs to; None for the end."""
        return event - self._count if event < self._head else None

    def take(self, position: int) -> int:
        """Take an operation out; return how many returns that was, 1 or 0."""
        self._unlink(position)
        if not self._has_return[position]:
            return 0
        self._unlink(self._count + position)
        return 1

    def put_back(self, position: int) -> int:
        """Undo the last `take` that was not undone."""
        has_return = self._has_return[position]
        if has_return:
            self._link(self._count + position)
        self._link(position)
        return int(has_return)

    def _unlink(self, event: int) -> None:
        before, after = self._former[event], self._next[event]
        self._next[before], self._former[after] = after, before

    def _link(self, event: int) -> None:
        self._next[self._former[event]] = event
        self._former[self._next[event]] = event
