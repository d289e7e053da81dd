"""The pytest plugin: hooks, and nothing else. Fixtures are in `fixtures`.

This module, and what it imports, loads neither pynenc nor any database driver: a session
that uses none of our fixtures does not pay for them.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pytest_pynenc_state import hookspecs, options, session

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter  # typed nowhere else

pytest_plugins = ["pytest_pynenc_state.fixtures"]

_KEPT = "pynenc_place"

MARKERS = (
    (
        "pynenc(app=None, **config): test this app ('pkg.mod:app', or a Pynenc) with these "
        "pynenc configuration values"
    ),
    (
        "pynenc_backends(*names, exclude=()): of the selected backends, run only on these, and "
        "on none of the excluded"
    ),
    (
        "pynenc_requires(*capabilities): run only on backends that claim all of: shared, "
        "durable, atomic, real_engine"
    ),
)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks that others may implement."""
    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare options and ini values."""
    options.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Declare markers and read the options."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    if config.option.help:
        # A broken configuration must not keep anybody from reading how to mend it.
        return
    with _usage_errors():
        session.begin(config, options.resolve_options(config))


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what the run started."""
    session.end(config)


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """List the backends instead of running tests, if that is what was asked."""
    if config.option.help or not options.wants_backend_list(config):
        return None
    # Listing needs the plugins and conftests of the run, but no session.
    config._do_configure()
    try:
        state = session.state_of(config)
        with _usage_errors():
            for name in state.catalogue.names:
                backend = state.backend(name)
                claims = ", ".join(sorted(backend.capabilities)) or "nothing"
                obstacle = backend.obstacle() and f"; {backend.obstacle()}: {backend.install}"
                print(f"{name}: {backend.summary} (claims {claims}){obstacle}")  # noqa: T201
    finally:
        config._ensure_unconfigure()
    return 0


def pytest_sessionstart(session: pytest.Session) -> None:
    """Refuse a backend or an app that cannot be had, before any test runs."""
    from pytest_pynenc_state.session import state_of

    state = state_of(session.config)
    if state.options.is_default("backend") and state.options.is_default("app"):
        return
    from pytest_pynenc_state import selection

    with _usage_errors():
        selection.check_options(state)


def pytest_report_header(config: pytest.Config) -> str:
    """Say which settings are in force, and where each comes from."""
    return f"pynenc: {options.describe(session.state_of(config).options)}"


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    """Say which default backends the tests do not run on, because something is missing."""
    left_out = session.state_of(config).left_out_so_far
    return [f"pynenc: left out {name}: {obstacle}" for name, obstacle in left_out.items()]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let each test run on each backend it is to run on."""
    if "pynenc_backend" in metafunc.fixturenames:
        from pytest_pynenc_state import selection

        selection.parametrize_backends(metafunc)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Dispose of the test's place once nothing of the test can fail any more."""
    try:
        yield
    except BaseException:
        if record := session.record_of(item):
            record.failed = True
        raise
    finally:
        if record := session.record_of(item):
            session.state_of(item.config).dispose(record)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say where the place of a failed test is kept, and what its runners printed."""
    report = yield
    record = session.record_of(item)
    if record is None:
        return report
    record.failed = record.failed or report.failed
    decided = report.failed or report.when == "call"
    if decided and session.state_of(item.config).keeps(record):
        report.sections.append(("pynenc place", f"{record.location} (kept)"))
        report.user_properties.append((_KEPT, record.location))
    if report.failed and record.logs and (logs := record.logs()):
        report.sections.append(("pynenc runner log", logs))
    return report


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """List the kept places."""
    reports: list[Any] = [report for group in terminalreporter.stats.values() for report in group]
    kept = {
        report.nodeid: location
        for report in reports
        for name, location in getattr(report, "user_properties", ())
        if name == _KEPT
    }
    if kept:
        terminalreporter.section("kept pynenc places")
        for nodeid, location in kept.items():
            terminalreporter.line(f"{nodeid}: {location}")


@contextmanager
def _usage_errors() -> Iterator[None]:
    """Let pytest print what is wrong with an option, without a traceback."""
    try:
        yield
    except ValueError as error:
        from pytest_pynenc_state.errors import OptionsError

        if isinstance(error, OptionsError):
            raise pytest.UsageError(str(error)) from error
        raise
