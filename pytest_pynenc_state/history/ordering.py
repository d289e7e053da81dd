"""The order of one invocation's records, as far as the clocks of several processes tell it.

Each record has the instant at which its process set the status. Within a process that is the
order. Between processes, instants that tie, or that contradict pynenc's rules by no more than
clocks may differ, mean that the order is unknown, not that the history is illegal: then the
order that the rules allow is taken, and the place is noted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from pytest_pynenc_state.history.records import Record
from pytest_pynenc_state.history.status_machine import allows

#: What the clocks of two processes may differ by: on hosts that keep the time, a few
#: milliseconds; on one host, as long as a process may be held between clock and store.
CLOCK_TOLERANCE = timedelta(milliseconds=50)


def ordered(records: Sequence[Record]) -> tuple[list[Record], tuple[int, ...]]:
    """Put *records* of one invocation, as they are in the store, in order.

    :returns: The records, and the positions of those whose order to the one in front is unknown.
    """
    remaining = sorted(records, key=lambda record: record.at)
    if is_legal(remaining):
        return remaining, _unknown(remaining)
    arranged: list[Record] = []
    while remaining:
        before = arranged[-1] if arranged else None
        chosen = next((i for i in _first_ones(remaining) if allows(before, remaining[i])), 0)
        arranged.append(remaining.pop(chosen))
    return arranged, _unknown(arranged)


def is_legal(records: Sequence[Record], before: Record | None = None) -> bool:
    """Whether pynenc allows each of *records* to follow the one in front of it.

    :param before: What is in front of the first one; None if a history begins with it.
    """
    for record in records:
        if not allows(before, record):
            return False
        before = record
    return True


def _first_ones(remaining: Sequence[Record]) -> list[int]:
    """The positions of those records which, for all that is known, may be the first one."""
    first = remaining[0]
    processes = set()
    positions = []
    for position, record in enumerate(remaining):
        if record.at - first.at > CLOCK_TOLERANCE:
            break
        # A process knows the order of its own records, unless its clock did not move.
        if record.process not in processes or record.at == first.at:
            positions.append(position)
        processes.add(record.process)
    return positions


def _unknown(records: Sequence[Record]) -> tuple[int, ...]:
    return tuple(
        position
        for position in range(1, len(records))
        if records[position].at <= records[position - 1].at
        and records[position].process != records[position - 1].process
    )
