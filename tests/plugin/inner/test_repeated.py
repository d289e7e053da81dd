"""Tests that are run again; which attempt it is, a file says."""

# ruff: noqa: ANN001, ANN201
# Written as the author of an application would, without annotations.

from __future__ import annotations

from pathlib import Path

import office
import pytest

pytestmark = pytest.mark.pynenc(app="office:app")


@pytest.fixture
def attempt(pynenc_place):
    """Note where this attempt is; return which one it is."""
    path = Path("attempts.txt")
    before = path.read_text().splitlines() if path.exists() else []
    path.write_text("\n".join([*before, pynenc_place.location]))
    return len(before) + 1


@pytest.mark.usefixtures("pynenc_app")
def test_fails_once(attempt):
    """Fail, and pass."""
    office.add(1, 2)
    assert attempt > 1


@pytest.mark.usefixtures("pynenc_app", "attempt")
def test_fails_always():
    """Fail, and fail."""
    office.add(1, 2)
    raise RuntimeError


@pytest.mark.usefixtures("pynenc_runner")
def test_breaks_a_rule_at_last(attempt):
    """Fail, and leave a history that cannot be."""
    invocation = office.add(1, 2)
    assert invocation.result == 3
    assert attempt > 1
    office.app.state_backend.set_exception(invocation.invocation_id, ValueError("both"))
