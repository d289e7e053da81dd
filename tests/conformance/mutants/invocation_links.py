"""Faults in how invocations are found by their parent, their event or their workflow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pytest_pynenc_state.backends.memory.state_backend import PytestMemStateBackend
from pytest_pynenc_state.backends.sqlite.schema import StateBackendTables
from pytest_pynenc_state.backends.sqlite.state_backend import PytestSQLiteStateBackend
from tests.conformance.mutants.mutant import mutant

if TYPE_CHECKING:
    from pynenc.app import Pynenc


class _LinksLike(PytestSQLiteStateBackend):
    def _ids_like(self, column: str, link: str) -> Iterator[Any]:
        sql = f"SELECT invocation_id FROM {StateBackendTables.INVOCATIONS} WHERE app_id = ?"
        rows = self._database.read(f"{sql} AND {column} LIKE ?", (self._app_id, link))
        return iter([row[0] for row in rows])


@mutant("SB-INV-15")
class ParentsLike(_LinksLike):
    """It compares the ids of parents with LIKE."""

    def get_child_invocations(self, parent_invocation_id: Any) -> Iterator[Any]:
        return self._ids_like("parent_invocation_id", parent_invocation_id)


@mutant("SB-INV-18")
class EventsLike(_LinksLike):
    """It compares the ids of events with LIKE."""

    def get_invocations_by_parent_event(self, parent_event_id: str) -> Iterator[Any]:
        return self._ids_like("parent_event_id", parent_event_id)


class _Indexed(PytestMemStateBackend):
    """Appends to a list for each link at each upsert, and never takes anything away."""

    def __init__(self, app: Pynenc) -> None:
        super().__init__(app)
        self._index: dict[str, list[Any]] = defaultdict(list)

    def _upsert_invocations(self, entries: Any) -> None:
        super()._upsert_invocations(entries)
        for invocation, _ in entries:
            self._index[self._link(invocation)].append(invocation.invocation_id)

    def _link(self, invocation: Any) -> str:
        raise NotImplementedError


@mutant("SB-INV-09", "SB-INV-17")
class ChildrenAppended(_Indexed):
    """It appends to a list of children at each upsert, and never takes a child away."""

    def _link(self, invocation: Any) -> str:
        return str(invocation.parent_invocation_id)

    def get_child_invocations(self, parent_invocation_id: Any) -> Iterator[Any]:
        return iter(list(self._index[parent_invocation_id]))


@mutant("SB-INV-19")
class EventIndexKept(_Indexed):
    """It never takes an invocation out of the index of its former event."""

    def _link(self, invocation: Any) -> str:
        return str(invocation.parent_event_id)

    def get_invocations_by_parent_event(self, parent_event_id: str) -> Iterator[Any]:
        return iter(dict.fromkeys(self._index[parent_event_id]))


@mutant("SB-INV-21")
class WorkflowIndexKept(_Indexed):
    """It never takes an invocation out of the index of its former workflow."""

    def _link(self, invocation: Any) -> str:
        return str(invocation.workflow and invocation.workflow.workflow_id)

    def get_invocation_ids_by_workflow(
        self, workflow_id: str | None = None, workflow_type_key: str | None = None
    ) -> Iterator[Any]:
        found = super().get_invocation_ids_by_workflow(workflow_id, workflow_type_key)
        return iter(dict.fromkeys(self._index[workflow_id] if workflow_id else found))


@mutant("SB-INV-16")
class DescendantsToo(PytestMemStateBackend):
    """It counts the children of children as children."""

    def get_child_invocations(self, parent_invocation_id: Any) -> Iterator[Any]:
        for child_id in super().get_child_invocations(parent_invocation_id):
            yield child_id
            yield from self.get_child_invocations(child_id)


@mutant("SB-INV-20")
class OneWorkflowFilter(PytestMemStateBackend):
    """It ignores the type of a workflow when it is given the id."""

    def get_invocation_ids_by_workflow(
        self, workflow_id: str | None = None, workflow_type_key: str | None = None
    ) -> Iterator[Any]:
        type_key = None if workflow_id else workflow_type_key
        return super().get_invocation_ids_by_workflow(workflow_id, type_key)


@mutant("SB-INV-22", "SB-THR-04")
class LiveChildren(PytestMemStateBackend):
    """It goes over its own dictionary of children while others write to it."""

    def get_child_invocations(self, parent_invocation_id: Any) -> Iterator[Any]:
        self._invocations.file_arrived()
        for child_id in self._invocations._children.get(parent_invocation_id, ()):
            yield child_id
            self._invocations.file_arrived()


@mutant("SB-INV-22")
class LiveMembers(PytestMemStateBackend):
    """It goes over its own dictionary of invocations while others write to it."""

    def get_invocation_ids_by_workflow(
        self,
        workflow_id: str | None = None,
        workflow_type_key: str | None = None,  # noqa: ARG002 - pynenc's signature
    ) -> Iterator[Any]:
        self._invocations.file_arrived()
        for invocation_id, (invocation, *_) in self._invocations._rows.items():
            if invocation.workflow and invocation.workflow.workflow_id == workflow_id:
                yield invocation_id
                self._invocations.file_arrived()


@mutant("SB-INV-23")
class LiveEvents(PytestMemStateBackend):
    """It goes over its own dictionary of an event's invocations while others write to it."""

    def get_invocations_by_parent_event(self, parent_event_id: str) -> Iterator[Any]:
        self._invocations.file_arrived()
        for child_id in self._invocations._children_of_event.get(parent_event_id, ()):
            yield child_id
            self._invocations.file_arrived()
