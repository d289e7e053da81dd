"""What pynenc's contract says of this backend."""

import pytest
from filestore.backend import BACKEND

from pytest_pynenc_state import Backend, StateConformance


class TestFiles(StateConformance):
    """Every clause, on a folder of its own."""

    @pytest.fixture
    def backend_under_test(self) -> Backend:
        return BACKEND
