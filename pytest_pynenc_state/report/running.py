"""What is done with a report when the run ends: files, the summary, and whether the run failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_pynenc_state.hookspecs import OPTIONS, REPORT
from pytest_pynenc_state.report.collecting import collected
from pytest_pynenc_state.report.contents import ConformanceReport
from pytest_pynenc_state.report.files import write
from pytest_pynenc_state.report.table import summary_lines

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter  # typed nowhere else


def finish(session: pytest.Session, of_clauses: Sequence[Any], drawn: Sequence[Any]) -> None:
    """Sum up, write the files that were asked for, and fail a run that proved nothing.

    :param of_clauses: pytest's reports of the tests that checked a clause.
    :param drawn: Those of the tests that have a timeline.
    :raises OSError: A file cannot be written.
    """
    config = session.config
    options = config.stash[OPTIONS]
    report = collected(of_clauses, drawn, options)
    if of_clauses:
        config.stash[REPORT] = report
        config.hook.pytest_pynenc_report(config=config, report=report)
    for name in options.report:
        write(report, config.invocation_params.dir / name)
    if session.exitstatus == pytest.ExitCode.OK and any(
        backend.ran_nothing for backend in report.backends
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def print_summary(terminal: TerminalReporter, report: ConformanceReport) -> None:
    """Print the table and the sentences."""
    terminal.section("pynenc conformance")
    for line in summary_lines(report):
        terminal.line(line)
