"""From pytest's reports of single tests to what a run has found about its backends."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from typing import Any

from pytest_pynenc_state.conformance.clause import all_clauses
from pytest_pynenc_state.hookspecs import (
    CLAUSE,
    NOT_RUN,
    PICTURES,
    PREVIEW,
    UNDECIDED,
    UNSUPPORTED,
    told,
)
from pytest_pynenc_state.options import Options
from pytest_pynenc_state.report.contents import (
    BackendReport,
    ClauseResult,
    ConformanceReport,
    Finding,
    TestFinding,
)

# What a result may depend on, besides Python; those that are installed are named.
_DISTRIBUTIONS = ("pynenc", "pytest-pynenc-state", "pytest", "pymongo", "mongomock")

# A backend may be checked several times in a run, in several settings for example. Of each clause
# the worst stays that was found where it was checked; where it was not, nothing was found.
_WORST_FIRST = (
    Finding.VIOLATED,
    Finding.KNOWN_BUG,
    Finding.PREVIEW,
    Finding.UNDECIDED,
    Finding.PROVED,
    Finding.UNSUPPORTED,
    Finding.NOT_RUN,
)

# Of what has failed, all is kept that pytest said.
_TOLD_WHOLE = {Finding.VIOLATED, Finding.UNDECIDED}

_SKIPPED = {
    NOT_RUN: Finding.NOT_RUN,
    UNSUPPORTED: Finding.UNSUPPORTED,
    UNDECIDED: Finding.UNDECIDED,
}


def collected(
    reports: Iterable[Any], of_tests: Iterable[Any], options: Options
) -> ConformanceReport:
    """Sum up the reports of all phases of all tests of clauses, in any order.

    :param of_tests: The reports of all tests, some of which have a timeline.
    """
    by_test = _by_test(reports)
    results: dict[str, dict[str, ClauseResult]] = {}
    mocks: set[str] = set()
    clauses = all_clauses()
    for phases in by_test.values():
        entry = json.loads(next(filter(None, (told(each, CLAUSE) for each in phases))))
        finding, reason = _found(phases)
        if entry["is_mock"]:
            mocks.add(entry["backend"])
        failure = "\n".join(_text(each) for each in phases if finding in _TOLD_WHOLE)
        result = ClauseResult(clauses[entry["clause"]], finding, reason, failure.strip())
        of_backend = results.setdefault(entry["backend"], {})
        former = of_backend.get(entry["clause"], result)
        of_backend[entry["clause"]] = min(former, result, key=_rank)
    applicable = [clause for clause in clauses.values() if clause.is_applicable]
    return ConformanceReport(
        versions(),
        settings(options),
        [
            BackendReport(name, name in mocks, dict(sorted(found.items())), applicable)
            for name, found in sorted(results.items())
        ],
        list(_tests(of_tests, options)),
    )


def _rank(result: ClauseResult) -> int:
    return _WORST_FIRST.index(result.finding)


def _by_test(reports: Iterable[Any]) -> dict[str, list[Any]]:
    by_test: dict[str, list[Any]] = {}
    for report in reports:
        by_test.setdefault(report.nodeid, []).append(report)
    return by_test


def _tests(reports: Iterable[Any], options: Options) -> Iterator[TestFinding]:
    """One for each test; what its later phases say stands below what the earlier ones do."""
    for nodeid, phases in _by_test(reports).items():
        outcome = _outcome(phases)
        drawn = [each for each in phases if hasattr(each, PICTURES)]
        # One that has passed at its second attempt has not failed.
        if not drawn or (outcome != "failed" and options.timelines != "all"):
            continue
        text = "\n".join(filter(None, map(_text, phases)))
        # What a later phase draws again, it knows better.
        pictures = {
            (picture["kind"], picture["about"]): picture
            for report in drawn
            for picture in getattr(report, PICTURES)
        }
        yield TestFinding(nodeid, outcome, text, list(pictures.values()))


def _outcome(phases: list[Any]) -> str:
    """What became of a test, in pytest's words."""
    if any(each.failed for each in phases):
        return "failed"
    if any(hasattr(each, "wasxfail") for each in phases):
        return "xfailed" if any(each.skipped for each in phases) else "xpassed"
    return "skipped" if any(each.skipped for each in phases) else "passed"


def _text(report: Any) -> str:
    """All that pytest says of a failed phase."""
    if not report.failed:
        return ""
    sections = (f"--- {title} ---\n{content}" for title, content in report.sections)
    return "\n".join([str(report.longrepr), *sections])


def versions() -> dict[str, str]:
    """The versions of what is installed and a result may depend on."""
    found = {"Python": platform.python_version()}
    for name in _DISTRIBUTIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def settings(options: Options) -> Mapping[str, str]:
    """The options that somebody chose, without passwords."""
    from pytest_pynenc_state.option_values import without_credentials

    chosen = {name: getattr(options, name.replace("-", "_")) for name in options.sources}
    return {
        name: without_credentials(", ".join(value) if isinstance(value, tuple) else str(value))
        for name, value in chosen.items()
        if not options.is_default(name)
    }


def _found(phases: list[Any]) -> tuple[Finding, str]:
    """What the reports of one test's phases say together."""
    for report in phases:
        if report.failed:
            if str(report.longrepr).startswith("[XPASS(strict)]"):
                return Finding.PROVED, "a known bug that is there no more"
            # What the clause has to see was not even set up.
            is_checked = report.when != "setup"
            return (Finding.VIOLATED if is_checked else Finding.UNDECIDED), _last_line(report)
    for report in phases:
        if report.skipped and hasattr(report, "wasxfail"):
            reason = report.wasxfail.removeprefix("reason: ")
            is_preview = reason.startswith(PREVIEW)
            return (Finding.PREVIEW if is_preview else Finding.KNOWN_BUG), reason
    for report in phases:
        if report.skipped:
            return _skipped(report.longrepr[2].removeprefix("Skipped: "))
    has_ended = any(report.when == "call" for report in phases)
    return (Finding.PROVED, "") if has_ended else (Finding.NOT_RUN, "the run ended meanwhile")


def _skipped(reason: str) -> tuple[Finding, str]:
    kind, _, why = reason.partition(": ")
    known = _SKIPPED.get(kind)
    return (known, why) if known else (Finding.NOT_RUN, reason)


def _last_line(report: Any) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash else str(report.longrepr)
    return next((line for line in text.splitlines() if line.strip()), "")
