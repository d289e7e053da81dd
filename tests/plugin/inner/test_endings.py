"""One test for each way in which a test can end. Each leaves an invocation in its place."""

from __future__ import annotations

from pathlib import Path

import office
import pytest

pytestmark = pytest.mark.pynenc(app="office:app")


@pytest.fixture
def trace(pynenc_app):
    """Leave an invocation, and say which."""
    invocation = office.add(1, 2)
    assert pynenc_app.orchestrator.count_invocations() == 1
    Path("invocation.txt").write_text(invocation.invocation_id)


@pytest.fixture
def broken_setup(trace):
    """Fail before the test begins."""
    raise RuntimeError


@pytest.fixture
def broken_teardown(trace):
    """Fail after the test has passed, while the app and the place are still open."""
    yield
    raise RuntimeError


@pytest.fixture
def late_broken_teardown():
    """Fail after the app has been put back."""
    yield
    raise RuntimeError


def test_passes(trace):
    """Pass."""


def test_fails(trace):
    """Fail."""
    raise RuntimeError


def test_fails_in_setup(broken_setup):
    """Never begin."""


def test_fails_in_teardown(broken_teardown):
    """Pass, and fail afterwards."""


def test_fails_in_late_teardown(late_broken_teardown, trace):
    """Pass, and fail afterwards."""


def test_skips(trace):
    """Find out late that there is nothing to test."""
    pytest.skip("no reason to keep anything")


@pytest.mark.xfail(reason="known to fail", strict=True)
def test_fails_as_expected(trace):
    """Fail as expected."""
    raise RuntimeError
