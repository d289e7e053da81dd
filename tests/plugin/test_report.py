"""What a run writes of its tests: in JSON and HTML the same, whoever ran them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

pytest.importorskip("jinja2")

Run: TypeAlias = "Callable[..., list[dict[str, Any]]]"

REPORTS = ("--pynenc-report=report.json", "--pynenc-report=report.html")


@pytest.fixture
def run(pytester: pytest.Pytester, copy_inner: Callable[..., None]) -> Run:
    """Run inner tests; return what the report says of each that it has a timeline of."""
    copy_inner("office.py", "jobs.py", "test_judged.py", "test_recording.py")
    pytester.makeini("[pytest]\npythonpath = .\naddopts = --pynenc-backend=sqlite")

    def chosen(*arguments: str) -> list[dict[str, Any]]:
        result = pytester.runpytest_subprocess(*arguments, *REPORTS)
        result.stdout.fnmatch_lines(["*- pynenc report: report.json -*", "*report.html -*"])
        tests = json.loads((pytester.path / "report.json").read_text())["tests"]
        page = (pytester.path / "report.html").read_text()
        steps = [
            step
            for test in tests
            for picture in test["pictures"]
            for line in picture["lines"]
            for step in line["steps"]
        ]
        # Each is drawn as often as it is told.
        assert page.count('class="bar ') == len(steps)
        found: list[dict[str, Any]] = sorted(tests, key=lambda test: str(test["nodeid"]))
        return found

    return chosen


def of_office(picture: dict[str, Any]) -> list[dict[str, Any]]:
    """The invocations but those of pynenc's own tasks."""
    return [line for line in picture["lines"] if line["call"].startswith("office.")]


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_only_failed_tests_are_drawn(run: Run, workers: tuple[str, ...]) -> None:
    """Each with its invocations, and with the rule that is broken; by the controller of xdist."""
    broken, fails = run("test_judged.py", "-k", "well or it_fails or broken_and", *workers)

    assert broken["nodeid"].endswith("::test_a_rule_is_broken_and_the_test_fails[sqlite]")
    assert fails["nodeid"].endswith("::test_it_fails[sqlite]")
    (picture,) = broken["pictures"]
    (mark,) = picture["marks"]
    (line,) = of_office(picture)
    assert (picture["kind"], picture["about"]) == ("histories", "office")
    assert mark["invocation_id"] == line["invocation_id"]
    assert mark["rule"] in broken["text"]
    lines = of_office(*fails["pictures"])
    assert [line["call"] for line in lines] == [
        "office.add(first=1, second=2)",
        "office.add(first=2, second=3)",
    ]
    statuses = [step["status"] for step in lines[0]["steps"]]
    assert statuses == ["registered", "pending", "running", "success"]


def test_others_are_drawn_on_demand(run: Run) -> None:
    """Their timelines, and that they passed."""
    (test,) = run("test_judged.py::test_all_is_well", "--pynenc-timelines=all")

    assert (test["outcome"], test["text"]) == ("passed", "")
    assert len(of_office(*test["pictures"])) == 1


def test_operations_that_cannot_be_are_drawn_with_the_impossible_one_marked(run: Run) -> None:
    """Beside the histories, by process."""
    (test,) = run("test_recording.py::test_broken")

    operations = test["pictures"][-1]
    (mark,) = operations["marks"]
    (impossible,) = (
        line for line in operations["lines"] if line["steps"][0]["status"] == "impossible"
    )
    assert [picture["kind"] for picture in test["pictures"]] == ["histories", "operations"]
    assert impossible["call"] == "get_invocation_retries() = 0"
    assert mark["invocation_id"] == impossible["invocation_id"]
    assert "would have answered 1" in mark["message"]
    assert len(operations["lanes"]) == 2


def test_a_kept_place_comes_with_the_command_that_shows_it(
    pytester: pytest.Pytester, run: Run
) -> None:
    """All that leads pynenc's monitor to the same store."""
    (test,) = run("test_judged.py::test_it_fails", "--basetemp=places")

    (command,) = (
        line.partition("look at it with: ")[2]
        for line in test["text"].splitlines()
        if line.startswith("look at it with: ")
    )
    *variables, program, name = command.split()
    assert (program, name) == ("pynenc", "monitor")
    assert "PYNENC__STATE_BACKEND_CLS=PytestSQLiteStateBackend" in variables
    (path,) = (each for each in variables if each.startswith("PYNENC__SQLITE_DB_PATH="))
    assert path.partition("=")[2].startswith(str(pytester.path / "places"))


def test_a_test_that_has_not_failed_in_the_end_is_not_drawn(
    pytester: pytest.Pytester, run: Run
) -> None:
    """One that is expected to fail has not; on demand it is drawn as what it is."""
    pytester.makepyfile(
        test_expected="""
            import office
            import pytest

            @pytest.mark.xfail
            @pytest.mark.pynenc(app="office:app")
            @pytest.mark.pynenc_no_history_check
            def test_it(pynenc_runner):
                assert office.add(1, 2).result == 4
        """
    )

    assert run("test_expected.py") == []
    (test,) = run("test_expected.py", "--pynenc-timelines=all")
    assert test["outcome"] == "xfailed"


def test_histories_that_are_not_judged_are_drawn_too(run: Run) -> None:
    """On demand, though their store is gone when they are."""
    (test,) = run(
        "test_judged.py::test_all_is_well",
        "--pynenc-timelines=all",
        "--pynenc-check-history=off",
    )
    assert len(of_office(*test["pictures"])) == 1


def test_a_report_that_cannot_be_written_hides_nothing(
    pytester: pytest.Pytester, copy_inner: Callable[..., None]
) -> None:
    """Neither a failure nor another report; and the run has failed."""
    copy_inner("office.py", "test_judged.py")
    pytester.mkdir("no.json")
    pytester.makeini("[pytest]\npythonpath = .\naddopts = --pynenc-backend=sqlite")

    result = pytester.runpytest_subprocess(
        "-k", "all_is_well", "--pynenc-report=no.json", "--pynenc-report=yes.json"
    )

    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*pynenc report: no.json could not be written: *directory*"])
    assert json.loads((pytester.path / "yes.json").read_text())["tests"] == []


def test_collecting_writes_nothing(pytester: pytest.Pytester) -> None:
    """An editor that looks for tests must not empty the report of the last run."""
    pytester.makepyfile("def test_it(pynenc_app): pass")
    result = pytester.runpytest_subprocess("--collect-only", "--pynenc-report=report.json")

    assert result.ret == pytest.ExitCode.OK
    assert not (pytester.path / "report.json").exists()


ENDS = {
    "interrupted": ("raise KeyboardInterrupt", (), "not run"),
    "worker died": ("import os; os._exit(3)", ("-n", "1"), "violated"),
}


@pytest.mark.parametrize(("end", "arguments", "finding"), ENDS.values(), ids=ENDS)
def test_a_clause_whose_test_never_ended_is_not_proved(
    pytester: pytest.Pytester, end: str, arguments: tuple[str, ...], finding: str
) -> None:
    """Whatever has ended it; and the hook of others is called once, where all is known."""
    pytester.makepyfile(
        ending=f"""
        def pytest_runtest_call(item):
            {end}

        def pytest_pynenc_report(config):
            with open("called", "a") as file:
                file.write("x")
        """
    )
    suite = ("-p", "ending", "--pynenc-conformance", "--pynenc-backend=memory", "-k", "SB_HIS_01")
    pytester.runpytest_subprocess(*suite, "--pynenc-report=report.json", *arguments)

    report = json.loads((pytester.path / "report.json").read_text())
    assert report["backends"]["memory"]["clauses"]["SB-HIS-01"]["finding"] == finding
    assert (pytester.path / "called").read_text() == "x"
