"""The libraries of mongomock and mongo are optional: what happens where they are missing."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

NAMES = "def test_names(pynenc_backend): pass"
INSTALL = "pip install 'pytest-pynenc-state[[]mongo[]]'"

# Refuses to be asked for what a session without our fixtures must not even look for.
WATCHING = """
    import sys

    class Watch:
        def find_spec(self, name, path=None, target=None):
            assert name.partition(".")[0] not in ("pymongo", "mongomock", "pynenc", "filelock")

    sys.meta_path.insert(0, Watch())
"""


@pytest.fixture(autouse=True)
def project(pytester: pytest.Pytester, copy_inner: Callable[..., None]) -> None:
    """Have an app."""
    copy_inner("office.py", "test_components.py")
    pytester.makeini("[pytest]\npythonpath = .\naddopts = -rs")


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let a library be not installed."""

    def hide(library: str) -> None:
        monkeypatch.setitem(sys.modules, library, None)

    return hide


@pytest.mark.parametrize("library", ["mongomock", "pymongo"])
def test_a_default_backend_without_its_library_is_left_out_and_this_is_said(
    pytester: pytest.Pytester, without: Callable[[str], None], library: str
) -> None:
    """Once, not for each test; nobody asked for it."""
    without(library)
    pytester.makepyfile(test_own=NAMES)

    result = pytester.runpytest_inprocess("test_own.py")

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "pynenc: backend memory,sqlite,mongomock (default, where installed)",
            f"pynenc: left out mongomock: needs {library}, not installed here",
        ]
    )


def test_a_run_that_needs_no_backend_says_nothing_of_it(
    pytester: pytest.Pytester, without: Callable[[str], None]
) -> None:
    """It has not even looked."""
    without("mongomock")
    pytester.makepyfile(test_sample="def test_sample(): pass")

    result = pytester.runpytest_inprocess("test_sample.py")

    result.assert_outcomes(passed=1)
    assert "left out" not in result.stdout.str()


def test_a_run_that_needs_no_backend_looks_for_no_library(pytester: pytest.Pytester) -> None:
    """To look for one takes time, wherever the plugin is installed."""
    pytester.makeconftest(WATCHING)
    pytester.makepyfile(test_sample="def test_sample(): pass")

    result = pytester.runpytest_subprocess("test_sample.py", timeout=60)

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("name", ["mongomock", "mongo", "sqlite+mongo"])
def test_a_named_backend_without_its_library_is_a_usage_error(
    pytester: pytest.Pytester, without: Callable[[str], None], name: str
) -> None:
    """Before any test runs; with the command that installs it."""
    without("pymongo")

    result = pytester.runpytest_inprocess(f"--pynenc-backend={name}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [f"ERROR: --pynenc-backend '{name}' (from --pynenc-backend): needs pymongo*", f"*{INSTALL}"]
    )


def test_a_named_backend_without_its_library_is_skipped_on_demand(
    pytester: pytest.Pytester, without: Callable[[str], None]
) -> None:
    """As one whose service is missing."""
    without("mongomock")

    result = pytester.runpytest_inprocess("--pynenc-backend=mongomock", "--pynenc-missing=skip")

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(
        ["*'mongomock' needs mongomock, not installed here", f"- {INSTALL}"]
    )


@pytest.mark.parametrize(("in_ci", "outcome"), [("", "skipped"), ("true", "errors")])
def test_a_test_that_names_a_backend_without_its_library_is_skipped_but_in_ci(
    pytester: pytest.Pytester,
    without: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    in_ci: str,
    outcome: str,
) -> None:
    """Who runs the tests has not named it."""
    without("mongomock")
    monkeypatch.setenv("CI", in_ci)
    pytester.makepyfile(
        test_own="""
        import pytest

        @pytest.mark.parametrize("pynenc_backend", ["mongomock"], indirect=True)
        def test_it(pynenc_place): pass
        """
    )

    result = pytester.runpytest_inprocess("test_own.py")

    result.assert_outcomes(**{outcome: 1})
    result.stdout.fnmatch_lines("*'mongomock' needs mongomock, not installed here*")


def test_a_test_for_a_backend_that_was_left_out_is_skipped_with_the_reason(
    pytester: pytest.Pytester, without: Callable[[str], None]
) -> None:
    """One more of the reasons why no backend fits."""
    without("mongomock")
    test = f"import pytest\n@pytest.mark.pynenc_backends('mongomock')\n{NAMES}"
    pytester.makepyfile(test_own=test)

    result = pytester.runpytest_inprocess("test_own.py")

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines("*no selected backend fits: *; mongomock needs mongomock, not*")


def test_the_listing_says_which_backends_cannot_run(
    pytester: pytest.Pytester, without: Callable[[str], None]
) -> None:
    """And how to change that; others are as they were."""
    without("mongomock")

    result = pytester.runpytest_inprocess("--pynenc-list-backends")

    result.stdout.fnmatch_lines(
        [
            "sqlite: * (claims atomic, durable, real_engine, shared)",
            "mongomock: * (claims *); needs mongomock, not installed here: pip install *",
            "mongo: * (claims atomic, durable, real_engine, shared)",
        ]
    )
