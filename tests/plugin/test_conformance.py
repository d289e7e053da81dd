"""The conformance suite as an author of a backend meets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

RUN_S = 100.0

# What is quick, and tells the backends of the inner module apart.
FEW = "BE_SET or SB_INV_15 or SB_INV_16 or OR_TRA_01"

#: A module with one suite: what it leaves out is filled in.
AUTHOR = """
import pytest
from authors_backend import {backend}
from pytest_pynenc_state import KnownBug, StateConformance

class TestAuthor(StateConformance):
    unsupported = {unsupported}
    known_bugs = {known_bugs}

    @pytest.fixture
    def backend_under_test(self):
        return {backend}
"""


@pytest.fixture(autouse=True)
def project(pytester: pytest.Pytester, copy_inner: Callable[..., None]) -> None:
    """Have backends, and no tests."""
    copy_inner("authors_backend.py")
    pytester.makeini("[pytest]\npythonpath = .\naddopts = -p no:cacheprovider")


@pytest.fixture
def author(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Write a suite for a backend, and run some of it."""

    def run(
        backend: str, *arguments: str, unsupported: str = "{}", known_bugs: str = "{}"
    ) -> pytest.RunResult:
        pytester.makepyfile(
            test_author=AUTHOR.format(
                backend=backend, unsupported=unsupported, known_bugs=known_bugs
            )
        )
        return pytester.runpytest_inprocess(*(arguments or ("-k", FEW)))

    return run


def test_one_fixture_is_enough(author: Callable[..., pytest.RunResult]) -> None:
    """Each clause is a test with its id in its name."""
    result = author("GOOD", "-v", "-k", FEW)

    result.assert_outcomes(passed=7)
    result.stdout.fnmatch_lines(["*::TestAuthor::test_SB_INV_15_*PASSED*"])
    result.stdout.fnmatch_lines(["good * basic * 6 * 0 *", "good * process * 1 * 0 *"])


def test_no_file_is_needed(pytester: pytest.Pytester) -> None:
    """And of the tests that there are, none is run that was not named."""
    pytester.makepyfile(test_of_the_host="def test_it(): pass")
    selection = ("--pynenc-conformance", "--pynenc-backend", "authors_backend:GOOD", "-k")

    alone = pytester.runpytest_inprocess(*selection, f"{FEW} or test_it")
    together = pytester.runpytest_inprocess(*selection, f"{FEW} or test_it", "test_of_the_host.py")

    alone.assert_outcomes(passed=7)
    together.assert_outcomes(passed=8)


def test_a_broken_clause_says_its_rule_and_what_to_look_at(
    author: Callable[..., pytest.RunResult],
) -> None:
    """The failure is that of one clause, with its id."""
    result = author("FAR_SIGHTED")

    result.assert_outcomes(passed=6, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*test_SB_INV_16_*",
            "*pynenc clause*",
            "SB-INV-16 (basic): The children of an invocation do not include*",
            "hint: *",
            "far-sighted *basic * 5 * 1 *",
            "far-sighted keeps 5 of * clauses of basic on pynenc *, and so proves no level.",
        ]
    )


def test_a_known_bug_has_to_be_there(author: Callable[..., pytest.RunResult]) -> None:
    """One that was mended is to be taken off the list."""
    bug = "{'SB-INV-16': KnownBug('counts grandchildren', 'tracker/1')}"

    there, mended = author("FAR_SIGHTED", known_bugs=bug), author("GOOD", known_bugs=bug)

    there.assert_outcomes(passed=6, xfailed=1)
    there.stdout.fnmatch_lines(
        ["far-sighted SB-INV-16 known bug: counts grandchildren (tracker/1)"]
    )
    mended.assert_outcomes(passed=6, failed=1)
    mended.stdout.fnmatch_lines(["*XPASS(strict)*counts grandchildren*"])


def test_what_is_unsupported_is_counted_apart(author: Callable[..., pytest.RunResult]) -> None:
    """It is skipped with its reason, and proves nothing."""
    result = author("FAR_SIGHTED", unsupported="{'SB-INV-16': 'families are flat here'}")

    result.assert_outcomes(passed=6, skipped=1)
    result.stdout.fnmatch_lines(["far-sighted SB-INV-16 unsupported: families are flat here"])


@pytest.mark.parametrize(
    ("excluded", "told"),
    [
        ("{'SB-INV-61': 'why not'}", "*TestAuthor.unsupported: 'SB-INV-61' is no clause*"),
        ("{'SB-INV-16': ' '}", "*TestAuthor.unsupported: 'SB-INV-16' has no reason*"),
    ],
)
def test_an_exclusion_that_says_nothing_is_an_error(
    author: Callable[..., pytest.RunResult], excluded: str, told: str
) -> None:
    """A typing error would exclude nothing, and nobody would know why."""
    result = author("GOOD", unsupported=excluded)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([told])


def test_a_clause_is_excluded_once(author: Callable[..., pytest.RunResult]) -> None:
    """Either it is to be kept one day, or not."""
    result = author(
        "GOOD", unsupported="{'SB-INV-16': 'x'}", known_bugs="{'SB-INV-16': KnownBug('y')}"
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*'SB-INV-16' is in unsupported and in known_bugs*"])


def test_an_exclusion_of_what_is_not_run_is_an_error(
    author: Callable[..., pytest.RunResult],
) -> None:
    """A backend of one process is not asked for clauses of several."""
    result = author("LONELY", unsupported="{'BE-SET-04': 'one process'}")

    result.assert_outcomes(passed=6, errors=1)
    result.stdout.fnmatch_lines(["*excludes BE-SET-04, but lonely does not claim 'shared'*"])


def test_a_backend_that_ran_nothing_fails_the_run(
    author: Callable[..., pytest.RunResult],
) -> None:
    """Skips alone prove nothing, although pytest is content with them."""
    result = author("GOOD", "-k", "INV_15", unsupported="{'SB-INV-15': 'not today'}")

    result.assert_outcomes(skipped=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["good ran no clause, so this run proves nothing about it"])


def test_a_component_that_cannot_be_built_is_named_and_the_others_are_checked(
    author: Callable[..., pytest.RunResult],
) -> None:
    """Method by method; something of pynenc's stands in for it."""
    result = author("OUTDATED")

    result.assert_outcomes(passed=6, failed=1)
    result.stdout.fnmatch_lines(
        ["E *OutdatedBroker lacks route_by_carrier_pigeon*", "BE-SET-01 (basic): *"]
    )


def test_clauses_of_a_component_that_cannot_be_built_are_not_run(
    author: Callable[..., pytest.RunResult],
) -> None:
    """Those of the orchestrator are."""
    result = author("VERY_OUTDATED", "-rs", "-k", FEW)

    result.assert_outcomes(passed=1, failed=1, skipped=5)
    result.stdout.fnmatch_lines(
        [
            "E *OutdatedBroker lacks route_by_carrier_pigeon",
            "E *OutdatedStateBackend lacks get_invocations_by_moon_phase",
            "SKIPPED * not run: OutdatedStateBackend lacks get_invocations_by_moon_phase",
        ]
    )


def test_a_class_that_is_not_there_is_told(author: Callable[..., pytest.RunResult]) -> None:
    """It is what a misspelt name, or a module left out, looks like."""
    result = author("NOWHERE", "-k", "SET_01")

    result.stdout.fnmatch_lines(["E *NoSuchOrchestrator: none of the backend's modules defines*"])


def test_a_missing_library_fails_or_skips_as_anywhere(
    author: Callable[..., pytest.RunResult],
) -> None:
    """But a run in which nothing was checked fails in either case."""
    skipped = author("FAR_AWAY", "--pynenc-missing=skip", "-rs", "-k", FEW)
    failed = author("FAR_AWAY", "--pynenc-missing=fail", "-k", FEW)

    skipped.assert_outcomes(skipped=7)
    skipped.stdout.fnmatch_lines(["SKIPPED * not run: far-away needs no_such_driver, not *"])
    assert skipped.ret == pytest.ExitCode.TESTS_FAILED
    failed.assert_outcomes(errors=7)
    failed.stdout.fnmatch_lines(["E *BackendUnavailable: backend 'far-away' needs no_such_driver*"])


def test_an_app_is_enough_for_the_basic_clauses(pytester: pytest.Pytester) -> None:
    """Those who have the fixture of pynenc's own suites need nothing else."""
    pytester.makepyfile(
        test_upstream_style="""
        import pytest
        from pynenc.builder import PynencBuilder
        from pytest_pynenc_state import AppInstanceConformance

        @pytest.fixture
        def app_instance():
            return PynencBuilder().app_id("mine").memory().build()

        class TestApp(AppInstanceConformance):
            pass
        """
    )

    result = pytester.runpytest_inprocess("-rs", "-k", FEW)

    result.assert_outcomes(passed=4, skipped=3)
    result.stdout.fnmatch_lines(
        ["TestApp * basic * 4 * 0 *", "SKIPPED * not run: an app alone is no recipe*"]
    )


def test_a_new_clause_is_a_warning(pytester: pytest.Pytester) -> None:
    """For a release, a backend that breaks it is told so, and its build goes on."""
    pytester.makepyfile(
        test_preview="""
        from pytest_pynenc_state import StateConformance
        from pytest_pynenc_state.conformance.clause import clause

        @clause("SB-NEW-01", hint="nothing can be done", is_preview=True)
        def nothing_is_good_enough(pynenc_app):
            '''Whatever a backend does is wrong.'''
            assert pynenc_app is None

        class TestPreview(StateConformance):
            test_SB_NEW_01 = staticmethod(nothing_is_good_enough)
        """
    )

    result = pytester.runpytest_subprocess(
        "-k", "SB_NEW_01 or SB_INV_15", "--pynenc-backend=memory", timeout=RUN_S
    )

    result.assert_outcomes(passed=1, xfailed=1)
    result.stdout.fnmatch_lines(["*preview*", "memory *basic * 1 * 0 * 0 * 1 *"])
    assert result.ret == 0


def test_a_level_leaves_out_those_above(pytester: pytest.Pytester) -> None:
    """They are deselected, and count as not run."""
    run = ("--pynenc-conformance", "--pynenc-backend=sqlite", "-k", FEW)

    result = pytester.runpytest_inprocess(*run, "--pynenc-level=basic")

    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["sqlite * process * 0 *"])


def test_the_report_is_written(pytester: pytest.Pytester) -> None:
    """For programs and for people, with versions and settings."""
    result = pytester.runpytest_inprocess(
        "--pynenc-conformance",
        "--pynenc-backend=authors_backend:FAR_SIGHTED",
        "--pynenc-report=out/found.json,found.md",
        "-k",
        FEW,
    )

    result.assert_outcomes(passed=6, failed=1)
    found = json.loads((pytester.path / "out" / "found.json").read_text())
    text = (pytester.path / "found.md").read_text()
    backend = found["backends"]["far-sighted"]
    assert backend["clauses"]["SB-INV-15"]["finding"] == "proved"
    assert backend["clauses"]["SB-INV-15"]["failure"] == ""
    assert backend["clauses"]["SB-INV-16"]["finding"] == "violated"
    assert backend["clauses"]["SB-INV-16"]["reason"] in backend["clauses"]["SB-INV-16"]["failure"]
    assert (backend["proves"], backend["levels"]["basic"]["violated"]) == ([], 1)
    assert found["settings"]["backend"] == "authors_backend:FAR_SIGHTED"
    assert f"pynenc {found['versions']['pynenc']}" in text
    assert "| SB-INV-16 | The children" in text
    assert "SB-INV-15" not in text


def test_a_report_of_no_known_form_is_refused(pytester: pytest.Pytester) -> None:
    """Before anything is run."""
    result = pytester.runpytest_inprocess("--pynenc-report=found.docx")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*--pynenc-report: 'found.docx' does not end in .html or .json or .md*"]
    )


def test_workers_of_xdist_find_the_same(pytester: pytest.Pytester) -> None:
    """One table of all, from the controller, and one file; junit has each clause's id."""
    result = pytester.runpytest_subprocess(
        "--pynenc-conformance",
        "--pynenc-backend=authors_backend:FAR_SIGHTED",
        "--pynenc-report=found.json",
        "--junit-xml=junit.xml",
        "-n2",
        "-k",
        FEW,
        timeout=RUN_S,
    )

    result.assert_outcomes(passed=6, failed=1)
    result.stdout.fnmatch_lines(["far-sighted *basic * 5 * 1 *"])
    found = json.loads((pytester.path / "found.json").read_text())["backends"]["far-sighted"]
    assert len(found["clauses"]) == 7
    entries = ET.parse(pytester.path / "junit.xml").iter("property")  # noqa: S314 - our own
    told = [each.get("value", "") for each in entries if each.get("name") == "pynenc_clause"]
    ids = [json.loads(text)["clause"] for text in told]
    assert sorted(set(ids)) == sorted(found["clauses"])


def test_only_what_failed_can_be_run_again(pytester: pytest.Pytester) -> None:
    """As with any test."""
    pytester.makeini("[pytest]\npythonpath = .")
    run = ("--pynenc-conformance", "--pynenc-backend=authors_backend:FAR_SIGHTED", "-k", FEW)

    pytester.runpytest_inprocess(*run).assert_outcomes(passed=6, failed=1)

    pytester.runpytest_inprocess(*run, "--lf").assert_outcomes(failed=1)
