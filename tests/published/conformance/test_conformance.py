"""The whole suite on each published backend that is installed, a class for each."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from pytest_pynenc_state import Backend, KnownBug, StateConformance
from pytest_pynenc_state.conformance.accounting import BUILDING
from pytest_pynenc_state.conformance.building import unbuildable_of
from pytest_pynenc_state.conformance.clause import all_clauses
from tests.published.conformance.exclusions import known_bugs, unsupported
from tests.published.conformance.recipes import PUBLISHED, Published


def suite(published: Published) -> type[StateConformance]:
    """The suite for one backend, with what is known of it on the installed pynenc."""

    @pytest.fixture
    def backend_under_test(self: StateConformance) -> Backend:  # noqa: ARG001 - a method
        return published.backend

    installed = version("pynenc")
    broken = "; ".join(str(each) for each in unbuildable_of(published.backend).values())
    building = {BUILDING: KnownBug(broken)} if broken else {}
    members = {
        "__module__": __name__,
        "backend_under_test": backend_under_test,
        "known_bugs": building | known_bugs(published.key, installed),
        "unsupported": unsupported(published.key, installed),
    }
    if published.is_broker_only:
        others = [clause for clause in all_clauses().values() if clause.id != BUILDING]
        members |= dict.fromkeys(clause.test_name for clause in others)
    return type(_class_name(published), (StateConformance,), members)


def _class_name(published: Published) -> str:
    return "Test" + "".join(word.capitalize() for word in published.key.split("-"))


globals().update(
    {_class_name(each): suite(each) for each in PUBLISHED if not each.backend.obstacle()}
)
