"""What a newcomer sees who expects the wrong history: the example that is wrong on purpose."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

SHOP = Path(__file__).parents[2] / "examples" / "shop"


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run it as its author would, in the folder of the shop."""
    shutil.copytree(SHOP, pytester.path, dirs_exist_ok=True)
    return pytester.runpytest_subprocess(
        "tests/wrong_on_purpose.py", "--pynenc-backend=sqlite", *arguments
    )


def test_it_says_in_the_first_lines_where_the_history_left_the_path(
    pytester: pytest.Pytester,
) -> None:
    """Pytest shows eight lines of an assertion that failed, unless it is told to show all."""
    result = run(pytester)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E  *shop.payments.charge(order_number='order-1', amount_cents=1350, *) == path(*",
            "E  *the history leaves the path at the 7th record, 0.??? s after the first",
            "E  *allowed: success",
            "E  *came: * retry, owned by nobody",
            "E  *why: * pynenc allows it after running, this path does not",
            "*- pynenc histories -*",
            "shop.payments.charge(*): registered * > retry * > retry * > success *",
            "*- pynenc place -*",
            "sqlite: *.db (kept)",
        ]
    )


def test_it_shows_the_whole_timeline_with_the_place_marked_when_asked_for_more(
    pytester: pytest.Pytester,
) -> None:
    result = run(pytester, "-vv")

    result.stdout.fnmatch_lines(
        [
            "E * 6  +0.??? s  running     ThreadRunner *  pid *",
            "E * > * 7  +0.??? s  retry       nobody *  pid *",
            "E * 10  +0.??? s  success     nobody *  pid *",
        ]
    )


def test_nothing_of_it_is_coloured_where_nobody_looks(pytester: pytest.Pytester) -> None:
    """In a log of a CI, colour codes are noise."""
    assert "\x1b[" not in run(pytester).stdout.str()
