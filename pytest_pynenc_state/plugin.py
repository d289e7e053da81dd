"""The pytest plugin: hooks, and nothing else. Fixtures are in `fixtures`.

This module, and what it imports, loads neither pynenc nor any database driver, and has no
hook that is called for each test: a session that uses none of our fixtures does not pay for
them. Those hooks are in `session`, registered by the first test that asks for a backend.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import PathFinder

import pytest

# Every session pays for these modules. They have no assertion to be rewritten, and pytest's own
# import hook takes several times as long as Python: it reads a cached module value by value.
sys.meta_path.insert(0, PathFinder)
try:
    from pytest_pynenc_state import fixtures, hookspecs, options
finally:
    sys.meta_path.remove(PathFinder)

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
    (
        "pynenc_clause(id, level=, since=, hint=): this test checks a clause of the conformance "
        "suite"
    ),
    "pynenc_no_history_check: do not judge the status histories that the test leaves",
    "pynenc_no_leak_check: let the test leave processes, threads and sockets behind",
)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks that others may implement, and the fixtures."""
    pluginmanager.add_hookspecs(hookspecs)
    # A list `pytest_plugins` would have pytest look for the name among the entry points of
    # every installed distribution: a millisecond for 15 of them.
    pluginmanager.register(fixtures, fixtures.__name__)


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
        chosen = config.stash[hookspecs.OPTIONS] = options.resolve_options(config)
    if options.wants_conformance(config) or not chosen.is_default("level"):
        from pytest_pynenc_state import conformance_selection

        conformance_selection.select_clauses(config)
    if chosen.replay:
        from pytest_pynenc_state import replaying

        replaying.select_operations(config)
    if chosen.report or chosen.replay or getattr(config.option, "numprocesses", None):
        # The tests may be none of ours, or are collected by others and told of here.
        _end_well(config)


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """List the backends instead of running tests, if that is what was asked."""
    if config.option.help or not options.wants_backend_list(config):
        return None
    # Listing needs the plugins and conftests of the run, but no session.
    config._do_configure()
    from pytest_pynenc_state.session import state_of

    try:
        state = state_of(config)
        with _usage_errors():
            broken = None
            for name in state.catalogue.names:
                try:
                    backend = state.backend(name)
                except ValueError as error:  # told after all that can be had
                    broken = broken or error
                    continue
                claims = ", ".join(sorted(backend.capabilities)) or "nothing"
                obstacle = backend.obstacle() and f"; {backend.obstacle()}: {backend.install}"
                print(f"{name}: {backend.summary} (claims {claims}){obstacle}")  # noqa: T201
            if broken:
                raise broken
    finally:
        config._ensure_unconfigure()
    return 0


def pytest_sessionstart(session: pytest.Session) -> None:
    """Refuse a backend or an app that cannot be had, before any test runs."""
    chosen = session.config.stash[hookspecs.OPTIONS]
    if chosen.is_default("backend") and chosen.is_default("app"):
        return
    from pytest_pynenc_state import selection
    from pytest_pynenc_state.session import state_of

    with _usage_errors():
        selection.check_options(state_of(session.config))


def pytest_report_header(config: pytest.Config) -> str:
    """Say which settings are in force, and where each comes from."""
    return f"pynenc: {options.describe(config.stash[hookspecs.OPTIONS])}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let each test run on each backend it is to run on."""
    for fixture in ("backend_under_test", "pynenc_backend", "pynenc_runner"):
        if fixture in metafunc.fixturenames:
            from pytest_pynenc_state import parametrizing

            _end_well(metafunc.config)
            parametrizing.parametrize_backends(metafunc, fixture)
            return


def _end_well(config: pytest.Config) -> None:
    """Have the end of the run looked after: kept places, and what became of clauses."""
    from pytest_pynenc_state import ending

    if not config.pluginmanager.is_registered(ending):
        config.pluginmanager.register(ending)


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
