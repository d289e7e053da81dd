"""What the plugin costs, and does, where nobody uses it: nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: All of our modules that a session pays for which uses none of our fixtures.
UNUSED = {
    "pytest_pynenc_state",
    *(f"pytest_pynenc_state.{name}" for name in ("fixtures", "hookspecs", "options", "plugin")),
}

#: Those of them that pytest's import hook loads, at many times the usual price.
REWRITTEN = {"pytest_pynenc_state", "pytest_pynenc_state.plugin"}

HEAVY = ("pynenc", "pymongo", "mongomock", "psutil", "jsonpickle", "sqlite3", "filelock")


def loaded_by(program: str) -> set[str]:
    """Return which heavy modules a fresh interpreter has loaded after *program*."""
    ask = f"{program}\nimport sys\nprint(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", ask], stdout=subprocess.PIPE, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module", ["pytest_pynenc_state", "pytest_pynenc_state.plugin", "pytest_pynenc_state.fixtures"]
)
def test_importing_the_plugin_loads_nothing_heavy(module: str) -> None:
    """Each run of pytest imports it, wherever it is installed."""
    assert loaded_by(f"import {module}") == set()


def test_a_run_that_uses_no_fixture_of_ours_loads_nothing_heavy(
    pytester: pytest.Pytester,
) -> None:
    """From the options to the summary, with a failing test and a parametrized one."""
    pytester.makepyfile(
        """
        import pytest, sys

        @pytest.mark.parametrize("number", [1, 2])
        def test_passes(number, tmp_path):
            assert number

        def test_fails():
            raise RuntimeError
        """
    )
    heavy = f"assert [name for name in {HEAVY} if name in sys.modules] == []"
    pytester.makeconftest(f"import sys\ndef pytest_unconfigure(config):\n    {heavy}")

    result = pytester.runpytest_subprocess("--strict-markers", timeout=60)

    result.assert_outcomes(passed=2, failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED, result.stderr.str()
    assert "AssertionError" not in result.stderr.str()


def test_a_run_that_uses_no_fixture_of_ours_loads_five_of_our_modules(
    pytester: pytest.Pytester,
) -> None:
    """What only a chosen option or a fixture needs is loaded by it."""
    pytester.makepyfile("def test_passes(): pass")
    pytester.makeconftest(
        """
        import sys
        from pathlib import Path

        def pytest_unconfigure(config):
            ours = (name for name in sys.modules if name.startswith("pytest_pynenc_state"))
            Path("loaded").write_text(" ".join(ours))
        """
    )

    pytester.runpytest_subprocess(timeout=60).assert_outcomes(passed=1)

    assert set((pytester.path / "loaded").read_text().split()) == UNUSED


def test_the_modules_that_every_run_loads_go_round_the_import_hook_of_pytest(
    pytester: pytest.Pytester,
) -> None:
    """And no other module does: the hook has its place again, and asserts are explained."""
    pytester.makepyfile("def test_fails():\n    assert [1] == [2]")
    pytester.makeconftest(
        """
        import sys
        from pathlib import Path

        def pytest_unconfigure(config):
            hook = config.pluginmanager.rewrite_hook
            assert sys.meta_path[0] is hook
            assert len(set(map(id, sys.meta_path))) == len(sys.meta_path)
            ours = (name for name in sys.modules if name.startswith("pytest_pynenc_state"))
            rewritten = (name for name in ours if sys.modules[name].__loader__ is hook)
            Path("rewritten").write_text(" ".join(rewritten))
        """
    )

    result = pytester.runpytest_subprocess(timeout=60)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*At index 0 diff: 1 != 2*"])
    assert set((pytester.path / "rewritten").read_text().split()) == REWRITTEN


def test_an_unused_plugin_searches_no_distributions_and_compiles_no_pattern(
    pytester: pytest.Pytester,
) -> None:
    """Either costs more than a module of ours; the first grows with what is installed."""
    pytester.makepyfile("def test_passes(): pass")
    pytester.makepyfile(
        counting="""
        import importlib.metadata, re, sys
        from collections import Counter
        from pathlib import Path

        SLOW = {
            importlib.metadata.distributions.__code__: "distributions",
            re._compiler.compile.__code__: "patterns",
        }
        calls = Counter()

        def count(frame, event, argument):
            if event == "call" and frame.f_code in SLOW:
                calls[SLOW[frame.f_code]] += 1

        def pytest_unconfigure(config):
            sys.setprofile(None)
            Path("calls").write_text(repr(sorted(calls.items())))

        sys.setprofile(count)
        """
    )

    def calls(*arguments: str) -> str:
        result = pytester.runpytest_subprocess("-p", "counting", *arguments, timeout=60)
        result.assert_outcomes(passed=1)
        return (pytester.path / "calls").read_text()

    without = calls("-p", "no:pynenc_state")

    assert "'distributions'" in without
    assert "'patterns'" in without
    assert calls() == without


def test_no_fixture_of_ours_is_set_up_unasked(pytester: pytest.Pytester) -> None:
    """A test is not parametrized, its environment not touched, and nothing is written."""
    pytester.makepyfile(
        """
        import os
        import pytest

        @pytest.fixture
        def pynenc_like():
            return 1

        def test_it(request, tmp_path_factory, pynenc_like):
            assert [name for name in request.fixturenames if "pynenc" in name] == ["pynenc_like"]
            assert not [name for name in os.environ if name.startswith("PYNENC__")]
            assert not (tmp_path_factory.getbasetemp() / "pynenc").exists()
        """
    )

    result = pytester.runpytest_inprocess("--setup-show", "-p", "no:cacheprovider")

    result.assert_outcomes(passed=1)
    assert "_pynenc" not in result.stdout.str()


def test_the_plugin_can_be_switched_off(pytester: pytest.Pytester) -> None:
    """By the name that the documentation gives; then its fixtures and options are unknown."""
    pytester.makepyfile("def test_passes(): pass\ndef test_errors(pynenc_app): pass")

    result = pytester.runpytest_subprocess("-p", "no:pynenc_state", timeout=60)
    refused = pytester.runpytest_inprocess("-p", "no:pynenc_state", "--pynenc-keep=all")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines("*fixture 'pynenc_app' not found*")
    assert "pynenc: " not in result.stdout.str()
    assert refused.ret == pytest.ExitCode.USAGE_ERROR


def test_every_marker_is_declared(pytester: pytest.Pytester) -> None:
    """A project with --strict-markers need not declare them itself."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.pynenc
        @pytest.mark.pynenc_backends("memory")
        @pytest.mark.pynenc_requires("real_engine")
        def test_it(pynenc_app): pass
        """
    )

    result = pytester.runpytest_inprocess("--strict-markers", "--strict-config")
    listing = pytester.runpytest_inprocess("--markers")

    result.assert_outcomes(passed=1)
    for marker in ("pynenc(app=None", "pynenc_backends(", "pynenc_requires("):
        listing.stdout.fnmatch_lines(f"@pytest.mark.{marker}*")


def test_every_fixture_is_documented(pytester: pytest.Pytester) -> None:
    """``pytest --fixtures`` is where an author looks first."""
    listing = pytester.runpytest_inprocess("--fixtures").stdout.str()

    names = ("backend", "place", "app", "app_factory", "runner", "namespace", "config")
    for name in (*names, "mongo_url", "mongomock_url"):
        assert f"\npynenc_{name} " in listing
    assert "no docstring available" not in listing.partition("pynenc_namespace")[2]


def test_a_test_that_has_ended_keeps_nothing_in_memory(pytester: pytest.Pytester) -> None:
    """Neither its app, nor what would have been told of its failure."""
    pytester.makepyfile(
        """
        import gc, weakref
        import pytest

        apps = []

        @pytest.mark.parametrize("number", [1, 2, 3])
        def test_leaves_an_app(number, pynenc_app, pynenc_race):
            pynenc_app.orchestrator.count_invocations()
            apps.append(weakref.ref(pynenc_app))

        def test_they_are_gone():
            gc.collect()
            # pytest itself holds what the last test was given.
            assert [app() for app in apps[:-1]] == [None, None]
        """
    )

    result = pytester.runpytest_inprocess("--pynenc-backend=sqlite", "-p", "no:cacheprovider")

    result.assert_outcomes(passed=4)
