"""The invocations of an app in memory, with the ways to find them by relation."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeAlias

from pynenc.models.call_dto import CallDTO

from pytest_pynenc_state import compat
from pytest_pynenc_state.backends.memory.arrivals import Arrivals

if TYPE_CHECKING:
    from pynenc.identifiers.call_id import CallId
    from pynenc.identifiers.invocation_id import InvocationId
    from pynenc.models.invocation_dto import InvocationDTO
    from pynenc.workflow import WorkflowIdentity

    #: An invocation, and its call's id and arguments. The dictionary is the store's own;
    #: the others are frozen.
    InvocationRow: TypeAlias = tuple[InvocationDTO, CallId, dict[str, str]]
    #: Ids in the order they came. The values mean nothing; a set would forget the order.
    IdIndex: TypeAlias = dict[str, dict[InvocationId, None]]


def invocation_rows(entries: Iterable[tuple[InvocationDTO, CallDTO]]) -> list[InvocationRow]:
    """The rows that keep invocations and their calls."""
    return [(dto, call.call_id, call.serialized_arguments.copy()) for dto, call in entries]


class InvocationStore(Arrivals["InvocationRow"]):
    """The last row of each invocation. All ids are returned in the order first stored.

    Concurrency: each method is atomic between threads.
    """

    def __init__(self, lock: AbstractContextManager[Any]) -> None:
        super().__init__(lock)
        self._rows: dict[InvocationId, InvocationRow] = {}
        self._children: IdIndex = {}
        self._children_of_event: IdIndex = {}

    def _file(self, row: InvocationRow) -> None:
        invocation_id = row[0].invocation_id
        former = self._rows.get(invocation_id)
        self._rows[invocation_id] = row
        keys, former_keys = _related_keys(row), _related_keys(former)
        # pynenc stores each invocation twice without a change, and most have no relations.
        if keys != former_keys:
            indexes = (self._children, self._children_of_event)
            for index, key, former_key in zip(indexes, keys, former_keys, strict=True):
                _move(invocation_id, index, former_key, key)

    def get(self, invocation_id: InvocationId) -> tuple[InvocationDTO, CallDTO] | None:
        """The invocation, and its call with arguments of its own; None if unknown."""
        self.file_arrived()
        # Needs no lock: rows are replaced, never changed.
        row = self._rows.get(invocation_id)
        return None if row is None else (row[0], CallDTO(row[1], row[2].copy()))

    def children(self, parent_invocation_id: str) -> list[InvocationId]:
        """The invocations whose parent is exactly that invocation."""
        with self._lock:
            self.file_arrived()
            return list(self._children.get(parent_invocation_id, ()))

    def children_of_event(self, parent_event_id: str) -> list[InvocationId]:
        """The invocations that exactly that event triggered."""
        with self._lock:
            self.file_arrived()
            return list(self._children_of_event.get(parent_event_id, ()))

    def of_workflow(
        self, workflow_id: str | None, workflow_type_key: str | None
    ) -> list[InvocationId]:
        """The invocations that pass both filters; None and ``""`` let all pass."""
        with self._lock:
            self.file_arrived()
            return [
                invocation_id
                for invocation_id, row in self._rows.items()
                if _is_of_workflow(row[0].workflow, workflow_id, workflow_type_key)
            ]


def _related_keys(row: InvocationRow | None) -> tuple[str | None, str | None]:
    """The parent and the event, if any, that are related to the invocation of *row*."""
    if row is None:
        return None, None
    return row[0].parent_invocation_id, compat.parent_event_id(row[0])


def _move(
    invocation_id: InvocationId, index: IdIndex, former_key: str | None, key: str | None
) -> None:
    if key == former_key:
        return
    if former_key is not None:
        del index[former_key][invocation_id]
    if key is not None:
        index.setdefault(key, {})[invocation_id] = None


def _is_of_workflow(
    workflow: WorkflowIdentity | None, workflow_id: str | None, workflow_type_key: str | None
) -> bool:
    if workflow is None:
        return not (workflow_id or workflow_type_key)
    return (not workflow_id or workflow.workflow_id == workflow_id) and (
        not workflow_type_key or workflow.workflow_type.key == workflow_type_key
    )
