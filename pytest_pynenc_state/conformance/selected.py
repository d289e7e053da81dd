"""What ``pytest --pynenc-conformance`` runs: all clauses on each of the selected backends."""

from __future__ import annotations

import pytest

from pytest_pynenc_state.backends.backend import Backend
from pytest_pynenc_state.conformance.suite import StateConformance
from pytest_pynenc_state.session import state_of


class TestConformance(StateConformance):
    """The whole suite, with nothing left out."""

    @pytest.fixture
    def backend_under_test(self, request: pytest.FixtureRequest) -> Backend:
        """The selected one, whatever a conftest has for classes that its author wrote."""
        return state_of(request.config).backend(request.param)
