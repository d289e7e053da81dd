"""Faults in how runner contexts are stored and found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

from pynenc.runner.runner_context import RunnerContext

from pytest_pynenc_state.backends.memory.state_backend import PytestMemStateBackend
from pytest_pynenc_state.backends.sqlite.schema import StateBackendTables
from pytest_pynenc_state.backends.sqlite.state_backend import PytestSQLiteStateBackend
from tests.conformance.mutants.mutant import mutant


@mutant("SB-CTX-01")
class ParentChainLost(PytestMemStateBackend):
    """It stores a context without its parents."""

    def _store_runner_context(self, runner_context: Any) -> None:
        super()._store_runner_context(replace(runner_context, parent_ctx=None))


@mutant("SB-CTX-01")
class OneParent(PytestMemStateBackend):
    """It stores a context with its parent, and not with the parents of that one."""

    def _store_runner_context(self, runner_context: Any) -> None:
        parent = runner_context.parent_ctx and replace(runner_context.parent_ctx, parent_ctx=None)
        super()._store_runner_context(replace(runner_context, parent_ctx=parent))


@mutant("SB-CTX-03")
class JoinedWithParent(PytestMemStateBackend):
    """It finds a context only together with that of its parent, by an inner join."""

    def _get_runner_contexts(self, runner_ids: Any) -> list[Any]:
        found = super()._get_runner_contexts(runner_ids)
        parents = [(each, each.parent_ctx) for each in found]
        return [
            each
            for each, parent in parents
            if parent is None or self._has_runner_context(parent.runner_id)
        ]


@mutant("SB-CTX-04", "SB-CTX-06", stumbles=(AttributeError,))
class UnknownContextIsNone(PytestMemStateBackend):
    """It puts None in the place of each context that it does not know."""

    def _get_runner_contexts(self, runner_ids: Any) -> list[Any]:
        return [self._get_runner_context(each) for each in runner_ids]


@mutant("SB-CTX-05")
class FirstContextStays(PytestMemStateBackend):
    """It stores a context unless its runner has one."""

    def _store_runner_context(self, runner_context: Any) -> None:
        if not self._has_runner_context(runner_context.runner_id):
            super()._store_runner_context(runner_context)


@mutant("SB-CTX-06")
class TenContexts(PytestMemStateBackend):
    """It returns ten contexts at the most, its default for everything that has a limit."""

    def _get_runner_contexts(self, runner_ids: Any) -> list[Any]:
        return super()._get_runner_contexts(runner_ids)[:10]


@mutant("SB-CTX-07")
class NoIdsAreNoFilter(PytestMemStateBackend):
    """It returns all contexts when it is asked for none."""

    def _get_runner_contexts(self, runner_ids: Any) -> list[Any]:
        return super()._get_runner_contexts(runner_ids or [*self._runner_contexts])


class _Matching(PytestMemStateBackend):
    """Finds other contexts by a part of an id."""

    def get_matching_runner_contexts(self, partial_id: str) -> Iterator[Any]:
        contexts = super().get_matching_runner_contexts("")
        return (each for each in contexts if self._matches(partial_id, each.runner_id))

    def _matches(self, part: str, runner_id: str) -> bool:
        raise NotImplementedError


@mutant("SB-CTX-08")
class MatchesTheBeginning(_Matching):
    """It finds a context by how the id of its runner begins."""

    def _matches(self, part: str, runner_id: str) -> bool:
        return runner_id.startswith(part)


@mutant("SB-CTX-09")
class MatchesAnyCase(_Matching):
    """It finds a context by a part of an id in another case."""

    def _matches(self, part: str, runner_id: str) -> bool:
        return part.lower() in runner_id.lower()


@mutant("SB-CTX-10")
class MatchesPattern(_Matching):
    """It takes a part of an id for a regular expression."""

    def _matches(self, part: str, runner_id: str) -> bool:
        return re.search(part, runner_id) is not None


@mutant("SB-CTX-10")
class SpecialCharactersRefused(_Matching):
    """It refuses a part of an id with a character that its server takes for the end of a set."""

    def _matches(self, part: str, runner_id: str) -> bool:
        if {"[", "]", "\\"}.intersection(part):
            message = f"a set is not closed: {part}"
            raise ValueError(message)
        return part in runner_id


@mutant("SB-CTX-10")
class BackslashEscapes(_Matching):
    """It escapes with a backslash all that is special, but the backslash."""

    def _matches(self, part: str, runner_id: str) -> bool:
        return re.sub(r"\\(.)?", r"\1", part) in runner_id


@mutant("SB-CTX-09", "SB-CTX-10")
class MatchesLike(PytestSQLiteStateBackend):
    """It looks for a part of an id with LIKE."""

    def get_matching_runner_contexts(self, partial_id: str) -> Iterator[Any]:
        rows = self._database.read(
            f"SELECT context_json FROM {StateBackendTables.RUNNER_CONTEXTS} "
            "WHERE app_id = ? AND runner_id LIKE ?",
            (self._app_id, f"%{partial_id}%"),
        )
        return iter([RunnerContext.from_json(row[0]) for row in rows])


@mutant("SB-CTX-11", "SB-THR-04")
class LiveContexts(PytestMemStateBackend):
    """It goes over its own dictionary of contexts while others write to it."""

    def get_matching_runner_contexts(self, partial_id: str) -> Iterator[Any]:
        for runner_id, runner_context in self._runner_contexts.items():
            if partial_id in runner_id:
                yield deepcopy(runner_context)
