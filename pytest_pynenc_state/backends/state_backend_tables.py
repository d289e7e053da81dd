"""The tables that a store gives a state backend: what each operation does, as one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pynenc.app_info import AppInfo
    from pynenc.identifiers.invocation_id import InvocationId
    from pynenc.identifiers.task_id import TaskId
    from pynenc.models.call_dto import CallDTO
    from pynenc.models.invocation_dto import InvocationDTO
    from pynenc.runner.runner_context import RunnerContext
    from pynenc.state_backend.base_state_backend import InvocationHistory
    from pynenc.workflow import WorkflowIdentity


class Invocations(ABC):
    """The invocations of one app, as pynenc's pairs of transfer objects."""

    @abstractmethod
    def upsert(self, entries: Sequence[tuple[InvocationDTO, CallDTO]]) -> None:
        """Store all of *entries*, each replacing what its invocation had, or none."""

    @abstractmethod
    def get(self, invocation_id: str) -> tuple[InvocationDTO, CallDTO] | None:
        """What was stored of an invocation; None if it is unknown."""

    @abstractmethod
    def get_all(self, invocation_ids: Sequence[str]) -> dict[str, tuple[InvocationDTO, CallDTO]]:
        """What was stored of those of *invocation_ids* that are known."""

    @abstractmethod
    def _ids_where(self, wanted: Mapping[str, str]) -> list[InvocationId]:
        """The ids of the invocations whose fields have these values, in no order."""

    def children(self, parent_invocation_id: str) -> list[InvocationId]:
        """The ids of an invocation's direct children, in no order."""
        return self._ids_where({"parent_invocation_id": parent_invocation_id})

    def triggered_by(self, event_id: str) -> list[InvocationId]:
        """The ids of the invocations that an event triggered, in no order."""
        return self._ids_where({"parent_event_id": event_id})

    def in_workflow(
        self, workflow_id: str | None, workflow_type_key: str | None
    ) -> list[InvocationId]:
        """The ids in a workflow, of a workflow type, of both, or all; in no order."""
        wanted = {"workflow_id": workflow_id, "workflow_type_key": workflow_type_key}
        return self._ids_where({field: value for field, value in wanted.items() if value})


class History(Protocol):
    """The status changes of one app's invocations."""

    def append(self, records: Sequence[InvocationHistory]) -> None:
        """Add all of *records*, in their order, or none."""

    def of_invocation(self, invocation_id: str) -> list[InvocationHistory]:
        """The records of one invocation by time stamp; ties in the order written."""

    def in_timerange(
        self, start: datetime, end: datetime, batch_size: int
    ) -> Iterator[list[InvocationHistory]]:
        """Batches of the records from *start* to *end*, both included, by time stamp."""

    def invocations_in_timerange(
        self, start: datetime, end: datetime, batch_size: int
    ) -> Iterator[list[InvocationId]]:
        """Batches of the ids that have a record from *start* to *end*, as first seen there."""


class Values(Protocol):
    """One serialized value for each of one app's invocations."""

    def put(self, invocation_id: str, serialized: str) -> None:
        """Store a value in place of the former one."""

    def get(self, invocation_id: str) -> str | None:
        """The stored value; None if there is none."""

    def having(self, invocation_ids: Sequence[str]) -> set[str]:
        """Those of *invocation_ids* that have a value."""


class Workflows(Protocol):
    """The workflows of one app: runs, their data, and the invocations inside them."""

    def set_value(self, workflow_id: str, key: str, serialized: str) -> None:
        """Store one value of a workflow; the last one wins."""

    def get_value(self, workflow_id: str, key: str) -> str | None:
        """One value of a workflow; None if it was never stored."""

    def store_run(self, identity: WorkflowIdentity) -> None:
        """Store one run; another identity of the same id replaces it."""

    def types(self) -> list[TaskId]:
        """The distinct workflow types, in no order."""

    def runs(self, workflow_type_key: str | None) -> list[WorkflowIdentity]:
        """The runs of one type, or all runs, in no order."""

    def store_sub_invocation(self, workflow_id: str, invocation_id: str) -> None:
        """Store that an invocation runs inside a workflow; repeating it changes nothing."""

    def sub_invocations(self, workflow_id: str) -> list[InvocationId]:
        """The ids of the invocations inside a workflow, each once, in no order."""


class RunnerContexts(Protocol):
    """The contexts of one app's runners."""

    def put(self, runner_context: RunnerContext) -> None:
        """Store a context in place of the former one of its runner."""

    def has(self, runner_id: str) -> bool:
        """Whether a runner's context is stored."""

    def get(self, runner_ids: Sequence[str]) -> list[RunnerContext]:
        """The stored contexts of *runner_ids*, each once, in no order."""

    def matching(self, partial_id: str) -> list[RunnerContext]:
        """The contexts whose id contains *partial_id* to the letter, in no order."""


class AppInfos(Protocol):
    """How to find and rebuild each app of a store."""

    def put(self, app_info: AppInfo) -> None:
        """Store the info of an app in place of its former one."""

    def get(self, app_id: str) -> AppInfo | None:
        """The info of an app; None if none was stored."""

    def all(self) -> list[AppInfo]:
        """The info of every app in the store."""
