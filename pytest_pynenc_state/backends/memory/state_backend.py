"""A state backend in the memory of one process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pynenc.invocation.status import InvocationStatus, InvocationStatusRecord

from pytest_pynenc_state.backends.memory.history import (
    HistoryLog,
    history_rows,
    restored_histories,
)
from pytest_pynenc_state.backends.memory.invocations import InvocationStore, invocation_rows
from pytest_pynenc_state.backends.memory.workflows import PytestMemWorkflows, Workflows
from pytest_pynenc_state.backends.state_backend import (
    InvocationHistory,
    checked_batch_size,
    invocation_id_of,
)

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.app_info import AppInfo
    from pynenc.identifiers.invocation_id import InvocationId
    from pynenc.invocation.dist_invocation import DistributedInvocation
    from pynenc.models.call_dto import CallDTO
    from pynenc.models.invocation_dto import InvocationDTO
    from pynenc.runner.runner_context import RunnerContext
    from pynenc.state_backend.base_state_backend import (
        InvocationHistory as PynencInvocationHistory,
    )

__all__ = ["InvocationHistory", "PytestMemStateBackend"]

_Item = TypeVar("_Item")


class PytestMemStateBackend(PytestMemWorkflows):
    """Keeps an app's state in memory: fast, and gone with the process.

    What is handed out is a copy: changing it changes nothing in the store. An iterator
    goes over what was there when it was made, whoever writes meanwhile.

    Concurrency: each method is atomic between threads. Other processes see nothing.
    """

    # Of the class, because `discover_app_infos` has no instance to ask.
    _app_info_registry: ClassVar[dict[str, AppInfo]] = {}
    _registry_lock: ClassVar[threading.Lock] = threading.Lock()  # protects the registry

    def __init__(self, app: Pynenc) -> None:
        super().__init__(app)
        self._invocations = InvocationStore(self._lock)
        self._history = HistoryLog(self._lock)
        self._results: dict[str, str] = {}
        self._exceptions: dict[str, str] = {}
        self._runner_contexts: dict[str, RunnerContext] = {}

    def _purge_store(self) -> None:
        # Replaces all attributes in one step, which other threads see as a whole; and
        # what they are writing meanwhile goes where nobody reads any more.
        vars(self).update(
            _workflows=Workflows(),
            _invocations=InvocationStore(self._lock),
            _history=HistoryLog(self._lock),
            _results={},
            _exceptions={},
            _runner_contexts={},
        )

    def _upsert_invocations(self, entries: Sequence[tuple[InvocationDTO, CallDTO]]) -> None:
        """Store each pair, in place of what was stored of that invocation: all, or none."""
        self._invocations.arrived.extend(invocation_rows(entries))

    def _get_invocation(self, invocation_id: InvocationId) -> tuple[InvocationDTO, CallDTO] | None:
        """Return an invocation and its call; None if it is unknown."""
        return self._invocations.get(invocation_id)

    def get_child_invocations(self, parent_invocation_id: InvocationId) -> Iterator[InvocationId]:
        """Return the ids of an invocation's direct children, each once, in storing order."""
        return iter(self._invocations.children(parent_invocation_id))

    def get_invocations_by_parent_event(self, parent_event_id: str) -> Iterator[InvocationId]:
        """Return the ids of what an event triggered, each once, in storing order."""
        return iter(self._invocations.children_of_event(parent_event_id))

    def get_invocation_ids_by_workflow(
        self, workflow_id: str | None = None, workflow_type_key: str | None = None
    ) -> Iterator[InvocationId]:
        """Return the ids of the invocations of a workflow, of a type, or of both at once.

        In the order they were first stored. Without a filter (None or ``""``): all
        ids, also of invocations outside any workflow.
        """
        return iter(self._invocations.of_workflow(workflow_id, workflow_type_key))

    def add_history(
        self,
        invocation_id: str | DistributedInvocation[Any, Any],
        status_record: InvocationStatusRecord | InvocationStatus | None = None,
        runner_context: RunnerContext | None = None,
    ) -> None:
        """Append one status change, as the base class describes."""
        # pynenc gives a record and a context. Building an InvocationHistory of them, only
        # to take it apart, would be a third of the time.
        if runner_context is None or not isinstance(status_record, InvocationStatusRecord):
            super().add_history(invocation_id, status_record, runner_context)
            return
        self.store_runner_context(runner_context)
        runner_id = runner_context.runner_id
        row = (invocation_id_of(invocation_id), datetime.now(UTC), status_record, runner_id, None)
        self._history.arrived.append(row)

    def _add_records(self, records: Sequence[PynencInvocationHistory]) -> None:
        self._history.arrived.extend(history_rows(records))

    def _get_history(self, invocation_id: str) -> list[PynencInvocationHistory]:
        log = self._history
        if log.arrived:
            log.file_arrived()
        return restored_histories(log.rows_of.get(invocation_id, ()))

    def iter_history_in_timerange(
        self, start_time: datetime, end_time: datetime, batch_size: int = 100
    ) -> Iterator[list[PynencInvocationHistory]]:
        """Yield the status changes from *start_time* to *end_time*, both inclusive.

        :param batch_size: How many records a list has, except the last.
        :returns: Lists of records, oldest first across all lists; no list is empty.
            What is written after the first list was asked for is not in them.
        :raises ValueError: *batch_size* is below 1; raised by the call itself.
        """
        batch_size = checked_batch_size(batch_size)
        rows = self._batches(HistoryLog.between, start_time, end_time, batch_size)
        return map(restored_histories, rows)

    def iter_invocations_in_timerange(
        self, start_time: datetime, end_time: datetime, batch_size: int = 100
    ) -> Iterator[list[InvocationId]]:
        """Yield the ids of the invocations whose status changed in that range.

        :returns: Lists of ids: each id once, in the order first seen. Otherwise as
            `iter_history_in_timerange`.
        :raises ValueError: *batch_size* is below 1; raised by the call itself.
        """
        batch_size = checked_batch_size(batch_size)
        return self._batches(HistoryLog.ids_between, start_time, end_time, batch_size)

    def _batches(
        self,
        read: Callable[[HistoryLog, datetime, datetime], list[_Item]],
        start: datetime,
        end: datetime,
        batch_size: int,
    ) -> Iterator[list[_Item]]:
        items = read(self._history, start, end)
        for first in range(0, len(items), batch_size):
            yield items[first : first + batch_size]

    def _set_result(self, invocation_id: str, serialized_result: str) -> None:
        self._results[invocation_id] = serialized_result

    def _get_result(self, invocation_id: str) -> str:
        return self._results[invocation_id]

    def _set_exception(self, invocation_id: str, serialized_exception: str) -> None:
        self._exceptions[invocation_id] = serialized_exception

    def _get_exception(self, invocation_id: str) -> str:
        return self._exceptions[invocation_id]

    def store_runner_context(self, runner_context: RunnerContext) -> None:
        """Store a runner's context, and its parents'; a changed one replaces the former."""
        stored = self._runner_contexts.get(runner_context.runner_id)
        # As `_was_stored` compares.
        if stored is None or vars(stored) != vars(runner_context):
            self._store_runner_context(runner_context)
        if runner_context.parent_ctx:
            self.store_runner_context(runner_context.parent_ctx)

    def _store_runner_context(self, runner_context: RunnerContext) -> None:
        """Store a copy, with all parents, in place of what was stored of that runner."""
        own = deepcopy(runner_context)
        with self._lock:
            self._runner_contexts[own.runner_id] = own

    def _has_runner_context(self, runner_id: str) -> bool:
        return runner_id in self._runner_contexts

    def _get_runner_context(self, runner_id: str) -> RunnerContext | None:
        """Return a copy of a runner's context; None if it is unknown."""
        return deepcopy(self._runner_contexts.get(runner_id))

    def _get_runner_contexts(self, runner_ids: Sequence[str]) -> list[RunnerContext]:
        """Return copies in the order of *runner_ids*, each once, without the unknown ones."""
        wanted = dict.fromkeys(runner_ids)
        with self._lock:
            contexts = self._runner_contexts
            return [deepcopy(contexts[each]) for each in wanted if each in contexts]

    def get_matching_runner_contexts(self, partial_id: str) -> Iterator[RunnerContext]:
        """Return copies of the contexts whose runner id contains *partial_id*.

        In storing order. Literally and case-sensitively: no character is a wildcard,
        and ``""`` matches all.
        """
        with self._lock:
            contexts = self._runner_contexts
            return iter([deepcopy(contexts[each]) for each in contexts if partial_id in each])

    def store_app_info(self, app_info: AppInfo) -> None:
        """Store a copy of *app_info*, in place of what was stored of that app."""
        own = deepcopy(app_info)
        with self._registry_lock:
            self._app_info_registry[own.app_id] = own

    def get_app_info(self) -> AppInfo:
        """Return a copy of this app's info.

        :raises KeyError: It was never stored, or the app's place is closed.
        """
        return deepcopy(self._app_info_registry[self.app.app_id])

    @staticmethod
    def discover_app_infos() -> dict[str, AppInfo]:
        """Return copies of the infos of all apps in this process, by app id."""
        with PytestMemStateBackend._registry_lock:
            return deepcopy(PytestMemStateBackend._app_info_registry)

    @staticmethod
    def forget_app_infos(*, keeping: Collection[str]) -> None:
        """Remove the infos of all apps in this process but those with ids in *keeping*."""
        with PytestMemStateBackend._registry_lock:
            registry = PytestMemStateBackend._app_info_registry
            for app_id in registry.keys() - set(keeping):
                del registry[app_id]
