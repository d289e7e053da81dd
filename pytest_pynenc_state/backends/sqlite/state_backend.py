"""`PytestSQLiteStateBackend`: pynenc's state backend on one SQLite file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonpickle
from pynenc.app_info import AppInfo
from pynenc.identifiers.task_id import TaskId
from pynenc.runner.runner_context import RunnerContext
from pynenc.state_backend.base_state_backend import InvocationHistory as PynencInvocationHistory
from pynenc.workflow import WorkflowIdentity

from pytest_pynenc_state.backends.sqlite.config import (
    ConfigPytestStateBackendSQLite,
    opened_database,
)
from pytest_pynenc_state.backends.sqlite.connection import Row, text
from pytest_pynenc_state.backends.sqlite.history import HistoryTable
from pytest_pynenc_state.backends.sqlite.invocations import InvocationTable
from pytest_pynenc_state.backends.sqlite.queries import purge_tables, read_in_chunks
from pytest_pynenc_state.backends.sqlite.schema import StateBackendTables as Tables
from pytest_pynenc_state.backends.sqlite.schema import prepare_file
from pytest_pynenc_state.backends.sqlite.workflows import WorkflowTables
from pytest_pynenc_state.backends.state_backend import (
    InvocationHistory,
    PytestStateBackend,
    checked_batch_size,
    key_of,
)

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.identifiers.invocation_id import InvocationId
    from pynenc.models.call_dto import CallDTO
    from pynenc.models.invocation_dto import InvocationDTO

__all__ = ["InvocationHistory", "PytestSQLiteStateBackend", "Tables", "init_tables"]

_SET_RESULT, _SET_EXCEPTION = (
    f"INSERT INTO {table} VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
    for table in (Tables.RESULTS, Tables.EXCEPTIONS)
)
_GET_RESULT, _GET_EXCEPTION = (
    f"SELECT value FROM {table} WHERE app_id = ? AND invocation_id = ?"
    for table in (Tables.RESULTS, Tables.EXCEPTIONS)
)
_STORE_CONTEXT = f"INSERT OR REPLACE INTO {Tables.RUNNER_CONTEXTS} VALUES (?, ?, ?)"
_CONTEXTS = f"SELECT context_json FROM {Tables.RUNNER_CONTEXTS} WHERE app_id = ?"
_HAS_CONTEXT = f"SELECT 1 FROM {Tables.RUNNER_CONTEXTS} WHERE app_id = ? AND runner_id = ?"
_STORE_APP = f"INSERT OR REPLACE INTO {Tables.APP_INFO} VALUES (?, ?)"
_APPS = f"SELECT app_info_json FROM {Tables.APP_INFO}"

# App info is not among them: pynenc writes it once, and would never find the app again.
_PURGED_TABLES = (
    Tables.RESULTS,
    Tables.EXCEPTIONS,
    Tables.INVOCATIONS,
    Tables.HISTORY,
    Tables.RUNNER_CONTEXTS,
    Tables.WORKFLOWS,
    Tables.WORKFLOW_DATA,
    Tables.WORKFLOW_SUB_INVOCATIONS,
)


def init_tables(sqlite_db_path: str) -> None:
    """Make *sqlite_db_path* a file with this package's tables; a ready one is left alone.

    :raises StoreUnusable: The path is a directory, no database, damaged, unwritable, or
        has another schema version. It is left as it was.
    """
    prepare_file(sqlite_db_path)


class PytestSQLiteStateBackend(PytestStateBackend):
    """A state backend on one SQLite file, which several apps and processes may share.

    The file is ``sqlite_db_path``; ``sqlite_timeout_s`` bounds the wait for its lock.
    Every method is one transaction: atomic against threads and processes, visible to
    all of them on return, and kept when any process is killed. Methods raise
    `BackendError` if the file fails; what they were about to write is rolled back.
    """

    def __init__(self, app: Pynenc) -> None:
        super().__init__(app)
        self._app_id = app.app_id
        self._database = opened_database(self.conf)
        self._invocations = InvocationTable(self._database, self._app_id)
        self._history = HistoryTable(self._database, self._app_id)
        self._workflows = WorkflowTables(self._database, self._app_id)

    @cached_property
    def conf(self) -> ConfigPytestStateBackendSQLite:
        """The configuration: ``sqlite_db_path`` and ``sqlite_timeout_s``."""
        return ConfigPytestStateBackendSQLite(
            config_values=self.app.config_values, config_filepath=self.app.config_filepath
        )

    def _purge_store(self) -> None:
        purge_tables(self._database, self._app_id, _PURGED_TABLES)

    # -- invocations -----------------------------------------------------------------

    def _upsert_invocations(self, entries: list[tuple[InvocationDTO, CallDTO]]) -> None:
        """Store all of *entries* or none, each replacing what its invocation had."""
        self._invocations.upsert(entries)

    def _get_invocation(self, invocation_id: str) -> tuple[InvocationDTO, CallDTO] | None:
        """Return what was stored of an invocation; None if it is unknown."""
        return self._invocations.get(invocation_id)

    def get_child_invocations(self, parent_invocation_id: str) -> Iterator[InvocationId]:
        """Return the ids of an invocation's direct children, in no order."""
        return self._invocations.ids_where("parent_invocation_id = ?", parent_invocation_id)

    def get_invocations_by_parent_event(self, parent_event_id: str) -> Iterator[InvocationId]:
        """Return the ids of the invocations that an event triggered, in no order."""
        return self._invocations.ids_where("parent_event_id = ?", parent_event_id)

    def get_invocation_ids_by_workflow(
        self, workflow_id: str | None = None, workflow_type_key: str | None = None
    ) -> Iterator[InvocationId]:
        """Return the ids in a workflow, of a workflow type, of both, or all; in no order."""
        filters = {"workflow_id = ?": workflow_id, "workflow_type_key = ?": workflow_type_key}
        chosen = {condition: value for condition, value in filters.items() if value}
        condition = " AND ".join(chosen) or "TRUE"
        return self._invocations.ids_where(condition, *chosen.values())

    # -- history ---------------------------------------------------------------------

    def _add_records(self, records: Sequence[PynencInvocationHistory]) -> None:
        self._history.append(records)

    def _get_history(self, invocation_id: str) -> list[PynencInvocationHistory]:
        return self._history.of_invocation(invocation_id)

    def iter_history_in_timerange(
        self, start_time: datetime, end_time: datetime, batch_size: int = 100
    ) -> Iterator[list[PynencInvocationHistory]]:
        """Return the records from *start_time* to *end_time*, both included, by time stamp.

        They come in lists of *batch_size*, the last one shorter. The iteration sees the
        records that were there when its first list was asked for.

        :raises ValueError: *batch_size* is below 1.
        """
        return self._history.in_timerange(start_time, end_time, checked_batch_size(batch_size))

    def iter_invocations_in_timerange(
        self, start_time: datetime, end_time: datetime, batch_size: int = 100
    ) -> Iterator[list[InvocationId]]:
        """Return the ids that have a record from *start_time* to *end_time*, each once.

        They come in the order of their first record in the range; batches, snapshot and
        errors as `iter_history_in_timerange`.
        """
        return self._history.invocations_in_timerange(
            start_time, end_time, checked_batch_size(batch_size)
        )

    # -- results and exceptions ------------------------------------------------------

    def _set_result(self, invocation_id: str, serialized_result: str) -> None:
        self._database.write(_SET_RESULT, (self._app_id, invocation_id, serialized_result))

    def _get_result(self, invocation_id: str) -> str:
        return self._value(_GET_RESULT, invocation_id, "result")

    def _set_exception(self, invocation_id: str, serialized_exception: str) -> None:
        self._database.write(_SET_EXCEPTION, (self._app_id, invocation_id, serialized_exception))

    def _get_exception(self, invocation_id: str) -> str:
        return self._value(_GET_EXCEPTION, invocation_id, "exception")

    def _value(self, sql: str, invocation_id: str, what: str) -> str:
        rows = self._database.read(sql, (self._app_id, invocation_id))
        if not rows:
            message = f"invocation {invocation_id!r} of app {self._app_id!r} has no {what}"
            raise KeyError(message)
        return text(rows[0][0])

    # -- workflows -------------------------------------------------------------------

    def set_workflow_data(self, workflow_identity: WorkflowIdentity, key: str, value: Any) -> None:
        """Store a value of a workflow, as the app's serializer writes it; the last one wins."""
        serialized = self.app.serializer.serialize(value)
        self._workflows.set_value(workflow_identity.workflow_id, key, serialized)

    def get_workflow_data(
        self, workflow_identity: WorkflowIdentity, key: str, default: Any = None
    ) -> Any:
        """Return a value of a workflow; *default* only if *key* was never stored."""
        serialized = self._workflows.get_value(workflow_identity.workflow_id, key)
        return default if serialized is None else self.app.serializer.deserialize(serialized)

    def store_workflow_run(self, workflow_identity: WorkflowIdentity) -> None:
        """Store one run of a workflow; another identity of the same id replaces it."""
        self._workflows.store_run(workflow_identity)

    def get_all_workflow_types(self) -> Iterator[TaskId]:
        """Return the distinct types of all stored runs, in no order."""
        return iter(self._workflows.types())

    def get_all_workflow_runs(self) -> Iterator[WorkflowIdentity]:
        """Return all stored runs, in no order."""
        return self._get_workflow_runs(None)

    def get_workflow_runs(self, workflow_type: TaskId | str) -> Iterator[WorkflowIdentity]:
        """Return the runs of one type, given by task id or its key, in no order."""
        return self._get_workflow_runs(key_of(workflow_type))

    def _get_workflow_runs(self, workflow_type_key: str | None) -> Iterator[WorkflowIdentity]:
        return iter(self._workflows.runs(workflow_type_key))

    def store_workflow_sub_invocation(
        self, parent_workflow_id: str, sub_invocation_id: str
    ) -> None:
        """Store that an invocation runs inside a workflow; repeating it changes nothing."""
        self._workflows.store_sub_invocation(parent_workflow_id, sub_invocation_id)

    def get_workflow_sub_invocations(self, workflow_id: str) -> Iterator[InvocationId]:
        """Return the ids of the invocations inside a workflow, each once, in no order."""
        return iter(self._workflows.sub_invocations(workflow_id))

    # -- runner contexts -------------------------------------------------------------

    def _store_runner_context(self, runner_context: RunnerContext) -> None:
        self._database.write(
            _STORE_CONTEXT, (self._app_id, runner_context.runner_id, runner_context.to_json())
        )

    def _has_runner_context(self, runner_id: str) -> bool:
        return bool(self._database.read(_HAS_CONTEXT, (self._app_id, runner_id)))

    def _get_runner_context(self, runner_id: str) -> RunnerContext | None:
        return next(iter(self._get_runner_contexts([runner_id])), None)

    def _get_runner_contexts(self, runner_ids: list[str]) -> list[RunnerContext]:
        """Return the stored contexts of *runner_ids*, each once, in no order."""
        rows = read_in_chunks(
            self._database, _CONTEXTS + " AND runner_id IN ({})", [self._app_id], runner_ids
        )
        return [RunnerContext.from_json(context_json) for (context_json,) in rows]

    def get_matching_runner_contexts(self, partial_id: str) -> Iterator[RunnerContext]:
        """Return the contexts whose id contains *partial_id* to the letter, in no order."""
        rows = self._database.read(
            _CONTEXTS + " AND instr(runner_id, ?)", (self._app_id, partial_id)
        )
        return iter([RunnerContext.from_json(context_json) for (context_json,) in rows])

    # -- app info --------------------------------------------------------------------

    def store_app_info(self, app_info: AppInfo) -> None:
        """Store how to find and rebuild an app; its former info is replaced."""
        # Configuration values may be sets or paths, which plain JSON refuses.
        stored = {column.name: getattr(app_info, column.name) for column in fields(app_info)}
        self._database.write(_STORE_APP, (app_info.app_id, _encode(stored)))

    def get_app_info(self) -> AppInfo:
        """Return this app's info.

        :raises KeyError: None was stored.
        """
        rows = self._database.read(f"{_APPS} WHERE app_id = ?", (self._app_id,))
        if not rows:
            message = f"no app info is stored for app {self._app_id!r}"
            raise KeyError(message)
        return _app_info(rows[0])

    @staticmethod
    def discover_app_infos() -> dict[str, AppInfo]:
        """Return the info of all apps in the configured file by app id.

        The file is the one that environment and configuration files name, not that of any
        app's ``config_values``. A file that does not exist holds no app, and stays so.

        :raises ValueError: No file is configured.
        """
        conf = ConfigPytestStateBackendSQLite()
        if not conf.sqlite_db_path:
            message = "no sqlite_db_path is configured; set PYNENC__SQLITE_DB_PATH"
            raise ValueError(message)
        if not Path(conf.sqlite_db_path).is_file():
            return {}
        database = opened_database(conf)
        return {info.app_id: info for info in map(_app_info, database.read(_APPS))}


def _encode(stored: dict[str, Any]) -> str:
    encoded: str = jsonpickle.encode(stored, keys=True)  # type: ignore[no-untyped-call]
    return encoded


def _app_info(row: Row) -> AppInfo:
    stored: dict[str, Any] = jsonpickle.decode(row[0], keys=True)  # type: ignore[no-untyped-call]  # noqa: S301 - written by our own apps
    known = {column.name for column in fields(AppInfo)}
    return AppInfo(**{name: value for name, value in stored.items() if name in known})
