"""Hooks for the end of a run that has tests of ours: what is summed up, and what is listed."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_pynenc_state import hookspecs
from pytest_pynenc_state.options import wants_conformance, writes_pytest_html

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter  # typed nowhere else


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write reports; fail a run in which a backend was to keep the contract, and was not asked."""
    terminal: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    # A worker of xdist tells its controller, which sums up.
    is_worker = hasattr(session.config, "workerinput")
    if terminal is None or is_worker or session.config.option.collectonly:
        return
    reports = [each for each in _reports(terminal) if isinstance(each, pytest.TestReport)]
    # The report of a test whose worker died has no properties, but others of it may.
    checking = {each.nodeid for each in reports if hookspecs.told(each, hookspecs.CLAUSE)}
    of_clauses = [each for each in reports if each.nodeid in checking]
    if of_clauses or session.config.stash[hookspecs.OPTIONS].report:
        from pytest_pynenc_state.report import running

        running.finish(session, of_clauses, reports)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the timelines of a test, if it has failed or all are wanted."""
    report = yield
    options = item.config.stash[hookspecs.OPTIONS]
    is_wanted = report.failed or (options.timelines == "all" and report.when == "teardown")
    if is_wanted and (options.draws() or writes_pytest_html(item.config)):
        from pytest_pynenc_state.report.attaching import attach_timelines

        attach_timelines(item, report, call.excinfo and call.excinfo.value)
    return report


def pytest_sessionstart(session: pytest.Session) -> None:
    """Say how far the clauses are that workers of xdist check; only they know how many."""
    if getattr(session.config.option, "numprocesses", None) and wants_conformance(session.config):
        _show_progress(session.config, [])


def pytest_collection_finish(session: pytest.Session) -> None:
    """Say how far the clauses are, if there are any."""
    found = [each for item in session.items for each in item.iter_markers("pynenc_clause")]
    if found:
        _show_progress(
            session.config, [clause_id for marker in found for clause_id in marker.args[:1]]
        )


def _show_progress(config: pytest.Config, clause_ids: list[str]) -> None:
    # In a file it would be noise; so it is where somebody wants less, or each test's name.
    terminal: Any = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and terminal.isatty and terminal.verbosity == 0:
        from pytest_pynenc_state.report.progress import Progress

        config.pluginmanager.register(Progress(terminal, clause_ids))


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Sum up the conformance suite, and list the kept places."""
    for name, error in config.stash.get(hookspecs.WRITTEN, {}).items():
        outcome = f" could not be written: {error}" if error else ""
        terminalreporter.write_sep("-", f"pynenc report: {name}{outcome}")
    if (found := config.stash.get(hookspecs.REPORT, None)) is not None:
        from pytest_pynenc_state.report import running

        running.print_summary(terminalreporter, found)
    # Each once, though the reports of all phases name it; a test that is run again has several.
    kept = {
        f"{report.nodeid}: {location}": None
        for report in _reports(terminalreporter)
        if (location := hookspecs.told(report, hookspecs.KEPT_PLACE))
    }
    if kept:
        terminalreporter.section("kept pynenc places")
        for line in kept:
            terminalreporter.line(line)


def _reports(terminal: TerminalReporter) -> list[Any]:
    return [report for group in terminal.stats.values() for report in group]
