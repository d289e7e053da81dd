"""Invocations are stored whole, and replaced whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pynenc.exceptions import InvocationNotFoundError

from pytest_pynenc_state.conformance import tasks
from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import new_invocation, new_pair, new_workflow

if TYPE_CHECKING:
    from pynenc.app import Pynenc

    from pytest_pynenc_state.conformance.making import StateBackend

_TEXTS = {
    "empty": "",
    "quotes": 'it\'s "quoted" `here` \\ there',
    "NUL": "before\0after",
    "emoji": "\U0001f389 ä 漢字 \u202e",
    "pattern": "%_*?[a]",
    "1 MiB": "x" * 2**20,
}


def _stored_arguments(backend: StateBackend, invocation_id: str) -> dict[str, str]:
    pair = backend._get_invocation(invocation_id)
    assert pair is not None
    return pair[1].serialized_arguments


@clause("SB-INV-01", hint="each field of both transfer objects needs a place of its own")
def a_stored_invocation_comes_back(pynenc_app: Pynenc, pynenc_state_backend: StateBackend) -> None:
    """Both transfer objects of an invocation, its parent and its workflow come back equal."""
    links = {
        "none": {},
        "parent": {"parent_invocation_id": "parent"},
        "workflow": {"workflow": new_workflow()},
        "sub-workflow": {"workflow": new_workflow(parent_workflow_id="workflow")},
    }
    for name, fields in links.items():
        pair = new_pair(pynenc_app, {"left": "1"}, **fields)
        pynenc_state_backend._upsert_invocations([pair])
        found = pynenc_state_backend._get_invocation(pair[0].invocation_id)
        assert (name, found) == (name, pair)


@clause("SB-INV-02", since="0.2.4", hint="store parent_event_id, a field that came with 0.2.4")
def a_triggering_event_comes_back(pynenc_app: Pynenc, pynenc_state_backend: StateBackend) -> None:
    """The event that triggered an invocation comes back with it."""
    pair = new_pair(pynenc_app, parent_event_id="event")
    pynenc_state_backend._upsert_invocations([pair])
    assert pynenc_state_backend._get_invocation(pair[0].invocation_id) == pair


@clause("SB-INV-03", since="0.3.0", hint="workflow may be None since 0.3.0: do not make one up")
def an_invocation_outside_any_workflow_comes_back(
    pynenc_app: Pynenc, pynenc_state_backend: StateBackend
) -> None:
    """An invocation that belongs to no workflow comes back without one."""
    pair = new_pair(pynenc_app, workflow=None)
    pynenc_state_backend._upsert_invocations([pair])
    assert pynenc_state_backend._get_invocation(pair[0].invocation_id) == pair


@clause("SB-INV-04", hint="keep arguments as the text they are: no length limit, no escaping")
def serialized_arguments_come_back_to_the_letter(
    pynenc_app: Pynenc, pynenc_state_backend: StateBackend
) -> None:
    """A serialized argument comes back to the letter, whatever text it is and however long."""
    for name, text in _TEXTS.items():
        pair = new_pair(pynenc_app, {"left": text})
        pynenc_state_backend._upsert_invocations([pair])
        found = _stored_arguments(pynenc_state_backend, pair[0].invocation_id)
        assert (name, found) == (name, {"left": text})


@clause("SB-INV-05", hint="tell an empty dictionary from a missing one")
def a_call_without_arguments_comes_back_without_arguments(
    pynenc_app: Pynenc, pynenc_state_backend: StateBackend
) -> None:
    """A call without arguments comes back with an empty dictionary of them."""
    pair = new_pair(pynenc_app, {})
    pynenc_state_backend._upsert_invocations([pair])
    assert _stored_arguments(pynenc_state_backend, pair[0].invocation_id) == {}


@clause("SB-INV-06", hint="return (InvocationDTO, CallDTO); pynenc builds the invocation from them")
def a_stored_invocation_can_be_built_again(
    pynenc_app: Pynenc, pynenc_state_backend: StateBackend
) -> None:
    """An invocation stored by its object is read back equal, with arguments as passed."""
    invocation = new_invocation(pynenc_app, tasks.greet, {"name": '"Ada"'})
    pynenc_state_backend.upsert_invocations([invocation])
    found = pynenc_state_backend.get_invocation(invocation.invocation_id)
    assert (found.to_dto(), found.call.arguments.kwargs) == (invocation.to_dto(), {"name": "Ada"})


@clause("SB-INV-07", hint="_get_invocation returns None for what it does not know")
def an_unknown_invocation_has_no_transfer_objects(pynenc_state_backend: StateBackend) -> None:
    """The transfer objects of an unknown invocation are None, and asking is no error."""
    assert pynenc_state_backend._get_invocation("unknown") is None


@clause("SB-INV-08", hint="leave get_invocation to the base class, or raise what it raises")
def an_unknown_invocation_cannot_be_built(pynenc_state_backend: StateBackend) -> None:
    """Reading an unknown invocation as an object raises InvocationNotFoundError."""
    with pytest.raises(InvocationNotFoundError):
        pynenc_state_backend.get_invocation("unknown")


@clause("SB-INV-09", hint="write by invocation_id: replace, do not append")
def repeating_an_upsert_changes_nothing(
    pynenc_app: Pynenc, pynenc_state_backend: StateBackend
) -> None:
    """The same invocation stored several times is one invocation, and one child of its parent."""
    pair = new_pair(pynenc_app, parent_invocation_id="parent")
    for _ in range(4):
        pynenc_state_backend._upsert_invocations([pair])
    children = list(pynenc_state_backend.get_child_invocations("parent"))
    found = pynenc_state_backend._get_invocation(pair[0].invocation_id)
    assert (children, found) == ([pair[0].invocation_id], pair)


@clause("SB-INV-10", hint="an upsert updates what is there; insert-or-ignore keeps the old version")
def an_upsert_replaces_the_whole_invocation(
    pynenc_app: Pynenc, pynenc_state_backend: StateBackend
) -> None:
    """An invocation stored again with other fields and arguments is seen with all of those."""
    former = new_pair(pynenc_app, {"left": "1"}, parent_invocation_id="former")
    invocation_id = former[0].invocation_id
    latter = new_pair(
        pynenc_app, {"right": "2"}, invocation_id=invocation_id, workflow=new_workflow()
    )
    for pair in (former, latter):
        pynenc_state_backend._upsert_invocations([pair])
    assert pynenc_state_backend._get_invocation(invocation_id) == latter


@clause("SB-INV-11", hint="store each pair of the list, however many there are")
def every_invocation_of_a_batch_is_stored(
    pynenc_app: Pynenc, pynenc_state_backend: StateBackend
) -> None:
    """All invocations of one upsert are stored."""
    pairs = [new_pair(pynenc_app, {"left": str(number)}) for number in range(120)]
    pynenc_state_backend._upsert_invocations(pairs)
    found = [pynenc_state_backend._get_invocation(dto.invocation_id) for dto, _ in pairs]
    assert found == pairs


@clause("SB-INV-12", hint="return early for an empty list; some drivers refuse an empty batch")
def an_empty_upsert_is_no_error(pynenc_app: Pynenc, pynenc_state_backend: StateBackend) -> None:
    """An upsert of nothing is no error, and leaves what is stored as it is."""
    pair = new_pair(pynenc_app)
    pynenc_state_backend._upsert_invocations([pair])
    pynenc_state_backend._upsert_invocations([])
    pynenc_state_backend.upsert_invocations([])
    assert pynenc_state_backend._get_invocation(pair[0].invocation_id) == pair


@clause(
    "SB-INV-13", hint="return a copy: a CallDTO holds a dictionary, which its reader may change"
)
def returned_arguments_are_private(pynenc_app: Pynenc, pynenc_state_backend: StateBackend) -> None:
    """Changing the arguments that a read returned changes nothing in the store."""
    pair = new_pair(pynenc_app, {"left": "1"})
    pynenc_state_backend._upsert_invocations([pair])
    _stored_arguments(pynenc_state_backend, pair[0].invocation_id)["left"] = "changed"
    assert _stored_arguments(pynenc_state_backend, pair[0].invocation_id) == {"left": "1"}


@clause("SB-INV-14", hint="keep a copy: the dictionary of a CallDTO is still the writer's")
def written_arguments_are_private(pynenc_app: Pynenc, pynenc_state_backend: StateBackend) -> None:
    """Changing the arguments that were passed to a write changes nothing in the store."""
    dto, call = new_pair(pynenc_app, {"left": "1"})
    pynenc_state_backend._upsert_invocations([(dto, call)])
    call.serialized_arguments["left"] = "changed"
    assert _stored_arguments(pynenc_state_backend, dto.invocation_id) == {"left": "1"}
