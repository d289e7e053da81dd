"""Where the names of broken rules stand: none over another, and none outside of the drawing."""

from __future__ import annotations

from itertools import combinations

from pytest_pynenc_state.history.picture import Mark, Picture
from pytest_pynenc_state.report.labels import Label, placed_labels
from tests.report.pictures import made


def broken(*places: tuple[int, int, str]) -> Picture:
    """A picture of which rules are broken: by which invocation, at which of its records."""
    picture = made(8)
    picture["marks"] = [
        Mark(invocation_id=str(number), step=step, rule=rule, message="so")
        for number, step, rule in places
    ]
    return picture


def placed(picture: Picture) -> list[Label]:
    lasts_s = picture["lasts_s"]
    return placed_labels(picture, lambda seconds: 100 * seconds / lasts_s)


def test_labels_of_one_instant_stand_below_each_other() -> None:
    """Each can be read."""
    labels = placed(broken((0, 1, "one"), (0, 1, "other"), (1, 0, "third"), (7, 3, "last")))

    for one, other in combinations(labels, 2):
        is_apart = one.reaches[1] <= other.reaches[0] or other.reaches[1] <= one.reaches[0]
        assert is_apart or one.row != other.row
    assert {label.row for label in labels} == {0, 1, 2}


def test_a_label_stays_in_the_drawing() -> None:
    """What breaks a rule is often the last record."""
    (label,) = placed(broken((7, 3, "a-rule-with-a-long-name")))

    assert label.percent == 100
    assert 0 <= label.reaches[0] < label.reaches[1] <= 100


def test_one_rule_is_named_once_where_it_is_broken_often() -> None:
    """A hundred rows of the same words would leave no room for the lanes."""
    labels = placed(broken(*((number, 0, "one-owner") for number in range(8))))

    assert len(labels) == 8
    assert len([label for label in labels if label.row is not None]) < 8
    assert {label.row for label in labels} <= {0, None}


def test_a_mark_of_what_is_not_drawn_has_no_label() -> None:
    """It is told in words alone."""
    assert placed(broken((99, 0, "one-owner"))) == []
