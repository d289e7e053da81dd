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

    #: An invocation, and its call's id and arguments. The dictionary is the store's own.
    InvocationRow: TypeAlias = tuple[InvocationDTO, CallId, dict[str, str]]
    #: Ids in the order they came. The values mean nothing; a set would forget the order.
    IdIndex: TypeAlias = dict[str, dict[InvocationId, None]]


def invocation_row(dto: InvocationDTO, call_dto: CallDTO) -> InvocationRow:
    """The row that keeps an invocation and its call."""
    return dto, call_dto.call_id, dict(call_dto.serialized_arguments)


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
            dto = row[0]
            former = self._rows.get(dto.invocation_id)
            self._rows[dto.invocation_id] = row
            if former is not None:
                self._unlink(former[0], dto)
            if dto.parent_invocation_id is not None:
                siblings = self._children.setdefault(dto.parent_invocation_id, {})
                siblings[dto.invocation_id] = None
            event_id = compat.parent_event_id(dto)
            if event_id is not None:
                self._children_of_event.setdefault(event_id, {})[dto.invocation_id] = None

    def _unlink(self, former: InvocationDTO, dto: InvocationDTO) -> None:
        """Take an invocation from the parents that it no longer has."""
        parent_id = former.parent_invocation_id
        if parent_id is not None and parent_id != dto.parent_invocation_id:
            del self._children[parent_id][former.invocation_id]
        event_id = compat.parent_event_id(former)
        if event_id is not None and event_id != compat.parent_event_id(dto):
            del self._children_of_event[event_id][former.invocation_id]

    def get(self, invocation_id: InvocationId) -> tuple[InvocationDTO, CallDTO] | None:
        """The invocation, and its call with arguments of its own; None if unknown.

        Concurrency: needs no lock, because rows are replaced, never changed.
        """
        row = self._rows.get(invocation_id)
        return None if row is None else (row[0], CallDTO(row[1], dict(row[2])))

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
            for invocation_id, (dto, _, _) in self._rows.items()
            if _is_of_workflow(dto.workflow, workflow_id, workflow_type_key)
        ]


def _is_of_workflow(
    workflow: WorkflowIdentity | None, workflow_id: str | None, workflow_type_key: str | None
) -> bool:
    if workflow is None:
        return not (workflow_id or workflow_type_key)
    return (not workflow_id or workflow.workflow_id == workflow_id) and (
        not workflow_type_key or workflow.workflow_type.key == workflow_type_key
    )
