"""What is said of one clause before it is checked: on which backend, and whether it is run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_pynenc_state.backends.backend import Backend, Capability
from pytest_pynenc_state.conformance.building import unbuildable_of
from pytest_pynenc_state.conformance.clause import Clause, Level, all_clauses
from pytest_pynenc_state.errors import ConformanceError
from pytest_pynenc_state.hookspecs import CLAUSE, NOT_RUN, PREVIEW, UNDECIDED, UNSUPPORTED
from pytest_pynenc_state.session import state_of

if TYPE_CHECKING:
    from pytest_pynenc_state.conformance.suite import StateConformance

# What an app alone does not give: who asks for it is told so.
_FROM_A_RECIPE = frozenset({"pynenc_place", "pynenc_backend"})

# The components that the clauses of each kind are about; of a backend as a whole, all.
_SUBJECTS = {
    "SB": ("state_backend_cls",),
    "OR": ("orchestrator_cls",),
    "BC": ("orchestrator_cls",),
    "BE": ("state_backend_cls", "orchestrator_cls"),
}

# A new clause is a warning for a release, so that nobody's build breaks overnight.
_NEW = pytest.mark.xfail(strict=False, reason=f"{PREVIEW}: a new clause, not asked for yet")

#: The clause that reports components which cannot be built, and so does not need them.
BUILDING = "BE-SET-01"


def undecided(reason: str) -> None:
    """End a clause's check without a verdict: what it needs to see did not happen."""
    __tracebackhide__ = True
    pytest.skip(f"{UNDECIDED}: {reason}")


class Account:
    """What becomes of one clause on one backend."""

    def __init__(
        self,
        request: pytest.FixtureRequest,
        backend: Backend | None,
        suite: type[StateConformance],
    ) -> None:
        (marker,) = request.node.iter_markers("pynenc_clause")
        self._request = request
        self._backend = backend
        self._suite = suite
        self._clause = all_clauses()[marker.args[0]]

    def open(self) -> None:
        """Let the clause be checked, or skip it with the reason.

        :raises BackendUnavailable: A library is missing, and that is to fail.
        :raises ConformanceError: It is excluded, and would never have been checked.
        """
        __tracebackhide__ = True
        item, clause = self._request.node, self._clause
        backend = self._backend
        entry = {
            "backend": backend.name if backend else self._suite.__qualname__,
            "clause": clause.id,
            "level": clause.level,
            "is_mock": backend is not None and Capability.REAL_ENGINE not in backend.capabilities,
        }
        item.user_properties.append((CLAUSE, json.dumps(entry)))
        state_of(self._request.config).record(item).clause = _description(clause)
        if backend and (obstacle := backend.obstacle()):
            if state_of(self._request.config).options.fails_on_missing():
                backend.require_libraries()
            pytest.skip(f"{NOT_RUN}: {backend.name} {obstacle}")
        if reason := self._unclaimed():
            self._refuse_exclusion(reason)
            pytest.skip(f"{NOT_RUN}: {reason}")
        if reason := self._unbuildable():
            pytest.skip(f"{NOT_RUN}: {reason}")
        if reason := self._suite.unsupported.get(clause.id, ""):
            pytest.skip(f"{UNSUPPORTED}: {reason}")
        if bug := self._suite.known_bugs.get(clause.id):
            item.add_marker(pytest.mark.xfail(strict=True, reason=str(bug)))
        elif clause.is_preview:
            item.add_marker(_NEW)

    def _unclaimed(self) -> str:
        """Why the clause is not asked of this backend, if so."""
        capability = self._clause.level.capability
        if self._backend is None:
            needed = _FROM_A_RECIPE.intersection(self._request.fixturenames)
            is_of_one_process = self._clause.level == Level.BASIC
            if not is_of_one_process or needed or self._clause.id == BUILDING:
                return "an app alone is no recipe for another one, or for another process"
            return ""
        if capability and self._backend.lacks([capability]):
            return f"{self._backend.name} does not claim {str(capability)!r}"
        return ""

    def _unbuildable(self) -> str:
        if self._backend is None or self._clause.id == BUILDING:
            return ""
        broken = unbuildable_of(self._backend)
        # In another process, a stand-in that lives in memory would be an empty one.
        is_of_one_process = self._clause.level == Level.BASIC
        kind = self._clause.id[:2] if is_of_one_process else "BE"
        return "; ".join(str(broken[field]) for field in _SUBJECTS[kind] if field in broken)

    def _refuse_exclusion(self, reason: str) -> None:
        if self._clause.id in {*self._suite.unsupported, *self._suite.known_bugs}:
            message = f"{self._suite.__qualname__} excludes {self._clause.id}, but {reason}"
            raise ConformanceError(message, "take it off the list: it is not run anyway")


def _description(clause: Clause) -> str:
    return f"{clause.id} ({clause.level}): {clause.rule}\nhint: {clause.hint}"
