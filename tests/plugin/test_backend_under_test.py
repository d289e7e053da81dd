"""Which backend a subclass of the suite checks, and what is said if that cannot be had."""

from __future__ import annotations

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
