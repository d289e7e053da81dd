"""The suite itself is tested: each clause catches a fault, and each fault is caught.

A mutant's catchers are its known bugs, which have to fail: a clause that passes on a mutant it
is to catch fails here.
"""

from __future__ import annotations

from typing import Any

import pytest

from pytest_pynenc_state import Backend, KnownBug, StateConformance
from pytest_pynenc_state.conformance.clause import all_clauses
from tests.conformance.mutants.all_of_them import MUTANTS
from tests.conformance.mutants.mutant import Mutant

APPLICABLE = {clause.id: clause for clause in all_clauses().values() if clause.is_applicable}


def test_each_clause_catches_a_mutant() -> None:
    """One that catches none might as well assert nothing."""
    caught = {clause_id for mutant in MUTANTS.values() for clause_id in mutant.catchers}
    assert sorted(set(all_clauses()) - caught) == []


def test_there_are_many_mutants() -> None:
    """And each is to be caught by clauses that there are."""
    named = {clause_id for mutant in MUTANTS.values() for clause_id in mutant.catchers}
    assert (len(MUTANTS) >= 60, sorted(named - set(all_clauses()))) == (True, [])


def _suite(mutant: Mutant) -> type[StateConformance] | None:
    """The clauses that are to catch a mutant, and no others; None if this pynenc has none."""
    catchers = [APPLICABLE[each] for each in mutant.catchers if each in APPLICABLE]
    if not catchers:
        return None
    kept = {clause.test_name for clause in catchers}
    hidden = [clause.test_name for clause in APPLICABLE.values() if clause.test_name not in kept]

    @pytest.fixture
    def backend_under_test(self: Any) -> Backend:  # noqa: ARG001 - a method
        return mutant.backend

    return type(
        f"Test{mutant.backend.name}",
        (StateConformance,),
        {
            "__module__": __name__,
            "__doc__": mutant.fault,
            "mutant": mutant,
            "known_bugs": {clause.id: KnownBug(mutant.fault) for clause in catchers},
            "backend_under_test": backend_under_test,
            **dict.fromkeys(hidden),
        },
    )


globals().update({f"Test{name}": _suite(each) for name, each in MUTANTS.items()})
