"""Status changes become records of a history, with who made them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state import compat
from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import new_context, new_invocation, new_record

if TYPE_CHECKING:
    from pynenc.app import Pynenc

    from pytest_pynenc_state.conformance.making import StateBackend


@clause("SB-HIS-15", hint="leave add_history to the base class, or do all that it does")
def a_status_change_becomes_a_record(pynenc_state_backend: StateBackend) -> None:
    """A status change is added with its status record and the runner context it was made in."""
    runner_context = new_context()
    status_record = new_record(InvocationStatus.PENDING, runner_context.runner_id)
    pynenc_state_backend.add_history("invocation", status_record, runner_context)
    compat.wait_for_all_writes(pynenc_state_backend)
    (record,) = pynenc_state_backend.get_history("invocation")
    found = (record.invocation_id, record.status_record, record.runner_context_id)
    assert found == ("invocation", status_record, runner_context.runner_id)


@clause("SB-HIS-16", hint="leave add_histories to the base class, or add one record for each")
def a_status_change_of_several_invocations_is_added_to_each(
    pynenc_app: Pynenc, pynenc_state_backend: StateBackend
) -> None:
    """A status change of several invocations becomes one record in the history of each."""
    invocations = [new_invocation(pynenc_app) for _ in range(5)]
    runner_context = new_context()
    pynenc_state_backend.add_histories(invocations, new_record(), runner_context)
    compat.wait_for_all_writes(pynenc_state_backend)
    for invocation in invocations:
        (record,) = pynenc_state_backend.get_history(invocation.invocation_id)
        found = (record.invocation_id, record.status_record, record.runner_context_id)
        assert found == (invocation.invocation_id, new_record(), runner_context.runner_id)


@clause("SB-HIS-17", since="0.2.4", hint="write before returning, in no thread: 0.2.4 gave them up")
def a_status_change_is_stored_when_the_call_returns(
    pynenc_app: Pynenc, pynenc_state_backend: StateBackend
) -> None:
    """The record of a status change is there when the call that adds it returns."""
    invocation = new_invocation(pynenc_app)
    invocation_id, runner_context = invocation.invocation_id, new_context()
    pynenc_state_backend.add_histories([invocation], new_record(), runner_context)
    lengths = [len(pynenc_state_backend.get_history(invocation_id))]
    pynenc_state_backend.add_history(invocation_id, new_record(), runner_context)
    lengths.append(len(pynenc_state_backend.get_history(invocation_id)))
    assert lengths == [1, 2]


@clause("SB-HIS-18", hint="add_history stores the context first, with all its parents")
def a_status_change_stores_the_runner_context(
    pynenc_app: Pynenc, pynenc_state_backend: StateBackend
) -> None:
    """The runner that a record names can be looked up, and so can its parents."""
    contexts = [new_context(parent_ctx=new_context()) for _ in range(2)]
    pynenc_state_backend.add_history("invocation", new_record(), contexts[0])
    pynenc_state_backend.add_histories([new_invocation(pynenc_app)], new_record(), contexts[1])
    compat.wait_for_all_writes(pynenc_state_backend)
    for runner_context in contexts:
        for each in (runner_context, runner_context.parent_ctx):
            assert each is not None
            assert pynenc_state_backend._get_runner_context(each.runner_id) == each


@clause("SB-HIS-19", hint="registered_by_inv_id is the invocation's parent, if it is registered")
def a_registration_names_the_invocation_that_made_it(
    pynenc_app: Pynenc, pynenc_state_backend: StateBackend
) -> None:
    """A record names the invocation's parent as its registrant if it is REGISTERED, else nobody."""
    cases = {InvocationStatus.REGISTERED: "parent", InvocationStatus.PENDING: None}
    for status, expected in cases.items():
        invocation = new_invocation(pynenc_app, parent_invocation_id="parent")
        pynenc_state_backend.add_histories([invocation], new_record(status), new_context())
        compat.wait_for_all_writes(pynenc_state_backend)
        (record,) = pynenc_state_backend.get_history(invocation.invocation_id)
        assert (status, record.registered_by_inv_id) == (status, expected)


@clause(
    "SB-HIS-20", before="0.2.4", hint="the methods that wait have to join the threads that write"
)
def what_was_awaited_is_written(pynenc_state_backend: StateBackend) -> None:
    """Once the writes of an invocation, or of all, are awaited, its history has them."""
    backend: Any = pynenc_state_backend  # which has these methods on no later pynenc
    for invocation_id in ("one", "two"):
        backend.add_history(invocation_id, new_record(), new_context())
    backend.wait_for_invocation_async_operations("one")
    assert len(backend.get_history("one")) == 1
    backend.wait_for_all_async_operations()
    assert len(backend.get_history("two")) == 1
