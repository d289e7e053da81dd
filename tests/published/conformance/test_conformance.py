"""The whole suite on each published backend that is installed, a class for each."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from pytest_pynenc_state import Backend, StateConformance
from pytest_pynenc_state.conformance.accounting import BUILDING
from tests.published.conformance.exclusions import known_bugs, unsupported
from tests.published.conformance.recipes import PUBLISHED, Published


def suite(published: Published) -> type[StateConformance]:
    """The suite for one backend, with what is known of it on the installed pynenc."""
    pynenc = version("pynenc")

    @pytest.fixture
    def backend_under_test(_self: StateConformance) -> Backend:
        return published.backend

    members = {
        "__module__": __name__,
        "backend_under_test": backend_under_test,
        "known_bugs": known_bugs(published.key, pynenc),
        "unsupported": unsupported(published.key, pynenc),
    }
    if published.is_broker_only:
        others = (name for name in dir(StateConformance) if name.startswith("test_"))
        members |= dict.fromkeys(others)
        members |= {name: getattr(StateConformance, name) for name in members if BUILDING.replace("-", "_") in name}
    name = "Test" + "".join(part.capitalize() for part in published.key.split("-"))
    return type(name, (StateConformance,), members)


for _published in PUBLISHED:
    if not _published.backend.obstacle():
        _suite = suite(_published)
        globals()[_suite.__name__] = _suite
del _suite
