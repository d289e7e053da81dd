"""What ``pytest --pynenc-conformance`` runs: all clauses on each of the selected backends."""

from __future__ import annotations

from pytest_pynenc_state.conformance.suite import StateConformance


class TestConformance(StateConformance):
    """The whole suite, with nothing left out."""
