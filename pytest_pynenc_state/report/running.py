"""What is done with a report when the run ends: files, the summary, and whether the run failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_pynenc_state.hookspecs import OPTIONS, REPORT, WRITTEN
from pytest_pynenc_state.report.collecting import collected
from pytest_pynenc_state.report.contents import ConformanceReport
from pytest_pynenc_state.report.files import write
from pytest_pynenc_state.report.table import summary_lines

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter  # typed nowhere else


def finish(session: pytest.Session, of_clauses: Sequence[Any], of_tests: Sequence[Any]) -> None:
    """Sum up, write the files that were asked for, and fail a run that proved nothing.

    :param of_clauses: pytest's reports of the tests that checked a clause.
    :param of_tests: Those of all tests, some of which have timelines.
    """
    config = session.config
    options = config.stash[OPTIONS]
    report = collected(of_clauses, of_tests, options)
    if of_clauses:
        config.stash[REPORT] = report
        config.hook.pytest_pynenc_report(config=config, report=report)
    written: dict[str, OSError | None] = dict.fromkeys(options.report)
    config.stash[WRITTEN] = written
    for name in written:
        try:
            write(report, config.invocation_params.dir / name)
        except OSError as error:  # what the run has found is told all the same
            written[name] = error
    if session.exitstatus == pytest.ExitCode.OK and any(written.values()):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if session.exitstatus == pytest.ExitCode.OK and any(
        backend.ran_nothing for backend in report.backends
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def print_summary(terminal: TerminalReporter, report: ConformanceReport) -> None:
    """Print the table and the sentences."""
    terminal.section("pynenc conformance")
    for line in summary_lines(report):
        terminal.line(line)
