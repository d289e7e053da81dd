"""Invocations are stored whole, replaced whole, and found by their exact links."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from pynenc.exceptions import InvocationNotFoundError

from pytest_pynenc_state import compat
from pytest_pynenc_state.conformance import tasks
from pytest_pynenc_state.conformance.making import (
    new_invocation,
    new_pair,
    new_workflow,
    stored_invocation,
    unique_id,
)

if TYPE_CHECKING:
    from pynenc.app import Pynenc

    from pytest_pynenc_state.backends.state_backend import PytestStateBackend

#: Fields of an ``InvocationDTO``, those that the installed pynenc has.
LINKS: dict[str, dict[str, Any]] = {
    "parent": {"parent_invocation_id": "parent"},
    "workflow": {"workflow": new_workflow()},
    "sub-workflow": {"workflow": new_workflow(parent_workflow_id="workflow")},
    "sub-workflow of an empty id": {"workflow": new_workflow(parent_workflow_id="")},
}
if compat.HAS_WORKFLOW_DECORATOR:
    LINKS["no workflow"] = {"workflow": None}
if compat.HAS_EVENT_PARENTS:
    LINKS["event"] = {"parent_event_id": "event"}

#: What asks for the invocations that a field links to an id, by that field.
LINKED: dict[str, Callable[[Any, str], Any]] = {
    "parent_invocation_id": lambda backend, key: backend.get_child_invocations(key),
}
if compat.HAS_EVENT_PARENTS:
    LINKED["parent_event_id"] = lambda backend, key: backend.get_invocations_by_parent_event(key)

TEXTS = {
    "empty": "",
    "quotes": 'it\'s "quoted" `here` \\ there',
    "NUL": "before\0after",
    "emoji": "\U0001f389 ä 漢字 \u202e",
    "pattern": "%_*?[a]",
    "1 MiB": "x" * 2**20,
}


def _stored_arguments(backend: PytestStateBackend, invocation_id: str) -> dict[str, str]:
    pair = backend._get_invocation(invocation_id)
    assert pair is not None
    return pair[1].serialized_arguments


@pytest.mark.parametrize("link", LINKS)
def test_every_link_of_an_invocation_comes_back(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend, link: str
) -> None:
    """Both transfer objects come back equal to what was stored."""
    pair = new_pair(pynenc_app, **LINKS[link])
    pynenc_state_backend._upsert_invocations([pair])
    assert pynenc_state_backend._get_invocation(pair[0].invocation_id) == pair


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_serialized_arguments_come_back_to_the_letter(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend, text: str
) -> None:
    """Any text is a possible name or value of an argument, at any length."""
    pair = new_pair(pynenc_app, {"value": text, text[:100]: "name"})
    pynenc_state_backend._upsert_invocations([pair])
    assert pynenc_state_backend._get_invocation(pair[0].invocation_id) == pair


def test_a_call_without_arguments_comes_back_without_arguments(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend
) -> None:
    """No arguments are ``{}``, not missing."""
    pair = new_pair(pynenc_app, {})
    pynenc_state_backend._upsert_invocations([pair])
    assert _stored_arguments(pynenc_state_backend, pair[0].invocation_id) == {}


def test_get_invocation_rebuilds_the_invocation_and_its_call(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend
) -> None:
    """The public reader returns the invocation with arguments as they were passed."""
    invocation = new_invocation(pynenc_app, tasks.greet, {"name": '"Ada"'})
    pynenc_state_backend.upsert_invocations([invocation])
    found = pynenc_state_backend.get_invocation(invocation.invocation_id)
    assert (found, found.call.arguments.kwargs) == (invocation, {"name": "Ada"})


def test_an_unknown_id_has_no_transfer_objects(pynenc_state_backend: PytestStateBackend) -> None:
    """The private reader returns None for an unknown id, and does not raise."""
    assert pynenc_state_backend._get_invocation("unknown") is None


def test_get_invocation_of_an_unknown_id_raises(pynenc_state_backend: PytestStateBackend) -> None:
    """The public reader raises pynenc's own error for an unknown id."""
    with pytest.raises(InvocationNotFoundError):
        pynenc_state_backend.get_invocation("unknown")


def test_repeating_an_upsert_changes_nothing(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend
) -> None:
    """The same pair stored four times is one invocation, and one child."""
    pair = new_pair(pynenc_app, parent_invocation_id="parent")
    for _ in range(4):
        pynenc_state_backend._upsert_invocations([pair])
    children = list(pynenc_state_backend.get_child_invocations("parent"))
    assert children == [pair[0].invocation_id]


def test_an_upsert_replaces_the_whole_invocation(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend
) -> None:
    """A changed invocation is visible in all its parts; nothing of the former one stays."""
    dto, call = new_pair(pynenc_app, {"left": "1"}, parent_invocation_id="former")
    pynenc_state_backend._upsert_invocations([(dto, call)])
    changed = (
        replace(dto, parent_invocation_id=None, workflow=new_workflow()),
        replace(call, serialized_arguments={"right": "2"}),
    )
    pynenc_state_backend._upsert_invocations([changed])
    assert pynenc_state_backend._get_invocation(dto.invocation_id) == changed


@pytest.mark.parametrize("field", LINKED)
def test_a_relinked_invocation_leaves_its_former_link(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend, field: str
) -> None:
    """An upsert with another parent, or event, moves the invocation to that one."""
    dto, call = new_pair(pynenc_app, **{field: "former"})
    pynenc_state_backend._upsert_invocations([(dto, call)])
    pynenc_state_backend._upsert_invocations([(replace(dto, **{field: "latter"}), call)])
    found = {key: list(LINKED[field](pynenc_state_backend, key)) for key in ("former", "latter")}
    assert found == {"former": [], "latter": [dto.invocation_id]}


@pytest.mark.parametrize("field", LINKED)
@pytest.mark.parametrize("other", ["Link_1", "link-1", "link_10", "%", "", "unknown"])
def test_links_are_found_by_exactly_their_id(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend, field: str, other: str
) -> None:
    """No other id finds the invocation, however much it looks like the link."""
    pair = new_pair(pynenc_app, **{field: "link_1"})
    pynenc_state_backend._upsert_invocations([pair])
    found = {key: list(LINKED[field](pynenc_state_backend, key)) for key in ("link_1", other)}
    assert found == {"link_1": [pair[0].invocation_id], other: []}


def test_children_are_the_direct_ones(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend
) -> None:
    """A grandchild is not among the children."""
    child = stored_invocation(pynenc_app, parent_invocation_id="grandparent")
    stored_invocation(pynenc_app, parent_invocation_id=child)
    assert list(pynenc_state_backend.get_child_invocations("grandparent")) == [child]


@pytest.mark.parametrize("count", [0, 1, 250])
def test_a_batch_is_stored_as_a_whole(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend, count: int
) -> None:
    """All pairs of one call are stored; an empty list is no error."""
    pairs = [new_pair(pynenc_app, parent_invocation_id="parent") for _ in range(count)]
    pynenc_state_backend._upsert_invocations(pairs)
    stored = set(pynenc_state_backend.get_child_invocations("parent"))
    assert stored == {dto.invocation_id for dto, _ in pairs}


def test_arguments_that_are_returned_are_private(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend
) -> None:
    """Changing the dictionary that a read returned changes nothing in the store."""
    pair = new_pair(pynenc_app, {"left": "1"})
    pynenc_state_backend._upsert_invocations([pair])
    _stored_arguments(pynenc_state_backend, pair[0].invocation_id)["left"] = "changed"
    assert _stored_arguments(pynenc_state_backend, pair[0].invocation_id) == {"left": "1"}


def test_arguments_that_were_stored_are_private(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend
) -> None:
    """Changing the dictionary that was passed to a write changes nothing in the store."""
    dto, call = new_pair(pynenc_app, {"left": "1"})
    pynenc_state_backend._upsert_invocations([(dto, call)])
    call.serialized_arguments["left"] = "changed"
    assert _stored_arguments(pynenc_state_backend, dto.invocation_id) == {"left": "1"}


def _stored_workflows(app: Pynenc) -> dict[str, str]:
    """Store one invocation each in two runs of one type and in a run of another type."""
    members = {"one": ("add", "run-1"), "two": ("add", "run-2"), "three": ("greet", "run-3")}
    return {
        name: stored_invocation(app, workflow=new_workflow(function, workflow_id=workflow_id))
        for name, (function, workflow_id) in members.items()
    }


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"workflow_id": "run-1"}, ["one"]),
        ({"workflow_type_key": "pytest_pynenc_state.conformance.tasks.add"}, ["one", "two"]),
        (
            {
                "workflow_id": "run-2",
                "workflow_type_key": "pytest_pynenc_state.conformance.tasks.add",
            },
            ["two"],
        ),
        (
            {
                "workflow_id": "run-3",
                "workflow_type_key": "pytest_pynenc_state.conformance.tasks.add",
            },
            [],
        ),
        ({"workflow_id": "RUN-1"}, []),
        ({"workflow_type_key": "pytest_pynenc_state.conformance.tasks.ad"}, []),
        ({"workflow_id": "", "workflow_type_key": ""}, ["one", "two", "three"]),
        ({}, ["one", "two", "three"]),
    ],
    ids=str,
)
def test_invocations_are_found_by_workflow(
    pynenc_app: Pynenc,
    pynenc_state_backend: PytestStateBackend,
    filters: dict[str, str],
    expected: list[str],
) -> None:
    """Filters match exactly, and all of them have to; an empty one does not filter."""
    stored = _stored_workflows(pynenc_app)
    found = list(pynenc_state_backend.get_invocation_ids_by_workflow(**filters))
    assert sorted(found) == sorted(stored[name] for name in expected)


def test_an_invocation_outside_any_workflow_matches_no_workflow_filter(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend
) -> None:
    """Only the invocations of a workflow are found by it."""
    stored_invocation(pynenc_app)
    found = list(pynenc_state_backend.get_invocation_ids_by_workflow(workflow_id=unique_id()))
    assert found == []
