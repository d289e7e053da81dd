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
