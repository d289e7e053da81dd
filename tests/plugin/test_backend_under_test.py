"""Which backend a subclass of the suite checks, and what is said if that cannot be had."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

FEW = "SB_INV_15 or SB_INV_16 or OR_TRA_01"


@pytest.fixture(autouse=True)
def project(pytester: pytest.Pytester, copy_inner: Callable[..., None]) -> None:
    """Have backends, and no tests."""
    copy_inner("authors_backend.py")
    pytester.makeini("[pytest]\npythonpath = .\naddopts = -p no:cacheprovider")


def test_a_violation_stays_if_the_same_backend_is_sound_in_another_setting(
    pytester: pytest.Pytester,
) -> None:
    """Parameters of the fixture are tests of one backend, and all of them are about it."""
    pytester.makepyfile(
        test_author="""
        from dataclasses import replace

        import pytest
        from authors_backend import FAR_SIGHTED, GOOD
        from pytest_pynenc_state import StateConformance

        class TestAuthor(StateConformance):
            @pytest.fixture(params=[FAR_SIGHTED, GOOD], ids=["one", "other"])
            def backend_under_test(self, request):
                return replace(request.param, name="mine")
        """
    )

    result = pytester.runpytest_inprocess("-k", FEW)

    result.assert_outcomes(passed=5, failed=1)
    result.stdout.fnmatch_lines(
        ["mine *basic * 2 * 1 *", "mine keeps 2 of * and so proves no level."]
    )


@pytest.mark.parametrize("home", ["conftest", "test_author"])
def test_a_fixture_outside_of_the_class_is_honoured(pytester: pytest.Pytester, home: str) -> None:
    """As any fixture is; the suite ran on backends that nobody had asked about."""
    fixture = """
        import pytest
        from authors_backend import FAR_SIGHTED

        @pytest.fixture
        def backend_under_test():
            return FAR_SIGHTED
        """
    suite = """
        from pytest_pynenc_state import StateConformance

        class TestAuthor(StateConformance):
            pass
        """
    files = {"conftest": fixture, "test_author": suite}
    pytester.makepyfile(**(files if home == "conftest" else {"test_author": fixture + suite}))

    result = pytester.runpytest_inprocess("-k", FEW)

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["far-sighted keeps 2 of *"])


def test_a_class_may_build_on_the_selected_backends(pytester: pytest.Pytester) -> None:
    """By asking for the fixture that it overrides, as with any other."""
    pytester.makepyfile(
        test_author="""
        from dataclasses import replace

        import pytest
        from pytest_pynenc_state import StateConformance

        class TestAuthor(StateConformance):
            @pytest.fixture
            def backend_under_test(self, backend_under_test):
                return replace(backend_under_test, name=f"my {backend_under_test.name}")
        """
    )

    result = pytester.runpytest_inprocess("-k", FEW, "--pynenc-backend=memory,sqlite")

    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["my memory keeps 3 of *", "my sqlite keeps 3 of *"])


def test_a_run_without_a_file_is_about_the_selected_backends(pytester: pytest.Pytester) -> None:
    """What a conftest has for a class of its author's is not what the command line names."""
    pytester.makeconftest(
        """
        import pytest
        from authors_backend import FAR_SIGHTED

        @pytest.fixture
        def backend_under_test():
            return FAR_SIGHTED
        """
    )

    result = pytester.runpytest_inprocess(
        "--pynenc-conformance", "--pynenc-backend=authors_backend:GOOD", "-k", FEW
    )

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["good keeps 3 of *"])


def test_a_place_that_cannot_be_opened_breaks_no_clause(pytester: pytest.Pytester) -> None:
    """Nothing was checked, and the run fails all the same."""
    result = pytester.runpytest_inprocess(
        "--pynenc-conformance",
        "--pynenc-backend=authors_backend:NO_ROOM",
        "--pynenc-report=found.json",
        "-k",
        FEW,
    )

    result.assert_outcomes(errors=3)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["no-room *basic * 0 * 0 * 0 * 0 * 0 * 3 *"])
    result.stdout.no_fnmatch_line("no-room SB-INV-15 undecided*")  # pytest has told it
    found = json.loads((pytester.path / "found.json").read_text())["backends"]["no-room"]
    clause = found["clauses"]["SB-INV-15"]
    assert clause["finding"] == "undecided"
    assert "RuntimeError: no room for pynenc_t_" in clause["reason"]
    assert clause["reason"] in clause["failure"]


def test_a_module_that_cannot_be_imported_is_named_with_its_backend(
    pytester: pytest.Pytester,
) -> None:
    """It breaks the one clause that is about components which cannot be built."""
    result = pytester.runpytest_inprocess(
        "--pynenc-conformance",
        "--pynenc-backend=authors_backend:NO_MODULE",
        "-k",
        f"{FEW} or SET_01",
    )

    result.assert_outcomes(errors=3, failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *BackendError: backend 'no-module': modules: cannot import 'no_such_package.*",
            "E *- correct the name in the backend's modules, or mend the module",
            "no-module *basic * 0 * 1 * 0 * 0 * 0 * 3 *",
        ]
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [("'sqlite'", "'sqlite'"), ("Backend", "<class *.Backend'>"), ("None", "None")],
)
def test_what_is_no_backend_is_refused(pytester: pytest.Pytester, given: str, told: str) -> None:
    """With the class and the fixture. A forgotten `return` was taken for an app without one."""
    pytester.makepyfile(
        test_author=f"""
        import pytest
        from pytest_pynenc_state import Backend, StateConformance

        class TestAuthor(StateConformance):
            @pytest.fixture
            def backend_under_test(self):
                return {given}
        """
    )

    result = pytester.runpytest_inprocess("-k", "SET_01 or SB_INV_15")

    result.assert_outcomes(errors=2)
    expected = "fixture backend_under_test of TestAuthor: expected a pytest_pynenc_state.Backend"
    result.stdout.fnmatch_lines(
        [f"E *BackendError: {expected}, got {told}", "E *- mend the fixture that overrides it, *"]
    )
