"""What a state backend does on a store that several processes share.

A store (SQLite, MongoDB) keeps a few tables, whose operations are atomic. This class is the
rest: pynenc's methods, in terms of those tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pytest_pynenc_state.backends.state_backend import (
    PytestStateBackend,
    checked_batch_size,
    key_of,
)
from pytest_pynenc_state.backends.state_backend_tables import (
    AppInfos,
    History,
    Invocations,
    RunnerContexts,
    Values,
    Workflows,
)

if TYPE_CHECKING:
    from pynenc.app_info import AppInfo
    from pynenc.identifiers.invocation_id import InvocationId
    from pynenc.identifiers.task_id import TaskId
    from pynenc.models.call_dto import CallDTO
    from pynenc.models.invocation_dto import InvocationDTO
    from pynenc.runner.runner_context import RunnerContext
    from pynenc.state_backend.base_state_backend import InvocationHistory
    from pynenc.workflow import WorkflowIdentity


class StoredStateBackend(PytestStateBackend):
    """Base of the state backends whose state is in a store outside of the process.

    A subclass sets the tables when it is constructed, and has ``purge`` and
    ``discover_app_infos``.
    """

    _invocations: Invocations
    _history: History
    _results: Values
    _exceptions: Values
    _workflows: Workflows
    _runner_contexts: RunnerContexts
    _app_infos: AppInfos

    # -- invocations -----------------------------------------------------------------

    def _upsert_invocations(self, entries: list[tuple[InvocationDTO, CallDTO]]) -> None:
        """Store all of *entries*, each replacing what its invocation had."""
        self._invocations.upsert(entries)

    def _get_invocation(self, invocation_id: str) -> tuple[InvocationDTO, CallDTO] | None:
        """Return what was stored of an invocation; None if it is unknown."""
        return self._invocations.get(invocation_id)

    def get_stored_invocations(
        self, invocation_ids: Sequence[str]
    ) -> dict[str, tuple[InvocationDTO, CallDTO]]:
        """Return what was stored of those of *invocation_ids* that are known.

        As the two methods below, it is for whoever looks at a whole app, and not pynenc's.
        """
        return self._invocations.get_all(invocation_ids)

    def invocations_with_result(self, invocation_ids: Sequence[str]) -> set[str]:
        """Return those of *invocation_ids* that have a result."""
        return self._results.having(invocation_ids)

    def invocations_with_exception(self, invocation_ids: Sequence[str]) -> set[str]:
        """Return those of *invocation_ids* that have an exception."""
        return self._exceptions.having(invocation_ids)

    def get_child_invocations(self, parent_invocation_id: str) -> Iterator[InvocationId]:
        """Return the ids of an invocation's direct children, in no order."""
        return iter(self._invocations.children(parent_invocation_id))

    def get_invocations_by_parent_event(self, parent_event_id: str) -> Iterator[InvocationId]:
        """Return the ids of the invocations that an event triggered, in no order."""
        return iter(self._invocations.triggered_by(parent_event_id))

    def get_invocation_ids_by_workflow(
        self, workflow_id: str | None = None, workflow_type_key: str | None = None
    ) -> Iterator[InvocationId]:
        """Return the ids in a workflow, of a workflow type, of both, or all; in no order."""
        return iter(self._invocations.in_workflow(workflow_id, workflow_type_key))

    # -- history ---------------------------------------------------------------------

    def _add_records(self, records: Sequence[InvocationHistory]) -> None:
        self._history.append(records)

    def _get_history(self, invocation_id: str) -> list[InvocationHistory]:
        return self._history.of_invocation(invocation_id)

    def iter_history_in_timerange(
        self, start_time: datetime, end_time: datetime, batch_size: int = 100
    ) -> Iterator[list[InvocationHistory]]:
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
        self._results.put(invocation_id, serialized_result)

    def _get_result(self, invocation_id: str) -> str:
        return self._stored(self._results, invocation_id, "result")

    def _set_exception(self, invocation_id: str, serialized_exception: str) -> None:
        self._exceptions.put(invocation_id, serialized_exception)

    def _get_exception(self, invocation_id: str) -> str:
        return self._stored(self._exceptions, invocation_id, "exception")

    def _stored(self, values: Values, invocation_id: str, what: str) -> str:
        serialized = values.get(invocation_id)
        if serialized is None:
            message = f"invocation {invocation_id!r} of app {self.app.app_id!r} has no {what}"
            raise KeyError(message)
        return serialized

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
        self._runner_contexts.put(runner_context)

    def _has_runner_context(self, runner_id: str) -> bool:
        return self._runner_contexts.has(runner_id)

    def _get_runner_context(self, runner_id: str) -> RunnerContext | None:
        return next(iter(self._runner_contexts.get([runner_id])), None)

    def _get_runner_contexts(self, runner_ids: list[str]) -> list[RunnerContext]:
        """Return the stored contexts of *runner_ids*, each once, in no order."""
        return self._runner_contexts.get(runner_ids)

    def get_matching_runner_contexts(self, partial_id: str) -> Iterator[RunnerContext]:
        """Return the contexts whose id contains *partial_id* to the letter, in no order."""
        return iter(self._runner_contexts.matching(partial_id))

    # -- app info --------------------------------------------------------------------

    def store_app_info(self, app_info: AppInfo) -> None:
        """Store how to find and rebuild an app; its former info is replaced."""
        self._app_infos.put(app_info)

    def get_app_info(self) -> AppInfo:
        """Return this app's info.

        :raises KeyError: None was stored.
        """
        app_info = self._app_infos.get(self.app.app_id)
        if app_info is None:
            message = f"no app info is stored for app {self.app.app_id!r}"
            raise KeyError(message)
        return app_info
