"""Places: one for each test, removed after it, or kept and named for whoever wants to look."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pynenc.state_backend.base_state_backend import BaseStateBackend
from pynenc.state_backend.mem_state_backend import MemStateBackend

from pytest_pynenc_state.backends.memory.state_backend import PytestMemStateBackend

BACKENDS = ["memory", "sqlite", "pynenc-memory", "pynenc-sqlite"]
SURVIVORS = ["fails", "fails_in_setup", "fails_in_teardown", "fails_in_late_teardown"]

PlacesLeft = Callable[[], list[str]]

DOWN = """
    from backends_of_others import DOWN

    def pytest_pynenc_backends(config):
        return [DOWN]
"""


@pytest.fixture(autouse=True)
def project(pytester: pytest.Pytester, copy_inner: Callable[..., None]) -> None:
    """Have an app whose tests end in every way."""
    copy_inner("office.py", "backends_of_others.py")
    pytester.makeini("[pytest]\npythonpath = .\naddopts = -rs")


def run_ending(pytester: pytest.Pytester, ending: str, *arguments: str) -> pytest.RunResult:
    test = f"test_endings.py::test_{ending}"
    return pytester.runpytest_inprocess(test, "--pynenc-backend=sqlite", *arguments)


def kept_database(places_left: PlacesLeft) -> str:
    """Return the one database that was kept; its write-ahead log may lie beside it."""
    (path,) = (path for path in places_left() if path.endswith(".db"))
    return path


def assert_holds_the_trace(pytester: pytest.Pytester, path: str) -> None:
    """Open the file as anybody would, and find what the test has left."""
    invocation_id = pytester.path.joinpath("invocation.txt").read_text()
    with closing(sqlite3.connect(path)) as connection:
        assert invocation_id in "".join(connection.iterdump())


@pytest.mark.parametrize("backend", BACKENDS)
def test_two_tests_never_see_each_others_data(
    pytester: pytest.Pytester,
    copy_inner: Callable[..., None],
    places_left: PlacesLeft,
    backend: str,
) -> None:
    """Also not if they test the same app, under the same id. Nothing is left of them."""
    copy_inner("test_isolation.py")

    result = pytester.runpytest_inprocess(f"--pynenc-backend={backend}")

    result.assert_outcomes(passed=2)
    assert len(set(pytester.path.joinpath("places.txt").read_text().splitlines())) == (
        1 if backend == "memory" else 2
    )
    assert places_left() == []
    assert "kept pynenc places" not in result.stdout.str()


@pytest.mark.parametrize(
    ("backend", "state_backend"),
    [("memory", PytestMemStateBackend), ("pynenc-memory", MemStateBackend)],
)
def test_memory_forgets_the_apps_of_a_test(
    pytester: pytest.Pytester, backend: str, state_backend: type[BaseStateBackend[Any, Any]]
) -> None:
    """What discovers apps in the memory of this process finds those that it found before."""
    pytester.makepyfile(
        """
        def test_it(pynenc_state_backend, pynenc_app):
            assert pynenc_app.app_id in pynenc_state_backend.discover_app_infos()
        """
    )
    former = state_backend.discover_app_infos()

    pytester.runpytest_inprocess(f"--pynenc-backend={backend}").assert_outcomes(passed=1)

    assert state_backend.discover_app_infos() == former


@pytest.mark.parametrize("ending", SURVIVORS)
@pytest.mark.parametrize("backend", ["sqlite", "pynenc-sqlite"])
def test_the_place_of_a_failed_test_is_kept_and_named(
    pytester: pytest.Pytester,
    copy_inner: Callable[..., None],
    places_left: PlacesLeft,
    ending: str,
    backend: str,
) -> None:
    """Wherever it failed: in the report of that failure, and once more in the summary."""
    copy_inner("test_endings.py")

    result = pytester.runpytest_inprocess(
        f"test_endings.py::test_{ending}", f"--pynenc-backend={backend}"
    )

    path = kept_database(places_left)
    result.stdout.fnmatch_lines(
        [
            "*- pynenc place -*",
            f"{backend}: {path} (kept)",
            "*= kept pynenc places =*",
            f"test_endings.py::test_{ending}[[]{backend}[]]: {backend}: {path}",
        ]
    )
    assert_holds_the_trace(pytester, path)


@pytest.mark.parametrize("ending", ["passes", "skips", "fails_as_expected"])
def test_the_place_of_a_test_that_did_not_fail_is_removed(
    pytester: pytest.Pytester,
    copy_inner: Callable[..., None],
    places_left: PlacesLeft,
    ending: str,
) -> None:
    """There is nothing to look for in it."""
    copy_inner("test_endings.py")

    result = run_ending(pytester, ending)

    assert result.ret == pytest.ExitCode.OK
    assert places_left() == []
    assert "pynenc place" not in result.stdout.str()


def test_the_place_of_an_interrupted_test_is_removed(
    pytester: pytest.Pytester, copy_inner: Callable[..., None], places_left: PlacesLeft
) -> None:
    """Such a test is torn down late, and no report could name its place."""
    copy_inner("test_endings.py")
    arguments = ("test_endings.py::test_is_interrupted", "--pynenc-backend=sqlite")

    result = pytester.runpytest_inprocess(*arguments, no_reraise_ctrlc=True)

    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert places_left() == []


@pytest.mark.parametrize("ending", SURVIVORS)
def test_nothing_is_kept_if_nothing_is_to_be_kept(
    pytester: pytest.Pytester,
    copy_inner: Callable[..., None],
    places_left: PlacesLeft,
    ending: str,
) -> None:
    """``--pynenc-keep none`` is for machines that nobody looks at."""
    copy_inner("test_endings.py")

    result = run_ending(pytester, ending, "--pynenc-keep=none")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert places_left() == []
    assert "pynenc place" not in result.stdout.str()


def test_the_place_of_a_passed_test_is_kept_on_demand(
    pytester: pytest.Pytester, copy_inner: Callable[..., None], places_left: PlacesLeft
) -> None:
    """``--pynenc-keep all`` is for whoever wants to see what a good run looks like."""
    copy_inner("test_endings.py")

    result = run_ending(pytester, "passes", "--pynenc-keep=all")

    path = kept_database(places_left)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["*= kept pynenc places =*", f"test_endings.py::test_passes*: sqlite: {path}"]
    )
    assert_holds_the_trace(pytester, path)


def test_a_place_that_is_named_is_there_whatever_pytest_removes(
    pytester: pytest.Pytester, copy_inner: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The summary must not name a file that is gone by the time somebody reads it."""
    monkeypatch.setattr("tempfile.tempdir", str(pytester.path))
    copy_inner("test_endings.py")
    policy = "tmp_path_retention_policy=failed"

    result = run_ending(pytester, "passes", "--pynenc-keep=all", "-o", policy)

    lines = [line for line in result.outlines if line.startswith("test_endings.py::")]
    (line,) = (line for line in lines if ": sqlite: " in line)
    assert Path(line.rpartition(": ")[2]).exists()


def test_memory_is_not_said_to_be_kept(
    pytester: pytest.Pytester, copy_inner: Callable[..., None]
) -> None:
    """It is gone with the process: naming it would send somebody looking for nothing."""
    copy_inner("test_endings.py")

    result = run_ending(pytester, "fails", "--pynenc-backend=memory", "--pynenc-keep=all")

    result.assert_outcomes(failed=2)
    assert "memory of process" not in result.stdout.str()


def test_the_log_of_failed_test_without_other_processes_has_no_section(
    pytester: pytest.Pytester, copy_inner: Callable[..., None]
) -> None:
    """An empty section would only be in the way."""
    copy_inner("test_endings.py")

    result = run_ending(pytester, "fails")

    result.assert_outcomes(failed=1)
    assert "pynenc runner log" not in result.stdout.str()


@pytest.mark.parametrize(
    ("arguments", "variables", "outcome"),
    [
        ([], {}, "skipped"),
        ([], {"CI": "true"}, "errors"),
        (["--pynenc-missing=fail"], {}, "errors"),
        (["--pynenc-missing=skip"], {"CI": "true"}, "skipped"),
        (["--pynenc-backend=down"], {}, "errors"),
        ([], {"PYTEST_PYNENC_BACKEND": "down"}, "errors"),
        (["--pynenc-backend=down", "--pynenc-missing=skip"], {}, "skipped"),
    ],
)
def test_a_missing_service_skips_unless_somebody_relies_on_it(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    variables: dict[str, str],
    outcome: str,
) -> None:
    """Who named the backend, or runs in CI, would take a skipped test for a passed one."""
    pytester.makeconftest(DOWN)
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("pynenc_backend", ["down"], indirect=True)
        def test_it(pynenc_place): pass
        """
    )
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    result = pytester.runpytest_inprocess(*arguments)

    result.assert_outcomes(**{outcome: 1})
    result.stdout.fnmatch_lines("*no server at acme:27017*")


@pytest.mark.parametrize(
    "end", ["raise SystemExit(3)", "pytest.skip('no', allow_module_level=True)"]
)
def test_a_module_of_a_backend_that_ends_on_import_is_named(
    pytester: pytest.Pytester, end: str
) -> None:
    """It ends neither the run nor, as if it had asked for that, the test alone."""
    pytester.makepyfile(
        ending=f"import pytest\n{end}",
        recipe="""
        from pytest_pynenc_state import Backend

        BACKEND = Backend(
            name="ending", components={}, modules=("ending",), open_place=lambda space: None
        )
        """,
        test_it="def test_it(pynenc_place): pass",
    )
    pytester.makeini("[pytest]\npythonpath = .")

    result = pytester.runpytest_inprocess("--pynenc-backend=recipe:BACKEND")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*backend 'ending': modules: cannot import 'ending': S*")


def test_an_opener_that_returns_no_place_is_named(pytester: pytest.Pytester) -> None:
    """Once, and not as what pytest met when it went on with what it got."""
    pytester.makepyfile(
        half_done="""
        from pytest_pynenc_state import Backend

        BACKEND = Backend(name="half", components={}, modules=(), open_place=lambda space: None)
        """,
        test_it="def test_it(pynenc_place): pass",
    )
    pytester.makeini("[pytest]\npythonpath = .")

    result = pytester.runpytest_inprocess("--pynenc-backend=half_done:BACKEND")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*backend 'half': open_place returned None, expected a Place", "*- return pytest_pynenc*"]
    )


@pytest.mark.parametrize(
    ("fixture", "value", "told"),
    [
        ("pynenc_backend", "'sqlite'", "expected a pytest_pynenc_state.Backend, got 'sqlite'"),
        ("pynenc_place", "None", "expected a pytest_pynenc_state.Place, got None"),
        ("pynenc_namespace", "'a/b'", "expected letters, digits, _ and -, got 'a/b'"),
        ("pynenc_namespace", "None", "expected letters, digits, _ and -, got None"),
        ("pynenc_config", "None", "expected a mapping of pynenc's configuration fields, got None"),
        ("pynenc_config", "{3: 4}", "pynenc has no configuration field 3"),
    ],
)
def test_an_own_fixture_that_gives_something_else_is_named(
    pytester: pytest.Pytester, fixture: str, value: str, told: str
) -> None:
    """The author of the test knows which one to mend."""
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.fixture
        def {fixture}():
            return {value}

        def test_it(pynenc_app): pass
        """
    )

    result = pytester.runpytest_inprocess("--pynenc-backend=sqlite")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(f"E *Error: *{fixture}*{told}")
