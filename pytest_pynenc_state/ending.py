"""Hooks for the end of a run that has tests of ours: what is summed up, and what is listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_pynenc_state import hookspecs

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter  # typed nowhere else


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write reports; fail a run in which a backend was to keep the contract, and was not asked."""
    terminal: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is None:
        return
    reports = _reports(terminal)
    of_clauses = [each for each in reports if hookspecs.told(each, hookspecs.CLAUSE)]
    drawn = [each for each in reports if hasattr(each, hookspecs.PICTURES)]
    if of_clauses or session.config.stash[hookspecs.OPTIONS].report:
        from pytest_pynenc_state.report import running

        running.finish(session, of_clauses, drawn)


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Sum up the conformance suite, and list the kept places."""
    if (found := config.stash.get(hookspecs.REPORT, None)) is not None:
        from pytest_pynenc_state.report import running

        running.print_summary(terminalreporter, found)
    kept = {
        report.nodeid: location
        for report in _reports(terminalreporter)
        if (location := hookspecs.told(report, hookspecs.KEPT_PLACE))
    }
    if kept:
        terminalreporter.section("kept pynenc places")
        for nodeid, location in kept.items():
            terminalreporter.line(f"{nodeid}: {location}")


def _reports(terminal: TerminalReporter) -> list[Any]:
    return [report for group in terminal.stats.values() for report in group]
