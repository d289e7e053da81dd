"""Faults of who waits for whom, and of who blocks others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.backends.sqlite.orchestrator import (
    PytestSQLiteBlockingControl,
    PytestSQLiteOrchestrator,
)
from pytest_pynenc_state.backends.sqlite.schema import OrchestratorTables
from tests.conformance.mutants.mutant import mutant

if TYPE_CHECKING:
    from pynenc.app import Pynenc

    Control = type[PytestSQLiteBlockingControl]

_EDGES = OrchestratorTables.BLOCKING_EDGES
_EDGES_WITHOUT_WAITER = (
    f"SELECT waited_id FROM {_EDGES} AS edge WHERE app_id = ? AND NOT EXISTS "
    f"(SELECT 1 FROM {_EDGES} WHERE app_id = edge.app_id AND waiter_id = edge.waited_id) LIMIT ?"
)
_AWAITED = f"SELECT waited_id FROM {_EDGES} WHERE app_id = ?"
_FREE_WAITERS = (
    f"DELETE FROM {_EDGES} WHERE app_id = ? "
    f"AND waiter_id IN (SELECT waiter_id FROM {_EDGES} WHERE waited_id = ?)"
)
_ALL = 10**6


def blocking_mutant(*catchers: str) -> Callable[[Control], type[PytestSQLiteOrchestrator]]:
    """Make an orchestrator of a blocking control with a fault, and declare that as a mutant."""

    def declare(control: Control) -> type[PytestSQLiteOrchestrator]:
        def build(self: Any, app: Pynenc) -> None:
            PytestSQLiteOrchestrator.__init__(self, app)
            self._blocking_control = control(app, self.sqlite_db_path)

        body = {"__doc__": control.__doc__, "__module__": control.__module__, "__init__": build}
        return mutant(*catchers)(type(control.__name__, (PytestSQLiteOrchestrator,), body))

    return declare


@blocking_mutant("BC-BLO-01", "BC-BLO-04", "OR-TRA-11")
class WaitersNotStored(PytestSQLiteBlockingControl):
    """It stores who is awaited, and not who waits."""

    def waiting_for_results(self, caller_invocation_id: Any, result_invocation_ids: Any) -> None:
        nobody = f"waiter {caller_invocation_id}"
        super().waiting_for_results(nobody, result_invocation_ids)


@blocking_mutant("BC-BLO-02", "BC-BLO-03")
class OncePerWaiter(PytestSQLiteBlockingControl):
    """It lists what is awaited once for each of those that wait."""

    def get_blocking_invocations(self, max_num_invocations: int) -> Iterator[Any]:
        rows = self._database.read(_EDGES_WITHOUT_WAITER, (self._app_id, max_num_invocations))
        return iter([str(row[0]) for row in rows])


@blocking_mutant("BC-BLO-04")
class WaitForItselfIgnored(PytestSQLiteBlockingControl):
    """It does not take an invocation that waits for itself for waiting."""

    def waiting_for_results(self, caller_invocation_id: Any, result_invocation_ids: Any) -> None:
        waits_for_itself = caller_invocation_id in result_invocation_ids
        waiter = "itself" if waits_for_itself else caller_invocation_id
        super().waiting_for_results(waiter, result_invocation_ids)


@blocking_mutant("BC-BLO-05", "BC-BLO-06")
class RegisteredOnly(PytestSQLiteBlockingControl):
    """It takes REGISTERED for the only status that is available for run."""

    def get_blocking_invocations(self, max_num_invocations: int) -> Iterator[Any]:
        registered_only = frozenset({InvocationStatus.REGISTERED})
        blocking = [*super().get_blocking_invocations(_ALL)]
        found = self.app.orchestrator.filter_by_status(blocking, registered_only)
        return iter(found[:max_num_invocations])


@blocking_mutant("BC-BLO-06")
class LongestUnchangedFirst(PytestSQLiteBlockingControl):
    """It begins with what has been in its status for longest."""

    def get_blocking_invocations(self, max_num_invocations: int) -> Iterator[Any]:
        record_of = self.app.orchestrator.get_invocation_status_record
        blocking = super().get_blocking_invocations(_ALL)
        in_order = sorted(blocking, key=lambda each: record_of(each).timestamp)
        return iter(in_order[:max_num_invocations])


@blocking_mutant("BC-BLO-06")
class NewestOfThePage(PytestSQLiteBlockingControl):
    """It lists the newest registration first."""

    def get_blocking_invocations(self, max_num_invocations: int) -> Iterator[Any]:
        oldest_first = [*super().get_blocking_invocations(_ALL)]
        return iter(oldest_first[::-1][:max_num_invocations])


@blocking_mutant("BC-BLO-07")
class AwaitedIsKnown(PytestSQLiteBlockingControl):
    """It asks for the status of all that is awaited, as if all were registered."""

    def get_blocking_invocations(self, max_num_invocations: int) -> Iterator[Any]:
        for row in self._database.read(_AWAITED, (self._app_id,)):
            self.app.orchestrator.get_invocation_status(str(row[0]))
        return super().get_blocking_invocations(max_num_invocations)


@blocking_mutant("BC-BLO-08")
class WaitForTheKnown(PytestSQLiteBlockingControl):
    """It does not keep the wait for what is not registered yet."""

    def waiting_for_results(self, caller_invocation_id: Any, result_invocation_ids: Any) -> None:
        any_status = frozenset(InvocationStatus)
        known = self.app.orchestrator.filter_by_status(result_invocation_ids, any_status)
        super().waiting_for_results(caller_invocation_id, known)


@blocking_mutant("BC-BLO-09", "BC-BLO-10")
class ReleasedFromAll(PytestSQLiteBlockingControl):
    """Who waits for several invocations is free when the first of them has ended."""

    def release_waiters(self, waited_invocation_id: Any) -> None:
        self._database.write(_FREE_WAITERS, (self._app_id, waited_invocation_id))
        super().release_waiters(waited_invocation_id)


@blocking_mutant("BC-BLO-10")
class NothingToRelease(PytestSQLiteBlockingControl):
    """It fails if it is to release an invocation that nobody waits for."""

    def release_waiters(self, waited_invocation_id: Any) -> None:
        rows = self._database.read(_AWAITED, (self._app_id,))
        [str(row[0]) for row in rows].remove(waited_invocation_id)
        super().release_waiters(waited_invocation_id)


@mutant("BC-BLO-12")
class NobodyWaits(PytestSQLiteOrchestrator):
    """It keeps the wait of whoever is outside of any invocation, and gives it a name."""

    def waiting_for_results(self, caller_invocation_id: Any, result_invocation_ids: Any) -> None:
        super().waiting_for_results(caller_invocation_id or "nobody", result_invocation_ids)


@mutant("BC-BLO-12")
class WaitsForNothing(PytestSQLiteOrchestrator):
    """It takes whoever waits for an empty list for waiting."""

    def waiting_for_results(self, caller_invocation_id: Any, result_invocation_ids: Any) -> None:
        awaited = result_invocation_ids or ["nothing"]
        super().waiting_for_results(caller_invocation_id, awaited)


@mutant("BC-BLO-13")
class BlockingSwitchIgnored(PytestSQLiteOrchestrator):
    """It keeps every wait, also if the configuration switches that off."""

    def waiting_for_results(self, caller_invocation_id: Any, result_invocation_ids: Any) -> None:
        self.blocking_control.waiting_for_results(caller_invocation_id, result_invocation_ids)
