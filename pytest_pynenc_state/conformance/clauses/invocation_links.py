"""Invocations are found by exactly the parent, the event or the workflow that they name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_pynenc_state.conformance import tasks
from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import (
    new_pair,
    new_workflow,
    read_between,
    stored_invocation,
)

if TYPE_CHECKING:
    from pynenc.app import Pynenc

    from pytest_pynenc_state.conformance.making import StateBackend

#: What a link "link_1" would find if it were folded, cut or taken for a pattern.
_LOOK_ALIKES = ("Link_1", "link-1", "link_10", "link_", "%", "unknown")

_ADD = f"{tasks.__name__}.add"


@clause("SB-INV-15", hint="compare parent ids as they are; an unknown one has no children")
def children_are_found_by_exactly_their_parent(
    pynenc_app: Pynenc, pynenc_state_backend: StateBackend
) -> None:
    """The children of an invocation are those that name its id, to the letter."""
    children = {stored_invocation(pynenc_app, parent_invocation_id="link_1") for _ in range(2)}
    assert sorted(pynenc_state_backend.get_child_invocations("link_1")) == sorted(children)
    for other in _LOOK_ALIKES:
        found = list(pynenc_state_backend.get_child_invocations(other))
        assert (other, found) == (other, [])


@clause("SB-INV-16", hint="do not follow the links any further")
def children_are_the_direct_ones(pynenc_app: Pynenc, pynenc_state_backend: StateBackend) -> None:
    """The children of an invocation do not include their own children."""
    child = stored_invocation(pynenc_app, parent_invocation_id="grandparent")
    stored_invocation(pynenc_app, parent_invocation_id=child)
    assert list(pynenc_state_backend.get_child_invocations("grandparent")) == [child]


@clause("SB-INV-17", hint="an index of children has to lose what an upsert moves elsewhere")
def a_child_moves_to_its_new_parent(pynenc_app: Pynenc, pynenc_state_backend: StateBackend) -> None:
    """An invocation stored again under another parent is a child of that one alone."""
    dto, call = new_pair(pynenc_app, parent_invocation_id="former")
    pynenc_state_backend._upsert_invocations([(dto, call)])
    pynenc_state_backend._upsert_invocations([(replace(dto, parent_invocation_id="latter"), call)])
    found = {
        parent: list(pynenc_state_backend.get_child_invocations(parent))
        for parent in ("former", "latter")
    }
    assert found == {"former": [], "latter": [dto.invocation_id]}


@clause("SB-INV-18", since="0.2.4", hint="compare event ids as they are")
def invocations_are_found_by_exactly_their_event(
    pynenc_app: Pynenc, pynenc_state_backend: StateBackend
) -> None:
    """The invocations of an event are those that name its id, to the letter."""
    triggered = {stored_invocation(pynenc_app, parent_event_id="link_1") for _ in range(2)}
    found = list(pynenc_state_backend.get_invocations_by_parent_event("link_1"))
    assert sorted(found) == sorted(triggered)
    for other in _LOOK_ALIKES:
        found = list(pynenc_state_backend.get_invocations_by_parent_event(other))
        assert (other, found) == (other, [])


@clause("SB-INV-19", since="0.2.4", hint="an index of events has to lose what an upsert moves")
def an_invocation_moves_to_its_new_event(
    pynenc_app: Pynenc, pynenc_state_backend: StateBackend
) -> None:
    """An invocation stored again with another event is found by that one alone."""
    dto, call = new_pair(pynenc_app, parent_event_id="former")
    pynenc_state_backend._upsert_invocations([(dto, call)])
    pynenc_state_backend._upsert_invocations([(replace(dto, parent_event_id="latter"), call)])
    found = {
        event: list(pynenc_state_backend.get_invocations_by_parent_event(event))
        for event in ("former", "latter")
    }
    assert found == {"former": [], "latter": [dto.invocation_id]}


@clause("SB-INV-20", hint="both filters have to match, each to the letter")
def invocations_are_found_by_their_workflow(
    pynenc_app: Pynenc, pynenc_state_backend: StateBackend
) -> None:
    """Of the filters by workflow, its id and its type's key, all that are given match exactly."""
    members = {"one": ("add", "run-1"), "two": ("add", "run-2"), "three": ("greet", "run-3")}
    stored = {
        name: stored_invocation(pynenc_app, workflow=new_workflow(kind, workflow_id=workflow_id))
        for name, (kind, workflow_id) in members.items()
    }
    cases = [
        ({"workflow_id": "run-1"}, ["one"]),
        ({"workflow_type_key": _ADD}, ["one", "two"]),
        ({"workflow_id": "run-2", "workflow_type_key": _ADD}, ["two"]),
        ({"workflow_id": "run-3", "workflow_type_key": _ADD}, []),
        ({"workflow_id": "RUN-1"}, []),
        ({"workflow_id": "run_1"}, []),
        ({"workflow_type_key": _ADD[:-1]}, []),
    ]
    for filters, names in cases:
        found = pynenc_state_backend.get_invocation_ids_by_workflow(**filters)
        assert (filters, sorted(found)) == (filters, sorted(stored[name] for name in names))


@clause("SB-INV-21", hint="an upsert moves an invocation to its new workflow, in each index")
def an_invocation_moves_to_its_new_workflow(
    pynenc_app: Pynenc, pynenc_state_backend: StateBackend
) -> None:
    """An invocation stored again with another workflow is found by that one alone."""
    former, latter = new_workflow("add"), new_workflow("greet")
    dto, call = new_pair(pynenc_app, workflow=former)
    for workflow in (former, latter):
        pynenc_state_backend._upsert_invocations([(replace(dto, workflow=workflow), call)])
    found = [
        list(pynenc_state_backend.get_invocation_ids_by_workflow(workflow_id=each.workflow_id))
        for each in (former, latter)
    ]
    assert found == [[], [dto.invocation_id]]


@clause("SB-INV-22", hint="take a snapshot before the first id is handed out")
def links_can_be_read_while_invocations_are_stored(
    pynenc_app: Pynenc, pynenc_state_backend: StateBackend
) -> None:
    """Who lists children, or a workflow's invocations, may store more of them meanwhile."""
    workflow = new_workflow()
    links = {"parent_invocation_id": "parent", "workflow": workflow}
    before = sorted(stored_invocation(pynenc_app, **links) for _ in range(4))

    def store(invocation_id: str) -> None:
        stored_invocation(pynenc_app, invocation_id=invocation_id, **links)

    listings: dict[str, Callable[[], Iterable[str]]] = {
        "children": lambda: pynenc_state_backend.get_child_invocations("parent"),
        "workflow": lambda: pynenc_state_backend.get_invocation_ids_by_workflow(
            workflow.workflow_id
        ),
    }
    for name, listing in listings.items():
        found = read_between(listing(), store)
        assert (name, sorted(each for each in found if each in before)) == (name, before)


@clause("SB-INV-23", since="0.2.4", hint="take a snapshot before the first id is handed out")
def events_can_be_read_while_invocations_are_stored(
    pynenc_app: Pynenc, pynenc_state_backend: StateBackend
) -> None:
    """Who lists an event's invocations may store more of them meanwhile."""
    before = sorted(stored_invocation(pynenc_app, parent_event_id="event") for _ in range(4))

    def store(invocation_id: str) -> None:
        stored_invocation(pynenc_app, invocation_id=invocation_id, parent_event_id="event")

    found = read_between(pynenc_state_backend.get_invocations_by_parent_event("event"), store)
    assert sorted(each for each in found if each in before) == before
