"""Which backends a test runs on: options first, then markers, then its own parameters."""

from __future__ import annotations

from collections.abc import Callable

import pytest

NAMES = "def test_names(pynenc_backend): pass"

CONFTEST = """
    from backends_of_others import ACME

    def pytest_pynenc_backends(config):
        return [ACME]
"""


@pytest.fixture(autouse=True)
def project(pytester: pytest.Pytester, copy_inner: Callable[..., None]) -> None:
    """Have a backend of somebody else on the path."""
    copy_inner("backends_of_others.py", "office.py")
    pytester.makeini("[pytest]\npythonpath = .\naddopts = --strict-markers -rs")


def collected(pytester: pytest.Pytester, *arguments: str) -> list[str]:
    """Return the parameters of the tests that would run, in order."""
    result = pytester.runpytest_inprocess("--collect-only", "-q", *arguments)
    assert result.ret == pytest.ExitCode.OK
    return [line.partition("[")[2][:-1] for line in result.outlines if "::" in line]


def collection_error(pytester: pytest.Pytester, test: str) -> str:
    """Return why *test* cannot be collected."""
    pytester.makepyfile(f"import pytest\n{test}")
    result = pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(errors=1)
    assert "_hookexec" not in result.stdout.str(), "the message drowns in a traceback"
    return result.stdout.str()


def test_memory_sqlite_and_mongomock_are_the_default(pytester: pytest.Pytester) -> None:
    """They need no service that somebody would have to start."""
    pytester.makepyfile(NAMES)

    assert collected(pytester) == ["memory", "sqlite", "mongomock"]


def test_a_test_that_only_uses_the_app_runs_on_each_backend_too(pytester: pytest.Pytester) -> None:
    """Every fixture of ours leads to pynenc_backend."""
    pytester.makepyfile("def test_app(pynenc_app): pass")

    assert collected(pytester) == ["memory", "sqlite", "mongomock"]


def test_named_backends_run_in_their_order(pytester: pytest.Pytester) -> None:
    """The option is repeatable and takes commas; each backend runs once."""
    pytester.makepyfile(NAMES)

    names = collected(
        pytester, "--pynenc-backend=sqlite,pynenc-memory", "--pynenc-backend=memory,sqlite"
    )

    assert names == ["sqlite", "pynenc-memory", "memory"]


def test_a_dotted_path_names_a_backend_of_the_project(pytester: pytest.Pytester) -> None:
    """No plugin has to be installed for it."""
    pytester.makepyfile("def test_it(pynenc_backend): assert pynenc_backend.name == 'acme'")

    result = pytester.runpytest_inprocess("--pynenc-backend=backends_of_others:ACME", "-v")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines("*::test_it[[]backends_of_others:ACME[]] PASSED*")


def test_a_backend_of_a_conftest_can_be_named(pytester: pytest.Pytester) -> None:
    """The hook pytest_pynenc_backends adds to the built-in ones."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(NAMES)

    assert collected(pytester, "--pynenc-backend=acme,memory") == ["acme", "memory"]


def test_a_backend_of_an_installed_plugin_goes_by_its_entry_point(
    pytester: pytest.Pytester,
) -> None:
    """The name that users select is the one they see everywhere."""
    folder = pytester.mkdir("acme-1.0.dist-info")
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(
        "[pytest_pynenc_state.backends]\nemca = backends_of_others:ACME\n"
    )
    pytester.makepyfile("def test_it(pynenc_backend): assert pynenc_backend.name == 'emca'")

    pytester.runpytest_inprocess("--pynenc-backend=emca").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "name",
    [
        "memory",
        "sqlite",
        "pynenc-memory",
        "pynenc-sqlite",
        "memory+sqlite",
        "sqlite+memory",
        "sqlite+pynenc-sqlite",
        "mongomock",
        "mongomock+sqlite",
        "memory+mongomock",
        "pynenc-sqlite+sqlite",
        "backends_of_others:ACME+memory",
    ],
)
def test_a_thread_runner_works_on_each_backend_and_composite(
    pytester: pytest.Pytester,
    copy_inner: Callable[..., None],
    places_left: Callable[[], list[str]],
    name: str,
) -> None:
    """The classes are those of the recipe, and nothing of the place is left behind."""
    copy_inner("test_components.py")

    result = pytester.runpytest_inprocess(f"--pynenc-backend={name}")

    result.assert_outcomes(passed=1)
    assert places_left() == []


def test_a_composite_has_the_state_backend_of_the_first_and_all_else_of_the_second(
    pytester: pytest.Pytester,
) -> None:
    """The order of the names says which is which."""
    pytester.makepyfile(
        """
        def test_it(pynenc_app):
            components = (pynenc_app.state_backend, pynenc_app.orchestrator, pynenc_app.broker)
            assert [type(component).__name__ for component in components] == [
                "PytestMemStateBackend", "PytestSQLiteOrchestrator", "PytestSQLiteBroker"
            ]
        """
    )

    result = pytester.runpytest_inprocess("--pynenc-backend=memory+sqlite")

    result.assert_outcomes(passed=1)


def test_a_composite_that_cannot_be_is_refused(pytester: pytest.Pytester) -> None:
    """One app cannot follow two files; the message names the setting."""
    pytester.makepyfile(
        backends_at_odds="""
        from dataclasses import replace
        from backends_of_others import ACME
        from pytest_pynenc_state import Place

        def open_elsewhere(space):
            return Place({"sqlite_db_path": "elsewhere"}, "elsewhere")

        ODD = replace(ACME, name="odd", open_place=open_elsewhere)
        """,
        test_app="def test_app(pynenc_app): pass",
    )

    result = pytester.runpytest_inprocess("--pynenc-backend=backends_at_odds:ODD+sqlite")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*both backends of a composite set 'sqlite_db_path'*elsewhere*")


@pytest.mark.parametrize(
    ("components", "select", "told"),
    [
        ({"broker_cls": "MemBroker"}, "bare:BACKEND+sqlite", "'bare' has no state backend to *"),
        ({"state_backend": "Mine"}, "bare:BACKEND", "there is no component 'state_backend'*"),
    ],
)
def test_a_backend_with_other_components_than_it_needs_is_refused(
    pytester: pytest.Pytester, components: dict[str, str], select: str, told: str
) -> None:
    """Before a test runs on what pynenc takes in their place."""
    pytester.makepyfile(
        bare=f"""
        from pytest_pynenc_state import Backend

        BACKEND = Backend(name="bare", components={components}, modules=(), open_place=None)
        """,
        test_app="def test_app(pynenc_app): pass",
    )

    result = pytester.runpytest_inprocess(f"--pynenc-backend={select}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(f"ERROR: *{told}")


@pytest.mark.parametrize("name", ["memory", "memory+sqlite", "sqlite+memory", "pynenc-memory"])
def test_a_process_runner_on_an_unshared_backend_that_was_named_is_an_error(
    pytester: pytest.Pytester, name: str
) -> None:
    """The other process would see an empty store, and the test would wait for nothing."""
    pytester.makepyfile("def test_it(pynenc_runner): raise RuntimeError('began')")

    result = pytester.runpytest_inprocess(f"--pynenc-backend={name}", "--pynenc-runner=process")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [f"*NotShared: the process runner needs a second process*{name!r}*", "*- select a backend*"]
    )
    assert "began" not in result.stdout.str()


def test_a_process_runner_leaves_an_unshared_default_out(pytester: pytest.Pytester) -> None:
    """Nobody asked for memory, so the test runs where it can."""
    pytester.makepyfile("def test_it(pynenc_runner): pass\ndef test_app(pynenc_app): pass")

    names = collected(pytester, "--pynenc-runner=process")

    assert names == ["sqlite", "mongomock", "memory", "sqlite", "mongomock"]


@pytest.mark.parametrize(
    ("marker", "names"),
    [
        ("pynenc_backends('sqlite')", ["sqlite"]),
        ("pynenc_backends('sqlite', 'memory')", ["memory", "sqlite"]),
        ("pynenc_backends('sqlite', 'pynenc-sqlite')", ["sqlite"]),
        ("pynenc_backends(exclude='sqlite')", ["memory", "mongomock"]),
        ("pynenc_backends(exclude=['memory', 'pynenc-memory'])", ["sqlite", "mongomock"]),
        ("pynenc_backends('sqlite', 'memory', exclude=('memory',))", ["sqlite"]),
        ("pynenc_requires('shared')", ["sqlite", "mongomock"]),
        ("pynenc_requires('shared', 'durable')", ["sqlite", "mongomock"]),
        ("pynenc_requires('real_engine')", ["memory", "sqlite"]),
    ],
)
def test_a_marker_chooses_among_the_selected_backends(
    pytester: pytest.Pytester, marker: str, names: list[str]
) -> None:
    """It never adds one, and keeps the order of the selection."""
    pytester.makepyfile(f"import pytest\n@pytest.mark.{marker}\n{NAMES}")

    assert collected(pytester) == names


def test_markers_of_module_and_class_hold_for_their_tests(pytester: pytest.Pytester) -> None:
    """Requirements add up; the closest list of backends counts."""
    pytester.makepyfile(
        """
        import pytest

        pytestmark = [pytest.mark.pynenc_requires("durable"), pytest.mark.pynenc_backends("memory")]

        @pytest.mark.pynenc_backends("sqlite", "pynenc-memory")
        class TestClass:
            def test_inherits(self, pynenc_backend): pass

            @pytest.mark.pynenc_backends("pynenc-memory", "sqlite", "pynenc-sqlite")
            @pytest.mark.pynenc_requires("shared")
            def test_adds(self, pynenc_backend): pass

        def test_of_module(pynenc_backend): pass
        """
    )

    backends = "--pynenc-backend=memory,sqlite,pynenc-memory,pynenc-sqlite"
    assert collected(pytester, backends) == ["sqlite", "sqlite", "pynenc-sqlite", "none"]


@pytest.mark.parametrize(
    ("marker", "wrong", "remedy"),
    [
        ("pynenc_backends('sqlit')", "no backend is called 'sqlit'", "did you mean 'sqlite'?"),
        (
            "pynenc_backends(exclude='memry')",
            "no backend is called 'memry'",
            "did you mean 'memory'?",
        ),
        ("pynenc_backends(only='sqlite')", ": it got an unexpected", "pytest --markers"),
        ("pynenc_requires('shard')", "no capability 'shard'", "did you mean 'shared'?"),
        ("pynenc_requires(all=True)", "'all'", "pytest --markers"),
        ("pynenc_backends(3)", "3", "choose from: memory"),
    ],
)
def test_a_bad_marker_is_an_error_that_says_how_to_mend_it(
    pytester: pytest.Pytester, marker: str, wrong: str, remedy: str
) -> None:
    """It names the test, the marker and the near match."""
    message = collection_error(pytester, f"@pytest.mark.{marker}\n{NAMES}")

    for part in ("::test_names", f"marker {marker.partition('(')[0]}", wrong, remedy):
        assert part in message


def test_a_test_without_any_backend_left_is_skipped_with_the_reasons(
    pytester: pytest.Pytester,
) -> None:
    """One reason for each backend that was selected."""
    pytester.makepyfile(
        f"""
        import pytest
        @pytest.mark.pynenc_backends(exclude="sqlite")
        @pytest.mark.pynenc_requires("shared", "atomic", "real_engine")
        {NAMES}
        """
    )

    result = pytester.runpytest_inprocess()

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(
        "*no selected backend fits: memory lacks shared, atomic; "
        "sqlite is left out by the marker pynenc_backends; mongomock lacks real_engine"
    )


def test_a_test_may_parametrize_the_backend_itself(pytester: pytest.Pytester) -> None:
    """Then it runs on these, selected or not, each under the name the test gave."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("number, pynenc_backend", [(1, "pynenc-memory")], indirect=[
            "pynenc_backend"])
        def test_two(number, pynenc_backend, pynenc_app):
            assert type(pynenc_app.state_backend).__name__ == "MemStateBackend"

        @pytest.mark.parametrize(argnames=["pynenc_backend"], argvalues=[["sqlite"]], indirect=True)
        def test_one(pynenc_backend):
            assert pynenc_backend.name == "sqlite"
        """
    )

    pytester.runpytest_inprocess().assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("override", "backends"), [("()", [""]), ("(pynenc_backend)", ["memory", "sqlite"])]
)
def test_an_authors_own_backend_is_the_only_one_unless_it_builds_on_the_selected(
    pytester: pytest.Pytester, override: str, backends: list[str]
) -> None:
    """Each would be tested again under the name of another."""
    pytester.makeconftest(
        f"""
        import pytest
        from backends_of_others import ACME

        @pytest.fixture
        def pynenc_backend{override}:
            return ACME
        """
    )
    pytester.makepyfile("def test_it(pynenc_place): pass")

    assert collected(pytester, "--pynenc-backend=memory,sqlite") == backends


def test_an_unknown_runner_kind_of_a_parametrized_runner_names_the_near_match(
    pytester: pytest.Pytester,
) -> None:
    """A test may choose its runner's kind, and may mistype it."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.pynenc_backends("sqlite")
        @pytest.mark.parametrize("pynenc_runner", ["proces"], indirect=True)
        def test_it(pynenc_runner): pass
        """
    )

    result = pytester.runpytest_inprocess()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no kind of runner 'proces'*", "*did you mean 'process'?*"])


@pytest.mark.parametrize(
    ("names", "values", "fixture"),
    [
        ("'pynenc_runner'", "['process']", "pynenc_runner"),
        ("'pynenc_backend'", "['memory']", "pynenc_backend"),
        ("'number, pynenc_runner'", "[pytest.param(1, 'process')]", "pynenc_runner"),
        ("['pynenc_backend']", "[['memory']], indirect=[]", "pynenc_backend"),
    ],
)
def test_names_that_would_be_given_in_place_of_the_fixture_are_an_error(
    pytester: pytest.Pytester, names: str, values: str, fixture: str
) -> None:
    """Without `indirect`, tasks wait for ever for a runner, in the store the app always has."""
    arguments = "pynenc_runner, number=1" if "runner" in names else "pynenc_backend"
    marker = f"@pytest.mark.parametrize({names}, {values})"

    message = collection_error(pytester, f"{marker}\ndef test_names({arguments}): pass")

    assert f"::test_names: '{fixture}' is parametrized with names" in message
    assert f"add indirect=['{fixture}']" in message


def test_a_parameter_that_is_no_name_is_an_error(pytester: pytest.Pytester) -> None:
    """It says what was expected, whatever was given."""
    pytester.makepyfile(
        f"""
        import pytest
        @pytest.mark.parametrize("pynenc_backend", [{{}}], indirect=True)
        {NAMES}
        """
    )

    result = pytester.runpytest_inprocess()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*pynenc_backend: expected the name of a backend, got {}*")


def test_a_clause_marker_without_an_id_does_not_end_the_run(pytester: pytest.Pytester) -> None:
    """It checks no clause, and so counts as none."""
    pytester.makepyfile(f"import pytest\n@pytest.mark.pynenc_clause()\n{NAMES}")

    result = pytester.runpytest_inprocess("--pynenc-backend=memory")

    result.assert_outcomes(passed=1)
