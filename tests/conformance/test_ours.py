"""Our own backends keep every clause of the levels that they claim."""

from __future__ import annotations

from pytest_pynenc_state import StateConformance


class TestOurs(StateConformance):
    """On each selected backend, with nothing left out."""
