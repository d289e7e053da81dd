"""Faults of the records of atomic services: which of them are found, and which a purge takes."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

from pytest_pynenc_state.backends.sqlite.orchestrator import PytestSQLiteOrchestrator
from pytest_pynenc_state.backends.sqlite.schema import OrchestratorTables
from tests.conformance.mutants.mutant import mutant

_DROP_BY_START = (
    f"DELETE FROM {OrchestratorTables.ATOMIC_SERVICE_EXECUTIONS} WHERE app_id = ? AND start_us < ?"
)
_ALL = 10**6


@mutant("OR-ATO-12", "OR-ATO-15")
class OldestStartFirst(PytestSQLiteOrchestrator):
    """It lists the oldest start first."""

    def get_atomic_service_executions_in_timerange(
        self, start_time: Any, end_time: Any, limit: int = 1000, **filters: Any
    ) -> list[Any]:
        found = super().get_atomic_service_executions_in_timerange(
            start_time, end_time, _ALL, **filters
        )
        return found[::-1][:limit]


class _FindsOther(PytestSQLiteOrchestrator):
    """Looks for something else than it is asked for."""

    def _find(self, start_time: Any, end_time: Any, limit: int = 1000, **filters: Any) -> Any:
        return super().get_atomic_service_executions_in_timerange(
            start_time, end_time, limit, **filters
        )


@mutant("OR-ATO-13")
class StartsInTheRange(_FindsOther):
    """It finds what starts in a range, and not what overlaps it."""

    def get_atomic_service_executions_in_timerange(
        self, start_time: Any, end_time: Any, *args: Any, **filters: Any
    ) -> list[Any]:
        found = self._find(start_time, end_time, *args, **filters)
        return [each for each in found if each.start_time >= start_time]


@mutant("OR-ATO-13", "OR-ATO-14")
class RangeWithoutItsEnd(_FindsOther):
    """It leaves out what starts at the end of a range."""

    def get_atomic_service_executions_in_timerange(
        self, start_time: Any, end_time: Any, *args: Any, **filters: Any
    ) -> list[Any]:
        before_end = end_time - timedelta(microseconds=1)
        return list(self._find(start_time, before_end, *args, **filters))


@mutant("OR-ATO-14")
class OffsetOfRangeDropped(_FindsOther):
    """It takes the clock time of a range for UTC."""

    def get_atomic_service_executions_in_timerange(
        self, start_time: Any, end_time: Any, *args: Any, **filters: Any
    ) -> list[Any]:
        as_utc = [each.replace(tzinfo=UTC) for each in (start_time, end_time)]
        return list(self._find(*as_utc, *args, **filters))


@mutant("OR-ATO-15")
class LimitBelowOneIsNone(_FindsOther):
    """A limit below 1 is no limit to it."""

    def get_atomic_service_executions_in_timerange(
        self, start_time: Any, end_time: Any, limit: int = 1000, **filters: Any
    ) -> list[Any]:
        return list(self._find(start_time, end_time, limit if limit > 0 else _ALL, **filters))


@mutant("OR-ATO-16")
class RunnerFilteredAfterLimit(_FindsOther):
    """It takes the newest executions, and leaves out those of other runners."""

    def get_atomic_service_executions_in_timerange(
        self, *args: Any, runner_id: Any = None, **named: Any
    ) -> list[Any]:
        found = self._find(*args, **named)
        return [each for each in found if runner_id in (None, each.runner_id)]


@mutant("OR-ATO-17")
class DurationInMilliseconds(_FindsOther):
    """It compares durations in whole milliseconds."""

    def get_atomic_service_executions_in_timerange(
        self, *args: Any, min_duration_seconds: float = 0.0, **filters: Any
    ) -> list[Any]:
        filters["min_duration_seconds"] = round(min_duration_seconds, 3)
        return list(self._find(*args, **filters))


@mutant("OR-ATO-18")
class EndedExecutionsOnly(_FindsOther):
    """It finds no execution that has no end yet."""

    def get_atomic_service_executions_in_timerange(self, *args: Any, **named: Any) -> list[Any]:
        return [each for each in self._find(*args, **named) if each.end_time]


@mutant("OR-ATO-19", "OR-ATO-20")
class RemovedNotCounted(PytestSQLiteOrchestrator):
    """It does not tell how many executions a purge removed."""

    def purge_atomic_service_executions(self) -> int:
        super().purge_atomic_service_executions()
        return 0


@mutant("OR-ATO-19", "OR-ATO-21")
class AgeSinceTheStart(PytestSQLiteOrchestrator):
    """It takes the age of an execution from its start, ended or not."""

    def _drop_executions(self, ended_before_us: Any, *args: Any) -> int:
        self._database.write(_DROP_BY_START, (self._app_id, ended_before_us))
        return super()._drop_executions(ended_before_us, *args)


@mutant("OR-ATO-20")
class OneRecordLess(PytestSQLiteOrchestrator):
    """It keeps one record less than it is told to."""

    def _drop_executions(self, ended_before_us: Any, keep_newest: Any, protected: Any) -> int:
        return super()._drop_executions(ended_before_us, keep_newest - 1, protected)


@mutant("OR-ATO-22")
class ReferencesIgnored(PytestSQLiteOrchestrator):
    """It removes executions that the trigger refers to."""

    def _drop_executions(self, ended_before_us: Any, keep_newest: Any, protected: Any) -> int:
        del protected
        return super()._drop_executions(ended_before_us, keep_newest, frozenset())
