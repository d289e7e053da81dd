"""The invocations of an app in memory, with the ways to find them by relation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from pynenc.models.call_dto import CallDTO

from pytest_pynenc_state import compat

if TYPE_CHECKING:
    from pynenc.identifiers.call_id import CallId
    from pynenc.identifiers.invocation_id import InvocationId
    from pynenc.models.invocation_dto import InvocationDTO
    from pynenc.workflow import WorkflowIdentity

    #: An invocation, the event that triggered it, and its call's id and arguments. The
    #: dictionary is the store's own.
    InvocationRow: TypeAlias = tuple[InvocationDTO, str | None, CallId, dict[str, str]]
    #: Ids in the order they came. The values mean nothing; a set would forget the order.
    IdIndex: TypeAlias = dict[str, dict[InvocationId, None]]


def invocation_rows(entries: Sequence[tuple[InvocationDTO, CallDTO]]) -> list[InvocationRow]:
    """The rows that keep invocations and their calls."""
    return [
        (dto, compat.parent_event_id(dto), call.call_id, dict(call.serialized_arguments))
        for dto, call in entries
    ]


class InvocationStore:
    """One row per invocation. All ids are returned in the order they were first stored.

    Concurrency: not locked; who writes, or reads more than one row, holds the lock of
    the store.
    """

    def __init__(self) -> None:
        self._rows: dict[InvocationId, InvocationRow] = {}
        self._children: IdIndex = {}
        self._children_of_event: IdIndex = {}

    def put(self, rows: Sequence[InvocationRow]) -> None:
        """Store each row in place of the former row of that invocation."""
        for row in rows:
            dto, event_id = row[0], row[1]
            invocation_id, parent_id = dto.invocation_id, dto.parent_invocation_id
            former = self._rows.get(invocation_id)
            self._rows[invocation_id] = row
            # pynenc stores each invocation twice without a change, so this has to be cheap.
            if former is not None:
                former_parent_id, former_event_id = former[0].parent_invocation_id, former[1]
                if former_parent_id is not None and former_parent_id != parent_id:
                    del self._children[former_parent_id][invocation_id]
                if former_event_id is not None and former_event_id != event_id:
                    del self._children_of_event[former_event_id][invocation_id]
            if parent_id is not None:
                self._children.setdefault(parent_id, {})[invocation_id] = None
            if event_id is not None:
                self._children_of_event.setdefault(event_id, {})[invocation_id] = None

    def get(self, invocation_id: InvocationId) -> tuple[InvocationDTO, CallDTO] | None:
        """The invocation, and its call with arguments of its own; None if unknown.

        Concurrency: needs no lock, because rows are replaced, never changed.
        """
        row = self._rows.get(invocation_id)
        return None if row is None else (row[0], CallDTO(row[2], dict(row[3])))

    def children(self, parent_invocation_id: str) -> list[InvocationId]:
        """The invocations whose parent is exactly that invocation."""
        return list(self._children.get(parent_invocation_id, ()))

    def children_of_event(self, parent_event_id: str) -> list[InvocationId]:
        """The invocations that exactly that event triggered."""
        return list(self._children_of_event.get(parent_event_id, ()))

    def of_workflow(
        self, workflow_id: str | None, workflow_type_key: str | None
    ) -> list[InvocationId]:
        """The invocations that pass both filters; None and ``""`` let all pass."""
        return [
            invocation_id
            for invocation_id, row in self._rows.items()
            if _is_of_workflow(row[0].workflow, workflow_id, workflow_type_key)
        ]


def _is_of_workflow(
    workflow: WorkflowIdentity | None, workflow_id: str | None, workflow_type_key: str | None
) -> bool:
    if workflow is None:
        return not (workflow_id or workflow_type_key)
    return (not workflow_id or workflow.workflow_id == workflow_id) and (
        not workflow_type_key or workflow.workflow_type.key == workflow_type_key
    )
