"""Faults that mix up the apps of a place, or that a purge has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pynenc.state_backend.base_state_backend import BaseStateBackend

from pytest_pynenc_state.backends.memory.state_backend import PytestMemStateBackend
from pytest_pynenc_state.backends.sqlite.orchestrator import PytestSQLiteOrchestrator
from pytest_pynenc_state.backends.sqlite.queries import purge_tables
from pytest_pynenc_state.backends.sqlite.runners import HeartbeatTable
from pytest_pynenc_state.backends.sqlite.schema import StateBackendTables as Tables
from pytest_pynenc_state.backends.sqlite.state_backend import PytestSQLiteStateBackend
from pytest_pynenc_state.backends.sqlite.values import ValueTable
from tests.conformance.mutants.mutant import mutant

if TYPE_CHECKING:
    from pynenc.app import Pynenc


@mutant("BE-ISO-01", "BE-ISO-02", "BE-PUR-02")
class AppIdsCleaned(PytestSQLiteStateBackend):
    """It cleans the ids of apps until they can be the name of a table."""

    @property
    def _app_id(self) -> str:
        return re.sub(r"\W", "_", self.app.app_id).lower()

    @_app_id.setter
    def _app_id(self, app_id: str) -> None:
        pass


@mutant("BE-ISO-01", "BE-ISO-02", "BE-PUR-01")
class ResultsOfAllApps(PytestSQLiteStateBackend):
    """It stores results by the id of the invocation alone."""

    def __init__(self, app: Pynenc) -> None:
        super().__init__(app)
        self._results = ValueTable(self._database, "", Tables.RESULTS)


@mutant("BE-ISO-01", "BE-PUR-01")
class HeartbeatsOfAllApps(PytestSQLiteOrchestrator):
    """It stores heartbeats by the id of the runner alone."""

    def __init__(self, app: Pynenc) -> None:
        super().__init__(app)
        self._heartbeats = HeartbeatTable(self._database, "")


@mutant("BE-ISO-02")
class KeyWithoutApp(PytestSQLiteStateBackend):
    """Its results have the id of their app, and it is not part of their key."""

    def _set_result(self, invocation_id: str, serialized_result: str) -> None:
        sql = f"DELETE FROM {Tables.RESULTS} WHERE invocation_id = ?"
        self._database.write(sql, (invocation_id,))
        super()._set_result(invocation_id, serialized_result)


@mutant("BE-PUR-01")
class WorkflowsSurvive(PytestSQLiteStateBackend):
    """Its purge forgets the tables of workflows and runner contexts."""

    def _purge_store(self) -> None:
        purged = (Tables.RESULTS, Tables.EXCEPTIONS, Tables.INVOCATIONS, Tables.HISTORY)
        purge_tables(self._database, self._app_id, purged)


@mutant("BE-PUR-02")
class PurgeOfTheTable(PytestSQLiteStateBackend):
    """Its purge removes the histories of all apps."""

    def _purge_store(self) -> None:
        super()._purge_store()
        self._database.write(f"DELETE FROM {Tables.HISTORY}")


@mutant("BE-PUR-03", "BE-PUR-04")
class PurgeDropsTable(PytestSQLiteStateBackend):
    """Its purge removes the table of results, and nothing makes another."""

    def _purge_store(self) -> None:
        super()._purge_store()
        self._database.write(f"DROP TABLE {Tables.RESULTS}")


@mutant("BE-PUR-03")
class NothingToPurge(PytestMemStateBackend):
    """Its purge looks for what it has stored, and fails if that is nothing."""

    def _purge_store(self) -> None:
        if not self._invocations.arrived:
            message = "there is nothing to purge"
            raise KeyError(message)
        super()._purge_store()


@mutant("BE-PUR-04")
class PurgeKeepsWhatWasWritten(PytestMemStateBackend):
    """It does not write an invocation twice, and its purge does not forget which it wrote."""

    def _upsert_invocations(self, entries: Any) -> None:
        written = self.__dict__.setdefault("_written", [])
        new = [entry for entry in entries if entry not in written]
        super()._upsert_invocations(new)
        written.extend(new)


@mutant("BE-PUR-05", "BE-PUR-06")
class PurgeKeepsCache(PytestMemStateBackend):
    """It leaves runner contexts to pynenc's cache, and its purge does not clear that."""

    store_runner_context = BaseStateBackend.store_runner_context
    get_runner_context = BaseStateBackend.get_runner_context
    get_runner_contexts = BaseStateBackend.get_runner_contexts
