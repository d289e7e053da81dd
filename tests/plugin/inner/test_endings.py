"""One test for each way in which a test can end. Each leaves an invocation in its place."""

# ruff: noqa: ANN001, ANN201
# Written as the author of an application would, without annotations.

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
def broken_setup(trace):  # noqa: ARG001 - it comes first, and goes last
    """Fail before the test begins."""
    raise RuntimeError


@pytest.fixture
def broken_teardown(trace):  # noqa: ARG001 - it comes first, and goes last
    """Fail after the test has passed, while the app and the place are still open."""
    yield
    raise RuntimeError


@pytest.fixture
def late_broken_teardown():
    """Fail after the app has been put back."""
    yield
    raise RuntimeError


@pytest.mark.usefixtures("trace")
def test_passes():
    """Pass."""


@pytest.mark.usefixtures("trace")
def test_fails():
    """Fail."""
    raise RuntimeError


@pytest.mark.usefixtures("broken_setup")
def test_fails_in_setup():
    """Never begin."""


@pytest.mark.usefixtures("broken_teardown")
def test_fails_in_teardown():
    """Pass, and fail afterwards."""


@pytest.mark.usefixtures("late_broken_teardown", "trace")
def test_fails_in_late_teardown():
    """Pass, and fail afterwards."""


@pytest.mark.usefixtures("trace")
def test_skips():
    """Find out late that there is nothing to test."""
    pytest.skip("no reason to keep anything")


@pytest.mark.xfail(reason="known to fail", strict=True)
@pytest.mark.usefixtures("trace")
def test_fails_as_expected():
    """Fail as expected."""
    raise RuntimeError


@pytest.mark.usefixtures("trace")
def test_is_interrupted():
    """End as if somebody pressed Ctrl-C."""
    raise KeyboardInterrupt
