"""Instants as integers of microseconds since 1970 UTC, which no store rounds.

A float loses microseconds after 2**53 / 10**6 seconds of mantissa are shared with
arithmetic, and a BSON date keeps milliseconds only.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

# A hundred thousand years, which any store can count.
_LONGEST_US = 2**62


def to_us(moment: datetime) -> int:
    """Microseconds of *moment*; a naive one is read as UTC, as pynenc's own JSON form is."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // MICROSECOND


def from_us(timestamp_us: int) -> datetime:
    """The aware UTC instant that `to_us` turned into *timestamp_us*."""
    return EPOCH + timestamp_us * MICROSECOND


def now_us() -> int:
    """The wall clock, in microseconds."""
    return to_us(datetime.now(UTC))


def span_us(seconds: float) -> int:
    """The microseconds of *seconds*; of a hundred thousand years if it is more, or infinity."""
    return round(min(seconds * 1_000_000, _LONGEST_US))


def us_ago(seconds: float) -> int:
    """The wall clock of *seconds* ago, in microseconds; infinity is allowed."""
    return now_us() - span_us(seconds)
