"""Faults of how runners come to their work, and of retries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pynenc.invocation.status import InvocationStatus, InvocationStatusRecord

from pytest_pynenc_state.backends.sqlite.orchestrator import PytestSQLiteOrchestrator
from pytest_pynenc_state.backends.sqlite.schema import OrchestratorTables
from tests.conformance.mutants.mutant import mutant

_TABLE = OrchestratorTables.INVOCATIONS
_FORGET_RETRIES = f"UPDATE {_TABLE} SET retry_count = 0 WHERE app_id = ? AND invocation_id = ?"
_COUNT_FOR_ALL = f"UPDATE {_TABLE} SET retry_count = retry_count + 1 WHERE app_id = ?"


@mutant("OR-TRA-12")
class ClaimedForTheServer(PytestSQLiteOrchestrator):
    """It claims in its own name, and not in that of the runner that asks."""

    def get_invocations_to_run(self, count: int, runner_ctx: Any, *args: Any) -> Iterator[Any]:
        own = replace(runner_ctx, runner_id="server")
        return super().get_invocations_to_run(count, own, *args)


@mutant("OR-TRA-13")
class OneTooMany(PytestSQLiteOrchestrator):
    """It gives a runner one invocation more than it asked for."""

    def get_invocations_to_run(self, count: int, runner_ctx: Any, *args: Any) -> Iterator[Any]:
        return super().get_invocations_to_run(count + 1, runner_ctx, *args)


@mutant("OR-TRA-13")
class GivenUnclaimed(PytestSQLiteOrchestrator):
    """It gives an invocation to a runner, and leaves it in the queue."""

    def get_invocations_to_run(self, count: int, runner_ctx: Any, *args: Any) -> Iterator[Any]:
        for invocation in super().get_invocations_to_run(count, runner_ctx, *args):
            yield invocation
            self.reroute_invocations({invocation.invocation_id}, runner_ctx)


@mutant("OR-TRA-14", "OR-TRA-15")
class QueueOnly(PytestSQLiteOrchestrator):
    """It gives what is in the queue, whoever waits for what."""

    def get_blocking_invocations_to_run(self, *args: Any) -> Iterator[Any]:
        del args
        return iter(())


@mutant("OR-TRA-15")
class BlockingNotReported(PytestSQLiteOrchestrator):
    """It does not tell its caller which of the invocations it gave were awaited."""

    def get_blocking_invocations_to_run(
        self, max_num_invocations: int, blocking_invocation_ids: Any, runner_ctx: Any
    ) -> Iterator[Any]:
        del blocking_invocation_ids
        return super().get_blocking_invocations_to_run(max_num_invocations, set(), runner_ctx)


@mutant("OR-TRA-16")
class GivenTwice(PytestSQLiteOrchestrator):
    """It gives what was given as awaited once more from the queue."""

    def get_additional_invocations_to_run(
        self, missing: int, blocking: Any, *args: Any, **named: Any
    ) -> Iterator[Any]:
        del blocking
        return super().get_additional_invocations_to_run(missing, set(), *args, **named)


@mutant("OR-TRA-17")
class PendingIsRunning(PytestSQLiteOrchestrator):
    """It lets what is claimed already keep others from running."""

    def is_authorize_to_run_by_concurrency_control(self, invocation: Any) -> bool:
        return super().is_candidate_to_run_by_concurrency_control(invocation)


@mutant("OR-TRA-18", "OR-RET-06")
class RerouteForgotten(PytestSQLiteOrchestrator):
    """It forgets what it could not run now."""

    def reroute_invocations(self, *args: Any) -> None:
        """Do nothing."""


@mutant("OR-RET-06")
class ReroutedWithoutQueue(PytestSQLiteOrchestrator):
    """What it reroutes gets its status, and does not come into the queue again."""

    def reroute_invocations(self, invocations_to_reroute: Any, runner_ctx: Any) -> None:
        for invocation_id in invocations_to_reroute:
            self.set_invocation_status(invocation_id, InvocationStatus.REROUTED, runner_ctx)


@mutant("OR-RET-01", "OR-RET-03")
class AttemptsCounted(PytestSQLiteOrchestrator):
    """It counts attempts, and the first one is no retry."""

    def get_invocation_retries(self, invocation_id: Any) -> int:
        return super().get_invocation_retries(invocation_id) + 1


@mutant("OR-RET-03")
class RetriesOfTheKnown(PytestSQLiteOrchestrator):
    """It raises an error if it is asked for the retries of an unknown invocation."""

    def get_invocation_retries(self, invocation_id: Any) -> int:
        self.get_invocation_status_record(invocation_id)
        return super().get_invocation_retries(invocation_id)


@mutant("OR-RET-02", "BE-PRG-01")
class RetriesOfAll(PytestSQLiteOrchestrator):
    """Its update lacks the id, and counts a retry for every invocation."""

    def increment_invocation_retries(self, invocation_id: Any) -> None:
        del invocation_id
        self._database.write(_COUNT_FOR_ALL, (self._app_id,))


@mutant("OR-RET-02", "OR-RET-05")
class FirstRetryLost(PytestSQLiteOrchestrator):
    """Its counter comes into being with the first retry, and begins at 0."""

    def get_invocation_retries(self, invocation_id: Any) -> int:
        return max(super().get_invocation_retries(invocation_id) - 1, 0)


@mutant("OR-RET-04")
class RetriesOverwritten(PytestSQLiteOrchestrator):
    """It writes a new document for each status, without the retries of the former."""

    def _atomic_status_transition(
        self, invocation_id: Any, status: InvocationStatus, runner_id: str | None = None
    ) -> InvocationStatusRecord:
        record = super()._atomic_status_transition(invocation_id, status, runner_id)
        self._database.write(_FORGET_RETRIES, (self._app_id, invocation_id))
        return record


@mutant("OR-RET-05")
class RetryWithoutQueue(PytestSQLiteOrchestrator):
    """What it retries gets status and count, and does not come into the queue again."""

    def set_invocation_retry(self, invocation: Any, exception: Any, runner_ctx: Any) -> None:
        del exception
        # An older pynenc gives the id.
        invocation_id = getattr(invocation, "invocation_id", invocation)
        self.set_invocation_status(invocation_id, InvocationStatus.RETRY, runner_ctx)
        self.increment_invocation_retries(invocation_id)


@mutant("OR-RET-07")
class FirstOfManyRouted(PytestSQLiteOrchestrator):
    """Of several invocations it routes the first."""

    def route_invocations(self, invocations: Any) -> None:
        super().route_invocations(invocations[:1])
