"""Records whose order two processes' clocks do not tell: whether another order would be legal."""

from __future__ import annotations

from collections.abc import Container
from itertools import permutations

from pytest_pynenc_state.history.ordering import is_legal
from pytest_pynenc_state.history.records import History

# There are 720 orders of six records, and so many ties in a row are not seen in practice.
_MOST_TRIED = 6


def may_be_legal(history: History, position: int) -> bool:
    """Whether the record at *position* is legal in another order of those that it ties with.

    A tie that no order makes legal is a violation all the same.
    """
    tied = _tied(history.order_unknown, position)
    if len(tied) == 1:
        return False
    if len(tied) > _MOST_TRIED:
        return True
    records = history.records
    before = records[tied.start - 1] if tied.start else None
    after = records[tied.stop : tied.stop + 1]
    return any(
        is_legal([*order, *after], before)
        for order in permutations(records[tied.start : tied.stop])
    )


def _tied(unknown: Container[int], position: int) -> range:
    """The positions that *position* may change places with, itself included."""
    first = last = position
    while first in unknown:
        first -= 1
    while last + 1 in unknown:
        last += 1
    return range(first, last + 1)
