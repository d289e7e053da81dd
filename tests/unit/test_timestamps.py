"""Instants survive the store to the microsecond, whatever offset they were written in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pytest_pynenc_state.backends.timestamps import from_us, to_us

KOLKATA = timezone(timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2026, 11, 21, 1, 2, 3, 4, tzinfo=UTC),
        # A float of seconds loses the last digit of this one.
        datetime(2106, 2, 7, 6, 28, 15, 999_999, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ],
)
def test_an_instant_comes_back_to_the_microsecond(moment: datetime) -> None:
    """No float is involved."""
    assert from_us(to_us(moment)) == moment


def test_the_same_instant_in_another_offset_is_the_same_number() -> None:
    """Ranges match rows that were written in another time zone."""
    moment = datetime(2026, 11, 21, 12, 0, 0, 1, tzinfo=UTC)

    assert to_us(moment.astimezone(KOLKATA)) == to_us(moment)


def test_a_naive_instant_is_read_as_utc() -> None:
    """Never as local time, which would differ between machines."""
    naive = datetime(2026, 11, 21, 12)  # noqa: DTZ001 - naive is the point

    assert from_us(to_us(naive)) == naive.replace(tzinfo=UTC)
