"""Registration: one record for a batch, and nothing that is registered is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.conformance.making import (
    OWNER,
    legal_path,
    move,
    moved_to,
    new_invocation,
    registered,
)

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator


@pytest.mark.parametrize("runner_id", [None, "registrar"])
def test_the_returned_record_is_the_stored_one(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator, runner_id: str | None
) -> None:
    """Status, registering runner and microsecond are the same on both sides."""
    invocation = new_invocation(pynenc_app)
    record = pynenc_orchestrator._register_new_invocations([invocation], runner_id)
    stored = pynenc_orchestrator.get_invocation_status_record(invocation.invocation_id)
    assert (stored, stored.status, stored.runner_id) == (
        record,
        InvocationStatus.REGISTERED,
        runner_id,
    )


def test_a_batch_is_registered_at_one_instant(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """All invocations of one call have the one record that it returns."""
    invocations = [new_invocation(pynenc_app) for _ in range(20)]
    record = pynenc_orchestrator._register_new_invocations(invocations)
    stored = {
        pynenc_orchestrator.get_invocation_status_record(invocation.invocation_id)
        for invocation in invocations
    }
    assert stored == {record}


def test_registering_nothing_returns_a_record(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """An empty batch is no error, and registers nothing."""
    record = pynenc_orchestrator._register_new_invocations([])
    count = pynenc_app.orchestrator.count_invocations()
    assert (record.status, count) == (InvocationStatus.REGISTERED, 0)


def test_a_status_record_is_of_an_aware_instant(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Stored time stamps can be compared with those that pynenc makes."""
    (invocation_id,) = registered(pynenc_app)
    stored = pynenc_orchestrator.get_invocation_status_record(invocation_id)
    assert stored.timestamp.utcoffset() is not None


@pytest.mark.parametrize("status", InvocationStatus)
def test_registering_again_changes_nothing(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator, status: InvocationStatus
) -> None:
    """A registered invocation keeps its status, owner, time and retries."""
    invocation = new_invocation(pynenc_app)
    pynenc_orchestrator._register_new_invocations([invocation])
    move(pynenc_orchestrator, invocation.invocation_id, *legal_path(status))
    pynenc_orchestrator.increment_invocation_retries(invocation.invocation_id)
    before = _described(pynenc_orchestrator, invocation.invocation_id)
    pynenc_orchestrator._register_new_invocations([invocation], "another runner")
    assert _described(pynenc_orchestrator, invocation.invocation_id) == before


def _described(orchestrator: BaseOrchestrator, invocation_id: str) -> tuple[object, ...]:
    counts = {status: orchestrator.count_invocations(None, [status]) for status in InvocationStatus}
    return (
        orchestrator.get_invocation_status_record(invocation_id),
        orchestrator.get_invocation_retries(invocation_id),
        counts,
    )


def test_a_batch_may_hold_known_and_new_invocations(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """The new ones are registered, the known ones stay as they are."""
    known, new = new_invocation(pynenc_app), new_invocation(pynenc_app)
    pynenc_orchestrator._register_new_invocations([known])
    move(pynenc_orchestrator, known.invocation_id, InvocationStatus.PENDING)
    pynenc_orchestrator._register_new_invocations([known, new])
    statuses = [
        pynenc_orchestrator.get_invocation_status(each.invocation_id) for each in (known, new)
    ]
    assert statuses == [InvocationStatus.PENDING, InvocationStatus.REGISTERED]


def test_retries_begin_at_none(pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator) -> None:
    """A new invocation was never retried."""
    (invocation_id,) = registered(pynenc_app)
    assert pynenc_orchestrator.get_invocation_retries(invocation_id) == 0


@pytest.mark.parametrize("read", ["get_invocation_status", "get_invocation_status_record"])
def test_the_status_of_an_unknown_invocation_is_a_key_error(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator, read: str
) -> None:
    """An invocation that only the state backend has is unknown to the orchestrator."""
    invocation = new_invocation(pynenc_app)
    pynenc_app.state_backend.upsert_invocations([invocation])
    with pytest.raises(KeyError):
        getattr(pynenc_orchestrator, read)(invocation.invocation_id)


def test_the_public_registration_stores_registers_and_records(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """After pynenc's own registration, invocation, status and history agree."""
    invocation = new_invocation(pynenc_app, parent_invocation_id="parent")
    pynenc_orchestrator.register_new_invocations([invocation])
    backend = pynenc_app.state_backend
    (history,) = backend.get_history(invocation.invocation_id)
    agreed = (
        backend.get_invocation(invocation.invocation_id),
        history.status_record,
        history.registered_by_inv_id,
    )
    record = pynenc_orchestrator.get_invocation_status_record(invocation.invocation_id)
    assert agreed == (invocation, record, "parent")


def test_an_owner_is_kept_through_running_and_dropped_at_the_end(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """The stored owner is the one that pynenc's rules leave."""
    owners = [
        pynenc_orchestrator.get_invocation_status_record(moved_to(pynenc_app, status)).runner_id
        for status in (
            InvocationStatus.PENDING,
            InvocationStatus.RUNNING,
            InvocationStatus.PAUSED,
            InvocationStatus.SUCCESS,
        )
    ]
    assert owners == [OWNER, OWNER, OWNER, None]
