"""A test that is run again, as pytest-rerunfailures does: each attempt is a test of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

PlacesLeft = Callable[[], list[str]]

AGAIN = """
    from _pytest.runner import runtestprotocol

    def pytest_runtest_protocol(item, nextitem):
        hook = item.ihook.pytest_runtest_logreport
        for report in runtestprotocol(item, log=False, nextitem=nextitem):
            if report.failed:
                report.outcome = "rerun"
                hook(report=report)
                break
            hook(report=report)
        item._initrequest()
        runtestprotocol(item, nextitem=nextitem)
        return True
"""


@pytest.fixture
def run(
    pytester: pytest.Pytester, copy_inner: Callable[..., None]
) -> Callable[..., pytest.RunResult]:
    """Run one test of ``test_repeated.py``, twice."""
    copy_inner("office.py", "test_repeated.py")
    pytester.makeini("[pytest]\npythonpath = .\naddopts = --pynenc-backend=sqlite")
    pytester.makeconftest(AGAIN)

    def ran(name: str, *arguments: str) -> pytest.RunResult:
        return pytester.runpytest_inprocess(f"test_repeated.py::test_{name}", *arguments)

    return ran


def attempts(pytester: pytest.Pytester) -> list[str]:
    """Where each attempt was."""
    return pytester.path.joinpath("attempts.txt").read_text().splitlines()


def test_what_passes_at_last_is_not_taken_for_failed(
    run: Callable[..., pytest.RunResult], pytester: pytest.Pytester, places_left: PlacesLeft
) -> None:
    """The place of the attempt that failed is kept and named, and that alone; junit names none."""
    result = run("fails_once", "--junitxml=junit.xml")

    result.assert_outcomes(passed=1)
    failed, passed = attempts(pytester)
    assert failed in places_left()
    assert passed not in places_left()
    result.stdout.fnmatch_lines(["*= kept pynenc places =*", f"*fails_once*: sqlite: {failed}"])
    result.stdout.no_fnmatch_line(f"*{passed}*")
    assert "pynenc_place" not in pytester.path.joinpath("junit.xml").read_text()


@pytest.mark.parametrize(("name", "keep"), [("fails_always", "failed"), ("fails_once", "all")])
def test_each_place_that_is_kept_is_named(
    run: Callable[..., pytest.RunResult],
    pytester: pytest.Pytester,
    places_left: PlacesLeft,
    name: str,
    keep: str,
) -> None:
    """Nobody would look for that of an earlier attempt."""
    result = run(name, f"--pynenc-keep={keep}")

    for place in attempts(pytester):
        assert place in places_left()
        result.stdout.fnmatch_lines(f"test_repeated.py::test_{name}[[]sqlite[]]: sqlite: {place}")


def test_the_histories_of_a_later_attempt_are_judged(
    run: Callable[..., pytest.RunResult],
) -> None:
    """Those of a test that has failed are not; but this attempt has not."""
    result = run("breaks_a_rule_at_last")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines("*pynenc_no_history_check*")
