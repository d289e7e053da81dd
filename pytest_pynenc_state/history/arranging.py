"""The search for an order of records that pynenc allows, within what clocks may differ by.

Of two records it is known which came first if one process wrote both, or if they are further
apart than two clocks. Every order that keeps to that is tried, those first that are nearest to
the stamps. What pynenc allows next depends on the last status and its owner only: what was tried
once from there, with the same records placed, is not tried again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta

from pytest_pynenc_state.history.records import Record
from pytest_pynenc_state.history.status_machine import allows

#: What the clocks of two processes may differ by: on hosts that keep the time, a few
#: milliseconds; on one host, as long as a process may be held between clock and store.
CLOCK_TOLERANCE = timedelta(milliseconds=50)

# So many looks at a process or a record take a fifth of a second. Without a bound, some dozens
# of records of several processes within the tolerance may take for ever.
_MOST_LOOKS = 200_000


class Arranging:
    """Puts *records*, given in the order of their stamps, in one that pynenc allows.

    Sets of positions are numbers with a bit for each.

    :param last: The position of the record that comes last; None if that may be any.
    """

    def __init__(self, records: Sequence[Record], last: int | None = None) -> None:
        self._records = records
        self._last = 0 if last is None else 1 << last
        self._looks = 0
        self._near: list[int] = []
        own: defaultdict[object, int] = defaultdict(int)
        tied: defaultdict[object, int] = defaultdict(int)
        end = 0
        for position, record in enumerate(records):
            while end < len(records) and records[end].at - record.at <= CLOCK_TOLERANCE:
                end += 1
            self._near.append((1 << end) - 1)
            own[record.process] |= 1 << position
            tied[record.process, record.at] |= 1 << position
        self._processes = list(own.values())
        # A process knows the order of its own records, unless its clock did not move.
        self._tied = [tied[record.process, record.at] for record in records]

    @property
    def is_given_up(self) -> bool:
        """Whether there are too many orders to try them all."""
        return self._looks > _MOST_LOOKS

    def legal(self) -> list[Record] | None:
        """All records in an order that is allowed; None if none was found."""
        order = self._longest(0, None)
        is_found = len(order) == len(self._records)
        return [self._records[position] for position in order] if is_found else None

    def arranged(self) -> list[Record]:
        """All records; where nothing is allowed to come next, it is the first by its stamp.

        In front of that is a longest beginning that is allowed, and likewise behind it.
        """
        order: list[int] = []
        placed = 0
        while len(order) < len(self._records):
            found = self._longest(placed, self._records[order[-1]] if order else None)
            found = found or [_lowest(~placed)]
            order += found
            placed |= sum(1 << position for position in found)
        return [self._records[position] for position in order]

    def _longest(self, placed: int, before: Record | None) -> list[int]:
        """The positions of as many further records as may follow *before*, in their order."""
        left = len(self._records) - placed.bit_count()
        best: list[int] = []
        taken: list[int] = []
        tried = set()
        levels = [self._next_ones(placed, before)]
        while levels and len(taken) < left and not self.is_given_up:
            position = next(levels[-1], None)
            if position is None:
                best = max(best, taken.copy(), key=len)
                levels.pop()
                placed ^= 1 << taken.pop() if taken else 0
                continue
            record = self._records[position]
            state = (placed | 1 << position, record.status, record.owner)
            if state in tried:
                continue
            tried.add(state)
            taken.append(position)
            placed = state[0]
            levels.append(self._next_ones(placed, record))
        return max(best, taken, key=len)

    def _next_ones(self, placed: int, before: Record | None) -> Iterator[int]:
        """The positions that may come next for all that is known, and are allowed to."""
        self._looks += len(self._processes)
        open_ones = 0
        for own in self._processes:
            if left := own & ~placed:
                open_ones |= left & self._tied[_lowest(left)]
        open_ones &= self._near[_lowest(~placed)] if open_ones else 0
        if placed.bit_count() + 1 < len(self._records):
            open_ones &= ~self._last
        seen = set()
        while open_ones:
            position = _lowest(open_ones)
            open_ones ^= 1 << position
            self._looks += 1
            record = self._records[position]
            # Two that are alike need not change places.
            alike = (record.mover, record.status, record.owner)
            if alike not in seen and allows(before, record):
                seen.add(alike)
                yield position


def _lowest(positions: int) -> int:
    return (positions & -positions).bit_length() - 1
