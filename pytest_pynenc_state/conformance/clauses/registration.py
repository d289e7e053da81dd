"""Registration: one record for a batch, and nothing that is registered is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pynenc.conf.config_task import ConcurrencyControlType
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state import compat
from pytest_pynenc_state.conformance import tasks
from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import legal_path, move, new_invocation, registered

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator


@clause("OR-REG-01", hint="store the record that is returned: runner and microseconds included")
def registration_returns_what_it_stores(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Registering stores the status record that it returns: REGISTERED, by the given runner."""
    for runner_id in (None, "registrar"):
        invocation = new_invocation(pynenc_app)
        record = pynenc_orchestrator._register_new_invocations([invocation], runner_id)
        assert (record.status, record.runner_id) == (InvocationStatus.REGISTERED, runner_id)
        stored = pynenc_orchestrator.get_invocation_status_record(invocation.invocation_id)
        assert stored == record


@clause("OR-REG-02", hint="make one record for the whole batch")
def a_batch_is_registered_at_one_instant(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """All invocations that are registered together have the same status record."""
    invocations = [new_invocation(pynenc_app) for _ in range(20)]
    record = pynenc_orchestrator._register_new_invocations(invocations)
    stored = {
        pynenc_orchestrator.get_invocation_status_record(invocation.invocation_id)
        for invocation in invocations
    }
    assert stored == {record}


@clause("OR-REG-03", hint="the store or its driver drops the UTC offset: attach it when reading")
def a_status_record_is_of_an_aware_instant(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """The timestamp of a status record that is read knows its UTC offset."""
    (invocation_id,) = registered(pynenc_app)
    stored = pynenc_orchestrator.get_invocation_status_record(invocation_id)
    assert stored.timestamp.utcoffset() is not None


@clause("OR-REG-04", hint="insert only what is not there; never overwrite or reset a row")
def registering_again_changes_nothing(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Registering an invocation again leaves its status, owner, timestamp and retries alone."""
    for status in InvocationStatus:
        invocation = new_invocation(pynenc_app)
        pynenc_orchestrator._register_new_invocations([invocation])
        move(pynenc_orchestrator, invocation.invocation_id, *legal_path(status))
        pynenc_orchestrator.increment_invocation_retries(invocation.invocation_id)
        before = _described(pynenc_orchestrator, invocation.invocation_id)
        pynenc_orchestrator._register_new_invocations([invocation], "another runner")
        after = _described(pynenc_orchestrator, invocation.invocation_id)
        assert (status, after) == (status, before)


def _described(orchestrator: BaseOrchestrator, invocation_id: str) -> tuple[object, ...]:
    return (
        orchestrator.get_invocation_status_record(invocation_id),
        orchestrator.get_invocation_retries(invocation_id),
        {each: orchestrator.count_invocations(None, [each]) for each in InvocationStatus},
    )


@clause("OR-REG-05", hint="a known invocation must not end or undo the registration of the others")
def a_batch_may_hold_known_and_new_invocations(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Of a batch, the new invocations are registered, and the known ones keep their status."""
    known, first, last = (new_invocation(pynenc_app) for _ in range(3))
    pynenc_orchestrator._register_new_invocations([known])
    move(pynenc_orchestrator, known.invocation_id, InvocationStatus.PENDING)
    pynenc_orchestrator._register_new_invocations([first, known, last])
    statuses = [
        pynenc_orchestrator.get_invocation_status(each.invocation_id)
        for each in (first, known, last)
    ]
    registered_status = InvocationStatus.REGISTERED
    assert statuses == [registered_status, InvocationStatus.PENDING, registered_status]


@clause(
    "OR-REG-06", hint="read a status that is not there as KeyError, not as the store's own error"
)
def the_status_of_an_unknown_invocation_is_a_key_error(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Asking for the status of an invocation that was never registered raises KeyError."""
    invocation = new_invocation(pynenc_app)
    # That the state backend knows it makes no difference.
    pynenc_app.state_backend.upsert_invocations([invocation])
    with pytest.raises(KeyError):
        pynenc_orchestrator.get_invocation_status(invocation.invocation_id)
    with pytest.raises(KeyError):
        pynenc_orchestrator.get_invocation_status_record(invocation.invocation_id)


@clause(
    "OR-REG-07", hint="register_new_invocations: upsert, register, add_histories, in this order"
)
def the_public_registration_stores_registers_and_records(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Registering also stores the invocation, and its first record, which names its parent."""
    invocations = [new_invocation(pynenc_app, parent_invocation_id="parent") for _ in range(2)]
    pynenc_orchestrator.register_new_invocations(invocations)
    backend = pynenc_app.state_backend
    compat.wait_for_all_writes(backend)
    for invocation in invocations:
        assert backend.get_invocation(invocation.invocation_id) == invocation
        (history,) = backend.get_history(invocation.invocation_id)
        record = pynenc_orchestrator.get_invocation_status_record(invocation.invocation_id)
        assert (history.status_record, history.registered_by_inv_id) == (record, "parent")


@clause("OR-REG-08", hint="route_call registers a new invocation, unless concurrency is controlled")
def every_call_is_a_new_invocation(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Routing the same call twice registers two invocations of it."""
    call = new_invocation(pynenc_app, arguments={"left": "1"}).call
    routed = {pynenc_orchestrator.route_call(call).invocation_id for _ in range(2)}
    assert len(routed) == 2
    assert set(pynenc_orchestrator.get_call_invocation_ids(call.call_id)) == routed
    registered_only = frozenset({InvocationStatus.REGISTERED})
    assert set(pynenc_orchestrator.filter_by_status([*routed], registered_only)) == routed


@clause("OR-REG-09", hint="route_calls registers each call of the batch, equal ones too")
def every_call_of_a_batch_is_a_new_invocation(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Routing several calls at once registers one invocation for each of them."""
    calls = [new_invocation(pynenc_app, arguments={"left": left}).call for left in "112"]
    routed = [each.invocation_id for each in pynenc_orchestrator.route_calls(calls)]
    found = list(pynenc_orchestrator.get_task_invocation_ids(calls[0].task.task_id))
    assert (len(found), sorted(found)) == (3, sorted(routed))
    assert pynenc_orchestrator.route_calls([]) == []


@clause(
    "OR-REG-10", hint="look at index_arguments_for_concurrency_control, get_existing_invocations"
)
def a_controlled_call_reuses_what_is_registered(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Where registration is controlled, an equal call reuses what is REGISTERED, nothing else."""
    pynenc_app.task(tasks.greet, registration_concurrency=ConcurrencyControlType.ARGUMENTS)
    call, other = (
        new_invocation(pynenc_app, tasks.greet, {"name": name}).call for name in ('"a"', '"b"')
    )
    first, different, again = (
        pynenc_orchestrator.route_call(each).invocation_id for each in (call, other, call)
    )
    assert (again, different == first) == (first, False)
    move(pynenc_orchestrator, first, InvocationStatus.PENDING)
    assert pynenc_orchestrator.route_call(call).invocation_id not in {first, different}
