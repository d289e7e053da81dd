"""pynenc's own suites for authors of backends, run on ours.

pynenc ships them in its wheel. Star imports, its plugins and an ``app_instance`` fixture
are the documented way to run them; everything else is this package's own.
"""

from __future__ import annotations

import pytest
from pynenc import Pynenc

pytest_plugins = ["pynenc_tests.conftest", "pynenc_tests.integration.orchestrator.conftest"]


@pytest.fixture
def app_instance(pynenc_app: Pynenc) -> Pynenc:
    """The app under test, on each selected backend in turn."""
    return pynenc_app
