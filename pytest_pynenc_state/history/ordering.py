"""The order of one invocation's records, as far as the clocks of several processes tell it.

Each record has the instant at which its process set the status. Within a process that is the
order. Between processes, instants that tie, or that contradict pynenc's rules by no more than
clocks may differ, mean that the order is unknown, not that the history is illegal: then an
order that the rules allow is taken, and the place is noted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pytest_pynenc_state.history.arranging import Arranging
from pytest_pynenc_state.history.records import Record
from pytest_pynenc_state.history.status_machine import allows


def ordered(
    records: Sequence[Record], is_last: Callable[[Record], bool] = lambda _: False
) -> tuple[list[Record], tuple[int, ...]]:
    """Put *records* of one invocation, as they are in the store, in order.

    :param is_last: Whether a record is known to be the last one, from elsewhere. It is, if in any
        order that the clocks leave open, and that is legal.
    :returns: The records, and the positions of those whose order to the one in front is unknown.
    """
    arranged = _by_stamp(records)
    is_good = is_legal(arranged)
    end = len(arranged) - 1
    last = next((at for at in range(end, -1, -1) if is_last(arranged[at])), None)
    if not is_good or last not in {None, end}:
        found = None if last is None else Arranging(arranged, last).legal()
        arranged = found or (arranged if is_good else Arranging(arranged).arranged())
    return arranged, _unknown(arranged)


def is_legal(records: Sequence[Record]) -> bool:
    """Whether pynenc allows each of *records* to follow the one in front of it."""
    before = None
    for record in records:
        if not allows(before, record):
            return False
        before = record
    return True


def may_be_legal(records: Sequence[Record]) -> bool:
    """Whether *records* are legal in another order, for all that clocks tell and could be tried."""
    arranging = Arranging(_by_stamp(records))
    return arranging.legal() is not None or arranging.is_given_up


def _by_stamp(records: Sequence[Record]) -> list[Record]:
    return sorted(records, key=lambda record: record.at)


def _unknown(records: Sequence[Record]) -> tuple[int, ...]:
    return tuple(
        position
        for position in range(1, len(records))
        if records[position].at <= records[position - 1].at
        and records[position].process != records[position - 1].process
    )
