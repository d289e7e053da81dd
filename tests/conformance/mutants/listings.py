"""Faults of how invocations are filtered by status, listed and counted."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.backends.sqlite.orchestrator import PytestSQLiteOrchestrator
from tests.conformance.mutants.mutant import mutant

_ALL = 10**6


@mutant("OR-SEA-10")
class IdsOfOneStatement(PytestSQLiteOrchestrator):
    """It asks for as many ids as one statement has parameters for."""

    def filter_by_status(self, invocation_ids: Any, status_filter: Any) -> list[Any]:
        return super().filter_by_status(invocation_ids[:32_766], status_filter)


@mutant("OR-SEA-11")
class NoStatusIsAny(PytestSQLiteOrchestrator):
    """Asked for no status, it finds all invocations."""

    def filter_by_status(self, invocation_ids: Any, status_filter: Any) -> list[Any]:
        any_status = frozenset(InvocationStatus)
        return super().filter_by_status(invocation_ids, status_filter or any_status)


@mutant("OR-SEA-12")
class KnownIdsOnly(PytestSQLiteOrchestrator):
    """It asks for one status after the other, and fails at an unknown id."""

    def filter_by_status(self, invocation_ids: Any, status_filter: Any) -> list[Any]:
        return [
            each for each in invocation_ids if self.get_invocation_status(each) in status_filter
        ]


@mutant("OR-SEA-13")
class CountersOnlyGrow(PytestSQLiteOrchestrator):
    """It counts who comes into a status, and not who leaves it."""

    def _atomic_status_transition(self, invocation_id: Any, status: Any, *args: Any) -> Any:
        record = super()._atomic_status_transition(invocation_id, status, *args)
        self.__dict__.setdefault("_counters", Counter()).update([status])
        return record

    def count_invocations(self, task_id: Any = None, statuses: Any = None) -> int:
        if statuses and InvocationStatus.REGISTERED not in statuses:
            return sum(self.__dict__.get("_counters", Counter())[each] for each in statuses)
        return super().count_invocations(task_id, statuses)


@mutant("OR-SEA-14")
class EndedIsFinal(PytestSQLiteOrchestrator):
    """It knows two final statuses, and pynenc has more."""

    def filter_final(self, invocation_ids: Any) -> list[Any]:
        ended = frozenset({InvocationStatus.SUCCESS, InvocationStatus.FAILED})
        return self.filter_by_status(invocation_ids, ended)


@mutant("OR-SEA-15")
class OldestPageFirst(PytestSQLiteOrchestrator):
    """It lists the oldest registration first."""

    def get_invocation_ids_paginated(
        self, task_id: Any = None, statuses: Any = None, limit: int = 100, offset: int = 0
    ) -> list[Any]:
        newest_first = super().get_invocation_ids_paginated(task_id, statuses, _ALL)
        return newest_first[::-1][offset : offset + limit]


@mutant("OR-SEA-15")
class PagesOverlap(PytestSQLiteOrchestrator):
    """Each page but the first begins with the last invocation of the former."""

    def get_invocation_ids_paginated(
        self, task_id: Any = None, statuses: Any = None, limit: int = 100, offset: int = 0
    ) -> list[Any]:
        return super().get_invocation_ids_paginated(task_id, statuses, limit, max(offset - 1, 0))


@mutant("OR-SEA-15")
class PagesByNumber(PytestSQLiteOrchestrator):
    """It takes the offset for the number of a page."""

    def get_invocation_ids_paginated(
        self, task_id: Any = None, statuses: Any = None, limit: int = 100, offset: int = 0
    ) -> list[Any]:
        return super().get_invocation_ids_paginated(task_id, statuses, limit, offset * limit)


@mutant("OR-SEA-16")
class LimitOfZeroIsNone(PytestSQLiteOrchestrator):
    """A limit of 0 is no limit to it."""

    def get_invocation_ids_paginated(
        self, task_id: Any = None, statuses: Any = None, limit: int = 100, offset: int = 0
    ) -> list[Any]:
        return super().get_invocation_ids_paginated(task_id, statuses, limit or _ALL, offset)


@mutant("OR-SEA-17")
class CountOfAllTasks(PytestSQLiteOrchestrator):
    """It counts the invocations of all tasks, whichever is asked for."""

    def count_invocations(self, task_id: Any = None, statuses: Any = None) -> int:
        del task_id
        return super().count_invocations(None, statuses)
