"""Faults of who is alive among the runners, and of what is recovered from those who are not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.backends.sqlite.orchestrator import PytestSQLiteOrchestrator
from pytest_pynenc_state.backends.sqlite.schema import OrchestratorTables
from pytest_pynenc_state.backends.timestamps import now_us
from tests.conformance.mutants.mutant import mutant

_FORGET_RUNNER = (
    f"DELETE FROM {OrchestratorTables.RUNNER_HEARTBEATS} WHERE app_id = ? AND runner_id = ?"
)
_HOUR_S = 3600.0


@mutant("OR-RUN-01")
class FirstRunnerHeard(PytestSQLiteOrchestrator):
    """Of several runners that are reported together it hears the first."""

    def register_runner_heartbeats(self, runner_ids: Any, *args: Any, **named: Any) -> None:
        super().register_runner_heartbeats(runner_ids[:1], *args, **named)


@mutant("OR-RUN-02", "OR-RUN-10", "OR-REC-05", "OR-REC-07")
class TimeoutInMilliseconds(PytestSQLiteOrchestrator):
    """It makes milliseconds of a time-out, and takes them for seconds."""

    def _get_active_runners(self, timeout_seconds: float, *args: Any) -> list[Any]:
        return super()._get_active_runners(timeout_seconds * 1000, *args)

    def _get_running_invocations_for_recovery(self, timeout_seconds: float) -> Iterator[Any]:
        return super()._get_running_invocations_for_recovery(timeout_seconds * 1000)


@mutant("OR-RUN-03")
class HeartbeatsOneByOne(PytestSQLiteOrchestrator):
    """It takes the time for each runner of a report."""

    def register_runner_heartbeats(self, runner_ids: Any, *args: Any, **named: Any) -> None:
        for runner_id in runner_ids:
            super().register_runner_heartbeats([runner_id], *args, **named)


@mutant("OR-RUN-04")
class EquallyOldInAnyOrder(PytestSQLiteOrchestrator):
    """It orders runners by their creation time alone."""

    def _get_active_runners(self, *args: Any) -> list[Any]:
        unordered = super()._get_active_runners(*args)[::-1]
        return sorted(unordered, key=lambda runner: runner.creation_time)


@mutant("OR-RUN-05")
class LongestSilentFirst(PytestSQLiteOrchestrator):
    """It orders runners by their last heartbeat."""

    def _get_active_runners(self, *args: Any) -> list[Any]:
        runners = super()._get_active_runners(*args)
        return sorted(runners, key=lambda runner: runner.last_heartbeat)


@mutant("OR-RUN-05", "OR-RUN-06")
class HeartbeatReplaces(PytestSQLiteOrchestrator):
    """A heartbeat replaces the row of its runner, with the creation time."""

    def register_runner_heartbeats(self, runner_ids: Any, *args: Any, **named: Any) -> None:
        for runner_id in runner_ids:
            self._database.write(_FORGET_RUNNER, (self._app_id, runner_id))
        super().register_runner_heartbeats(runner_ids, *args, **named)


@mutant("OR-RUN-06", "OR-RUN-08")
class FirstHeartbeatStays(PytestSQLiteOrchestrator):
    """It inserts a runner if it is new, and updates none."""

    def register_runner_heartbeats(self, runner_ids: Any, *args: Any, **named: Any) -> None:
        known = {runner.runner_id for runner in self._get_active_runners(_HOUR_S)}
        super().register_runner_heartbeats([*{*runner_ids} - known], *args, **named)


@mutant("OR-RUN-07", "OR-RUN-10")
class FalseIsNoFilter(PytestSQLiteOrchestrator):
    """Asked for runners without a right, it gives all."""

    def _get_active_runners(self, timeout_seconds: float, *flags: Any) -> list[Any]:
        return super()._get_active_runners(timeout_seconds, *(flag or None for flag in flags))


@mutant("OR-RUN-07", "OR-ATO-02")
class EveryRunnerMayServe(PytestSQLiteOrchestrator):
    """It gives every runner the right to run atomic services."""

    def register_runner_heartbeats(self, runner_ids: Any, *args: Any, **named: Any) -> None:
        del args, named
        super().register_runner_heartbeats(runner_ids, can_run_atomic_service=True)


@mutant("OR-RUN-09")
class RunnersInLocalTime(PytestSQLiteOrchestrator):
    """It reads times that it stored in another UTC offset."""

    def _get_active_runners(self, *args: Any) -> list[Any]:
        return [
            runner._replace(creation_time=runner.creation_time + timedelta(hours=2))
            for runner in super()._get_active_runners(*args)
        ]


@mutant("OR-RUN-10", "OR-REC-07")
class TimeoutOfItsOwn(PytestSQLiteOrchestrator):
    """It takes a time-out of its own, and not that of the configuration."""

    def get_active_runners(self, can_run_atomic_service: Any = None) -> list[Any]:
        return self._get_active_runners(_HOUR_S, can_run_atomic_service)

    def get_running_invocations_for_recovery(self) -> Iterator[Any]:
        return self._get_running_invocations_for_recovery(_HOUR_S)


@mutant("OR-RUN-11")
class QueuesOfARunnerLost(PytestSQLiteOrchestrator):
    """It does not store the queues of a runner."""

    def register_runner_heartbeats(self, runner_ids: Any, *args: Any, **named: Any) -> None:
        named.pop("consumed_queues", None)
        super().register_runner_heartbeats(runner_ids, *args, **named)


@mutant("OR-REC-01")
class RecoveredInAnyStatus(PytestSQLiteOrchestrator):
    """It recovers what has not changed for a while, in whatever status."""

    def get_pending_invocations_for_recovery(self) -> Iterator[Any]:
        longest = timedelta(seconds=self.app.conf.max_pending_seconds)
        for each in self.get_invocation_ids_paginated():
            if datetime.now(UTC) - self.get_invocation_status_record(each).timestamp > longest:
                yield each


@mutant("OR-REC-02")
class PendingIsLost(PytestSQLiteOrchestrator):
    """It recovers whatever is PENDING, for however short a time."""

    def get_pending_invocations_for_recovery(self) -> Iterator[Any]:
        return iter(self._statuses.pending_since(now_us()))


@mutant("OR-REC-03")
class RecoveryByOffset(PytestSQLiteOrchestrator):
    """It reads what is PENDING page by page, while the caller moves what it was given."""

    def get_pending_invocations_for_recovery(self) -> Iterator[Any]:
        offset = 0
        while page := [*super().get_pending_invocations_for_recovery()][offset : offset + 2]:
            yield from page
            offset += 2


@mutant("OR-REC-03", "OR-REC-04")
class UnknownOwnerIsAlive(PytestSQLiteOrchestrator):
    """It joins invocations and runners, and does not see owners without any heartbeat."""

    def _get_running_invocations_for_recovery(self, timeout_seconds: float) -> Iterator[Any]:
        known = {runner.runner_id for runner in self._get_active_runners(10 * _HOUR_S)}
        for each in super()._get_running_invocations_for_recovery(timeout_seconds):
            if self.get_invocation_status_record(each).runner_id in known:
                yield each


@mutant("OR-REC-04")
class PendingIsUnattended(PytestSQLiteOrchestrator):
    """It also recovers what an unknown runner has claimed, and does not run yet."""

    def _get_running_invocations_for_recovery(self, timeout_seconds: float) -> Iterator[Any]:
        yield from super()._get_running_invocations_for_recovery(timeout_seconds)
        yield from self.get_invocation_ids_paginated(statuses=[InvocationStatus.PENDING])


@mutant("OR-REC-06")
class OwnersFolded(PytestSQLiteOrchestrator):
    """It compares the ids of runners without regard to case."""

    def _get_running_invocations_for_recovery(self, timeout_seconds: float) -> Iterator[Any]:
        alive = {runner.runner_id.lower() for runner in self._get_active_runners(timeout_seconds)}
        for each in super()._get_running_invocations_for_recovery(timeout_seconds):
            if str(self.get_invocation_status_record(each).runner_id).lower() not in alive:
                yield each
