"""Apps on a place: fresh, the author's own and further ones, and who decides about them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

PYPROJECT = """
    [tool.pynenc]
    app_id = "of_the_project"
    sqlite_db_path = "elsewhere.db"
    state_backend_cls = "MemStateBackend"
    orchestrator_cls = "MemOrchestrator"
    broker_cls = "MemBroker"

    [tool.pynenc.sqlite]
    sqlite_db_path = "elsewhere.db"

    [tool.pynenc.orchestratorsqlite]
    sqlite_db_path = "elsewhere.db"
"""

VARIABLES = {
    "PYNENC__APP_ID": "of_the_shell",
    "PYNENC__SQLITE_DB_PATH": "elsewhere.db",
    "PYNENC__CONFIGORCHESTRATORSQLITE__SQLITE_DB_PATH": "elsewhere.db",
    "PYNENC__CONFIGPYNENC__STATE_BACKEND_CLS": "MemStateBackend",
    "PYNENC__STATE_BACKEND_CLS": "MemStateBackend",
    "PYNENC__BROKER_CLS": "MemBroker",
    "PYNENC__FILEPATH": "pyproject.toml",
}


@pytest.fixture(autouse=True)
def project(pytester: pytest.Pytester, copy_inner: Callable[..., None]) -> None:
    """Have apps and functions to make tasks of."""
    copy_inner("office.py", "stubborn.py", "jobs.py")
    pytester.makefile(".ini", pytest="[pytest]\npythonpath = .\n")


@pytest.mark.parametrize("backend", ["sqlite", "pynenc-sqlite"])
@pytest.mark.parametrize("rivals", ["none", "pyproject", "variables", "both"])
def test_nothing_wins_over_the_place(
    pytester: pytest.Pytester,
    copy_inner: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    backend: str,
    rivals: str,
) -> None:
    """Each of the rivals would, in pynenc, win over the values an app is built with."""
    copy_inner("test_winning.py")
    if rivals in ("pyproject", "both"):
        pytester.makepyprojecttoml(PYPROJECT)
    if rivals in ("variables", "both"):
        pytester.path.joinpath("pyproject.toml").touch()
        for name, value in VARIABLES.items():
            monkeypatch.setenv(name, value)

    result = pytester.runpytest_inprocess(f"--pynenc-backend={backend}", "--tb=short")

    assert not pytester.path.joinpath("elsewhere.db").exists()
    result.assert_outcomes(passed=3)


def test_a_place_without_an_app_is_in_the_environment_too(pytester: pytest.Pytester) -> None:
    """Processes that the test starts itself find it, as the fixture's docstring says."""
    pytester.makepyfile(
        """
        import os

        def test_it(pynenc_place):
            assert os.environ["PYNENC__SQLITE_DB_PATH"] == pynenc_place.values["sqlite_db_path"]
        """
    )

    pytester.runpytest_inprocess("--pynenc-backend=sqlite").assert_outcomes(passed=1)


def test_a_copy_of_a_fresh_app_keeps_its_id(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is configured anew, where a variable would beat the id that it was built with."""
    monkeypatch.setenv("PYNENC__APP_ID", "of_the_shell")
    pytester.makepyfile(
        """
        import pickle

        def test_it(pynenc_app, pynenc_namespace):
            assert pickle.loads(pickle.dumps(pynenc_app)).app_id == pynenc_namespace
        """
    )

    pytester.runpytest_inprocess("--pynenc-backend=sqlite").assert_outcomes(passed=1)


@pytest.mark.parametrize("line", ["", "app_id = 'of_the_project'"])
def test_a_copy_of_an_app_never_stands_in_for_a_further_app(
    pytester: pytest.Pytester, line: str
) -> None:
    """Left to itself, pynenc gives an unpickled copy, if it takes the two for the same."""
    pytester.makepyprojecttoml(f"[tool.pynenc]\n{line}")
    pytester.makepyfile(
        """
        import pickle

        def test_it(pynenc_app, pynenc_app_factory):
            copy = pickle.loads(pickle.dumps(pynenc_app))
            another = pynenc_app_factory("another")
            assert another is not copy
            assert another.app_id == "another"
        """
    )

    pytester.runpytest_inprocess("--pynenc-backend=sqlite").assert_outcomes(passed=1)


def test_the_closest_configuration_value_wins(
    pytester: pytest.Pytester, copy_inner: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Test, class, module, fixture, in that order; the developer's variables come last."""
    copy_inner("test_configuring.py")
    monkeypatch.setenv("PYNENC__MAX_PENDING_SECONDS", "77")
    monkeypatch.setenv("PYNENC__CONFIGPYNENC__PRINT_ARGUMENTS", "true")

    pytester.runpytest_inprocess("--pynenc-backend=sqlite").assert_outcomes(passed=6)


def test_values_of_the_fixture_hold_for_a_fresh_app(pytester: pytest.Pytester) -> None:
    """The fixture is overridden in a conftest, a module or a class, as any fixture."""
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture
        def pynenc_config():
            return {"max_pending_seconds": 6.0, "blocking_control": False}
        """
    )
    pytester.makepyfile(
        """
        def test_it(pynenc_app, pynenc_app_factory):
            for app in (pynenc_app, pynenc_app_factory("other")):
                assert app.conf.max_pending_seconds == 6.0
                assert app.orchestrator.conf.blocking_control is False
        """
    )

    result = pytester.runpytest_inprocess("--pynenc-backend=memory,sqlite")

    result.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    "given",
    [
        "@pytest.mark.pynenc(sqlite_timeout_s=0.3, mongo_timeout_s=0.3)",
        "@pytest.fixture\ndef pynenc_config(): return {'sqlite_timeout_s': 0.3, 'mongo_url': ''}\n",
    ],
)
def test_a_field_of_any_backend_is_known(pytester: pytest.Pytester, given: str) -> None:
    """Whatever was imported before, and whichever backend is selected: a suite has several."""
    pytester.makepyfile(f"import pytest\n{given}\ndef test_it(pynenc_app): pass")

    result = pytester.runpytest_subprocess("--pynenc-backend=sqlite")

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("arguments", "wrong", "remedy"),
    [
        (
            "max_pending_second=1",
            "no configuration field 'max_pending_second'",
            "did you mean 'max",
        ),
        (
            "max_pending_seconds='soon'",
            "does not take max_pending_seconds='soon': Invalid type. Expected <class 'float'>",
            "its default is 5.0",
        ),
        ("app='ofice:app'", "cannot import 'ofice'", "did you mean 'office'?"),
        ("app='office:ap'", "has no 'ap'", "did you mean 'app'?"),
        ("app='office:add'", "expected a pynenc.Pynenc", "name the variable"),
        ("app='office'", "'office'", "office:app"),
        ("app=3", "expected a pynenc.Pynenc, got int", ""),
        ("'office:app', 'office:app'", "positional argument", "pytest --markers"),
    ],
)
def test_a_bad_marker_is_an_error_that_says_how_to_mend_it(
    pytester: pytest.Pytester, arguments: str, wrong: str, remedy: str
) -> None:
    """Before anything runs; it names the marker, what is wrong and the near match."""
    pytester.makepyfile(
        f"""
        import pytest
        @pytest.mark.pynenc({arguments})
        def test_marked(pynenc_app): raise RuntimeError("began")
        """
    )

    result = pytester.runpytest_inprocess()

    result.assert_outcomes(errors=1)
    for part in ("::test_marked", "marker pynenc", wrong, remedy):
        assert part in result.stdout.str()
    assert "began" not in result.stdout.str()


@pytest.mark.parametrize(
    ("values", "wrong", "remedy"),
    [
        ({"max_pending_second": 1}, "pynenc_config: pynenc has no configuration field", "did you"),
        (
            {"blocking_control": None, "max_pending_seconds": None},
            "max_pending_seconds=None",
            "5.0",
        ),
        (
            {"sqlite_db_path": "elsewhere.db"},
            "'sqlite_db_path' belongs to the place",
            "leave it out",
        ),
        ({"broker_cls": "MemBroker"}, "'broker_cls' belongs to the place", "leave it out"),
    ],
)
def test_a_bad_value_of_the_fixture_fails_the_test(
    pytester: pytest.Pytester, values: dict[str, object], wrong: str, remedy: str
) -> None:
    """A field of the place would lead the test out of it."""
    pytester.makepyfile(
        f"""
        import pytest
        @pytest.fixture
        def pynenc_config(): return {values}
        def test_it(pynenc_app): raise RuntimeError("began")
        """
    )

    result = pytester.runpytest_inprocess("--pynenc-backend=sqlite")

    result.assert_outcomes(errors=1)
    for part in (wrong, remedy):
        assert part in result.stdout.str()
    assert "began" not in result.stdout.str()


@pytest.mark.parametrize("field", ["sqlite_db_path", "state_backend_cls"])
def test_a_marker_may_not_set_a_field_of_the_place(pytester: pytest.Pytester, field: str) -> None:
    """As the fixture may not."""
    pytester.makepyfile(
        f"""
        import pytest
        @pytest.mark.pynenc({field}="elsewhere")
        def test_it(pynenc_app): raise RuntimeError("began")
        """
    )

    result = pytester.runpytest_inprocess("--pynenc-backend=sqlite")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(f"*{field!r} belongs to the place of backend 'sqlite'*")


def test_the_factory_gives_further_apps_on_the_place(
    pytester: pytest.Pytester, copy_inner: Callable[..., None]
) -> None:
    """Further handles of the test's app, and other apps; with values of their own."""
    copy_inner("test_factory.py")

    result = pytester.runpytest_inprocess("--tb=short", "--pynenc-backend=memory,sqlite")

    result.assert_outcomes(passed=16)


def test_a_fresh_app_is_known_to_nobody_afterwards(pytester: pytest.Pytester) -> None:
    """Neither by its id, nor by a logger that would hold on to the output of its test."""
    pytester.makepyfile(
        """
        import logging
        import pickle

        def names():
            return [name for name in logging.Logger.manager.loggerDict if "pynenc_t_" in name]

        def test_one(pynenc_app):
            pynenc_app.logger.warning("built")
            pickle.loads(pickle.dumps(pynenc_app))
            assert names() == [f"pynenc.{pynenc_app.app_id}"]

        def test_two():
            from pynenc import Pynenc
            assert names() == []
            assert not [app_id for app_id in Pynenc._instances if app_id.startswith("pynenc_t_")]
        """
    )

    pytester.runpytest_inprocess("--pynenc-backend=sqlite").assert_outcomes(passed=2)


@pytest.mark.parametrize("stream", ["stderr", "stdout"])
def test_an_app_logs_to_the_stream_of_the_moment(pytester: pytest.Pytester, stream: str) -> None:
    """For each phase of a test, capsys has new ones, and closes those of the last phase."""
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.fixture
        def pynenc_config(): return {{"log_stream": "{stream}"}}

        @pytest.fixture
        def logged(capsys, pynenc_app):
            pynenc_app.logger.error("set up")
            yield
            pynenc_app.logger.error("torn down")

        def test_it(capsys, logged, pynenc_app):
            pynenc_app.logger.error("called")
            out, err = capsys.readouterr()
            assert [line.split()[-1] for line in (out + err).splitlines()] == ["up", "called"]
            assert "called" in {"err" if stream == "stderr" else "out"}
        """
    )

    result = pytester.runpytest_inprocess("--pynenc-backend=memory", "-s")

    result.assert_outcomes(passed=1)
    assert "Logging error" not in result.stderr.str()


@pytest.mark.parametrize("fixture", ["pynenc_runner", "pynenc_process", "pynenc_race"])
def test_no_process_is_started_for_an_app_that_is_elsewhere(
    pytester: pytest.Pytester, copy_inner: Callable[..., None], fixture: str
) -> None:
    """A fixture that returns the author's app as it is would let tests work on another store."""
    copy_inner("office.py")
    pytester.makepyfile(
        f"""
        import office
        import pytest

        office.app.conf  # read before any test

        @pytest.fixture
        def pynenc_app(): return office.app

        def test_it(pynenc_app, {fixture}): raise RuntimeError("began")
        """
    )

    result = pytester.runpytest_inprocess("--pynenc-backend=sqlite")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*AppError: app 'office' is not on the place of the test: *_cls is 'Mem*, not 'Pytest*",
            "*have your fixture pynenc_app ask for pynenc_app*",
        ]
    )
    assert "began" not in result.stdout.str()


@pytest.mark.parametrize(
    "fixture",
    [
        "pynenc_runner",
        "pynenc_process",
        "pynenc_race",
        "pynenc_recorder",
        "pynenc_history",
        "pynenc_state_backend",
        "pynenc_orchestrator",
    ],
)
def test_a_fixture_that_gives_no_app_is_named(pytester: pytest.Pytester, fixture: str) -> None:
    """An error from within says of nobody that a return was forgotten."""
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.fixture
        def pynenc_app(pynenc_app): pynenc_app.conf

        def test_it({fixture}): raise RuntimeError("began")
        """
    )

    result = pytester.runpytest_inprocess("--pynenc-backend=sqlite")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*AppError: fixture pynenc_app: expected a pynenc.Pynenc, got None",
            "*have your fixture pynenc_app ask for pynenc_app, and return what it gives",
        ]
    )
    assert "began" not in result.stdout.str()
