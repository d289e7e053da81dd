"""Stretches of time that must not overlap, and those that do.

The windows are visited by their start, as in a plane sweep, and compared with the one that ends
last of those before: if a window overlaps any earlier one, it overlaps that. One such window is
kept for each clock, so the time is that of sorting: n log n for n windows of a few hosts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from pytest_pynenc_state.history.arranging import CLOCK_TOLERANCE

Holder = TypeVar("Holder")


@dataclass(frozen=True, slots=True)
class Window(Generic[Holder]):
    """What *holder* holds from *start* to, but not including, *end*.

    :ivar host: Whose clock both instants are of; None if not known, or of two clocks.
    :ivar is_end_known: Whether *end* is when it really ended.
    :ivar position: Where in the holder's history it begins, if that has one.
    """

    holder: Holder
    start: datetime
    end: datetime
    host: str | None = None
    is_end_known: bool = True
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Overlap(Generic[Holder]):
    """A window that begins before an earlier one has ended.

    :ivar is_sure: False if the clocks of two hosts, or an end that is not known, may mislead.
    """

    earlier: Window[Holder]
    later: Window[Holder]
    is_sure: bool


def overlaps(windows: Iterable[Window[Holder]]) -> Iterator[Overlap[Holder]]:
    """The windows that overlap earlier ones, each once, by their start.

    Windows of one and the same holder may overlap; those that only touch do not.
    """
    latest: dict[tuple[str | None, bool], Window[Holder]] = {}
    for later in sorted(windows, key=lambda window: (window.start, window.end)):
        found = [
            Overlap(earlier, later, _is_sure(earlier, later))
            for earlier in latest.values()
            if earlier.end > later.start
            and later.end > earlier.start
            and earlier.holder is not later.holder
        ]
        if found:
            yield max(found, key=lambda each: (each.is_sure, each.earlier.end))
        clock = (later.host, later.is_end_known)
        if clock not in latest or latest[clock].end < later.end:
            latest[clock] = later


def _is_sure(earlier: Window[Holder], later: Window[Holder]) -> bool:
    if not earlier.is_end_known:
        return False
    if earlier.host is not None and earlier.host == later.host:
        return True
    # By so much a clock would have to be wrong for them to lie one after the other.
    return min(earlier.end - later.start, later.end - earlier.start) > CLOCK_TOLERANCE
