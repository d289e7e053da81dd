"""Histories as values: what they tell of themselves, and that they never change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.history.builders import RUNNER, STEP_S, history, record

ONCE = ("registered", "pending", "running", "success")


@pytest.mark.parametrize(
    "name", ["invocation_id", "task", "arguments", "records", "order_unknown", "statuses"]
)
def test_nothing_of_a_history_can_be_set(name: str) -> None:
    told = history(*ONCE)
    before = getattr(told, name)

    with pytest.raises(AttributeError, match=name):
        setattr(told, name, ())
    with pytest.raises(AttributeError, match=name):
        delattr(told, name)
    assert getattr(told, name) == before


def test_what_a_history_was_made_of_or_gives_away_does_not_change_it() -> None:
    """Nor can a record be exchanged."""
    made_of: dict[str, str] = {"cents": "1350"}
    told: Any = history(*ONCE, arguments=made_of)

    made_of["cents"] = told.arguments["cents"] = "1"

    assert told.arguments == {"cents": "1350"}
    with pytest.raises(TypeError):
        told[0] = told[1]


def test_a_duration_is_the_time_to_the_next_record_and_the_last_has_none() -> None:
    """Also between two clocks of which the second is behind."""
    assert history(*ONCE).durations == (STEP_S, STEP_S, STEP_S, None)
    assert history("registered").durations == (None,)
    assert history().durations == ()
    behind = history("registered", record("pending", -0.5, RUNNER))
    assert behind.durations == (timedelta(seconds=-0.5).total_seconds(), None)


def test_histories_are_equal_if_all_their_records_are() -> None:
    """Of one and the same invocation."""
    assert history(*ONCE) == history(*ONCE)
    assert hash(history(*ONCE)) == hash(history(*ONCE))
    assert history(*ONCE) != history(*ONCE[:3])
    assert history(*ONCE) != history(*ONCE, invocation_id="charge-2")


def test_a_part_of_a_history_is_a_tuple_of_records() -> None:
    told = history(*ONCE)

    assert (told[-1].status, told[1:3]) == ("success", tuple(told)[1:3])
