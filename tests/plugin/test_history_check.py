"""After a test its histories are judged, and if it fails they are shown."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

Run = Callable[..., pytest.RunResult]

HEADING = "*- pynenc histories -*"
LINE = "office.add(first=1, second=2): registered* > pending +* ThreadRunner * > success +*"
NEXT_LINE = LINE.replace("first=1, second=2", "first=2, second=3")
BROKEN = "*an exception is stored*"


@pytest.fixture
def run(pytester: pytest.Pytester, copy_inner: Callable[..., None]) -> Run:
    """Run one test of the inner program, on SQLite."""
    copy_inner("office.py", "test_judged.py")
    pytester.makeini("[pytest]\npythonpath = .\naddopts = --strict-markers")

    def run_test(name: str, *arguments: str) -> pytest.RunResult:
        return pytester.runpytest_inprocess(
            f"test_judged.py::{name}", "--pynenc-backend=sqlite", *arguments
        )

    return run_test


def test_a_test_that_leaves_good_histories_passes_and_shows_none(run: Run) -> None:
    result = run("test_all_is_well")

    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*registered*")


def test_unfinished_invocations_are_no_violation(run: Run) -> None:
    run("test_something_is_left_unfinished").assert_outcomes(passed=1)


def test_a_broken_rule_fails_the_test_in_its_teardown(run: Run) -> None:
    """It says which rule, shows the history, and how to allow it."""
    result = run("test_a_rule_is_broken")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "* of app 'office' checked: 1 violation, 0 undecided",
            BROKEN,
            "- * @pytest.mark.pynenc_no_history_check",
            "- * --pynenc-check-history off",
            HEADING,
            LINE,
        ]
    )


def test_a_marker_allows_a_test_to_break_rules(run: Run) -> None:
    run("test_a_rule_is_broken_on_purpose").assert_outcomes(passed=1)


@pytest.mark.parametrize("source", ["option", "ini", "variable"])
def test_the_check_can_be_switched_off(
    run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    options = ["--pynenc-check-history=off"] if source == "option" else []
    if source == "ini":
        pytester.makeini("[pytest]\npythonpath = .\npynenc_check_history = off")
    if source == "variable":
        monkeypatch.setenv("PYTEST_PYNENC_CHECK_HISTORY", "off")

    run("test_a_rule_is_broken", *options).assert_outcomes(passed=1)


def test_a_test_that_has_failed_is_not_failed_again(run: Run) -> None:
    """What broke is shown beside its histories."""
    result = run("test_a_rule_is_broken_and_the_test_fails")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*for another reason*", HEADING, BROKEN, LINE])


def test_a_failed_test_shows_a_line_for_each_invocation(run: Run) -> None:
    result = run("test_it_fails")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([HEADING, LINE, NEXT_LINE])


def test_a_failed_test_without_any_invocation_shows_none(run: Run) -> None:
    result = run("test_the_app_is_not_used")

    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*pynenc histories*")


def test_a_store_that_cannot_be_read_does_not_hide_the_failure(run: Run) -> None:
    result = run("test_the_store_is_broken")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*first of all*", HEADING, "the histories cannot be read: OSError('disk on fire')"]
    )


def test_a_test_whose_teardown_fails_shows_its_histories(run: Run) -> None:
    result = run("test_its_teardown_fails")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*too late*", HEADING, LINE])


@pytest.mark.parametrize("distribution", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_the_histories_of_a_failed_test_are_in_the_junit_file(
    run: Run, pytester: pytest.Pytester, distribution: tuple[str, ...]
) -> None:
    result = run("test_it_fails", "--junitxml=report.xml", *distribution)

    result.stdout.fnmatch_lines([HEADING, LINE])
    report = ET.parse(pytester.path / "report.xml")  # noqa: S314 - pytest wrote it
    texts = {each.get("name"): each.get("value") for each in report.iter("property")}
    assert (texts["pynenc_histories"] or "").count("office.add(") == 2
