"""Tests that pytest runs once only: methods of a TestCase, and fixtures asked for by name."""

from __future__ import annotations

import pytest

TEST_CASE = """
    import unittest
    import pytest

    {marker}
    class TestNames(unittest.TestCase):
        @pytest.fixture(autouse=True)
        def give(self, pynenc_app, pynenc_backend):
            self.backend = pynenc_backend.name

        def test_name(self):
            self.assertEqual(self.backend, "sqlite")
"""


@pytest.mark.parametrize(
    ("marker", "option"),
    [
        ("", "--pynenc-backend=sqlite"),
        ("@pytest.mark.pynenc_backends('sqlite')", "-v"),
        ("@pytest.mark.pynenc_requires('shared')", "--pynenc-backend=memory,sqlite"),
    ],
)
def test_a_method_of_a_test_case_runs_on_the_backend_that_is_left(
    pytester: pytest.Pytester, marker: str, option: str
) -> None:
    """Option and markers count as for any other test."""
    pytester.makepyfile(TEST_CASE.format(marker=marker))

    pytester.runpytest_inprocess(option).assert_outcomes(passed=1)


def test_of_several_backends_none_is_taken_and_the_error_says_how_to_choose(
    pytester: pytest.Pytester,
) -> None:
    """To take the first would leave the others untested, and nobody would know."""
    pytester.makepyfile(TEST_CASE.format(marker=""))

    result = pytester.runpytest_inprocess("--pynenc-backend=sqlite,memory")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*::test_name: pytest runs this test once*has 2 to run on: sqlite, memory",
            "*@pytest.mark.pynenc_backends('sqlite')",
            "*--pynenc-backend sqlite",
        ]
    )


def test_a_test_case_without_any_backend_left_is_skipped(pytester: pytest.Pytester) -> None:
    """With the reasons, as other tests are."""
    pytester.makepyfile(TEST_CASE.format(marker="@pytest.mark.pynenc_requires('shared')"))

    result = pytester.runpytest_inprocess("--pynenc-backend=memory", "-rs")

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines("*no selected backend fits: memory lacks shared")


def test_a_fixture_that_is_asked_for_by_its_name_has_the_backend_that_is_left(
    pytester: pytest.Pytester,
) -> None:
    """The test does not name it, so it was not made once for each backend."""
    pytester.makepyfile("def test_app(request): request.getfixturevalue('pynenc_app')")

    pytester.runpytest_inprocess("--pynenc-backend=memory").assert_outcomes(passed=1)
