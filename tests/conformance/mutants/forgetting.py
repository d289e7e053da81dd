"""Faults of how an orchestrator forgets invocations: what is due, and all."""

from __future__ import annotations

from typing import Any

from pytest_pynenc_state.backends.sqlite.orchestrator import PytestSQLiteOrchestrator
from pytest_pynenc_state.backends.sqlite.queries import purge_tables
from pytest_pynenc_state.backends.sqlite.schema import OrchestratorTables
from pytest_pynenc_state.backends.timestamps import now_us
from tests.conformance.mutants.mutant import mutant

_TABLES = [
    OrchestratorTables.INVOCATIONS,
    OrchestratorTables.INVOCATION_ARGS,
    OrchestratorTables.BLOCKING_EDGES,
    OrchestratorTables.ATOMIC_SERVICE_EXECUTIONS,
    OrchestratorTables.RUNNER_HEARTBEATS,
]
_FORGET_DUE = (
    f"DELETE FROM {OrchestratorTables.INVOCATIONS} WHERE app_id = ? AND auto_purge_us IS NOT NULL"
)


@mutant("OR-PUR-01", "OR-PUR-05")
class EndedOnly(PytestSQLiteOrchestrator):
    """It schedules only what has ended."""

    def set_up_invocation_auto_purge(self, invocation_id: Any) -> None:
        if self.filter_final([invocation_id]):
            super().set_up_invocation_auto_purge(invocation_id)


@mutant("OR-PUR-01")
class LastScheduledOnly(PytestSQLiteOrchestrator):
    """It remembers what was scheduled last, and nothing before."""

    def set_up_invocation_auto_purge(self, invocation_id: Any) -> None:
        self._last = invocation_id

    def auto_purge(self) -> None:
        super().set_up_invocation_auto_purge(self._last)
        super().auto_purge()


@mutant("OR-PUR-02")
class HoursAsSeconds(PytestSQLiteOrchestrator):
    """It takes the hours of the configuration for microseconds."""

    def auto_purge(self) -> None:
        self._statuses.purge_due(now_us() - int(self.conf.auto_final_invocation_purge_hours))


class _KeepsSchedule(PytestSQLiteOrchestrator):
    """Keeps what was scheduled in a list of its own."""

    def set_up_invocation_auto_purge(self, invocation_id: Any) -> None:
        self.__dict__.setdefault("_scheduled", []).append(invocation_id)
        super().set_up_invocation_auto_purge(invocation_id)


@mutant("OR-PUR-03")
class ScheduledIsKnown(_KeepsSchedule):
    """It asks for the status of all that was ever scheduled, as if it were there still."""

    def auto_purge(self) -> None:
        for invocation_id in self.__dict__.get("_scheduled", []):
            self.get_invocation_status_record(invocation_id)
        super().auto_purge()


@mutant("OR-PUR-05", "OR-PUR-06")
class ScheduleSurvives(_KeepsSchedule):
    """It never takes anything off the list of what is to be forgotten."""

    def auto_purge(self) -> None:
        for invocation_id in set(self.__dict__.get("_scheduled", [])):
            super().set_up_invocation_auto_purge(invocation_id)
        super().auto_purge()


@mutant("OR-PUR-04")
class EveryChangeSchedules(PytestSQLiteOrchestrator):
    """It schedules an invocation whenever its status changes."""

    def set_invocation_status(self, invocation_id: Any, *args: Any) -> None:
        super().set_invocation_status(invocation_id, *args)
        self.set_up_invocation_auto_purge(invocation_id)


@mutant("OR-PUR-01", "OR-PUR-03", "OR-PUR-04")
class NothingScheduled(PytestSQLiteOrchestrator):
    """It leaves all invocations where they are, for ever."""

    def auto_purge(self) -> None:
        """Do nothing."""


@mutant("OR-PUR-05")
class StatusOnlyForgotten(PytestSQLiteOrchestrator):
    """It forgets the status of what is due, and leaves its arguments and waiters."""

    def auto_purge(self) -> None:
        self._database.write(_FORGET_DUE, (self._app_id,))


@mutant("OR-PUR-06", "OR-PUR-07")
class InvocationsPurged(PytestSQLiteOrchestrator):
    """A purge removes the invocations, and nothing that belongs to them."""

    def purge(self) -> None:
        purge_tables(self._database, self._app_id, _TABLES[:1])


@mutant("OR-PUR-07")
class RunnersSurvive(PytestSQLiteOrchestrator):
    """A purge leaves the heartbeats of runners."""

    def purge(self) -> None:
        purge_tables(self._database, self._app_id, _TABLES[:-1])


@mutant("OR-PUR-08")
class TableDropped(PytestSQLiteOrchestrator):
    """A purge drops a table."""

    def purge(self) -> None:
        super().purge()
        self._database.write(f"DROP TABLE IF EXISTS {OrchestratorTables.BLOCKING_EDGES}", ())


@mutant("OR-PUR-08")
class PurgedForGood(PytestSQLiteOrchestrator):
    """It takes what was purged for purged, also if it is registered once more."""

    def purge(self) -> None:
        self.__dict__.setdefault("_purged", set()).update(self.get_invocation_ids_paginated())
        super().purge()

    def get_invocation_ids_paginated(self, *args: Any, **named: Any) -> list[Any]:
        purged = self.__dict__.get("_purged", set())
        found = super().get_invocation_ids_paginated(*args, **named)
        return [each for each in found if each not in purged]
