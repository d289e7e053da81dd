"""Invocations in the store of an app, and their records, which may be written later."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pytest_pynenc_state.conformance import tasks
from pytest_pynenc_state.conformance.making import OWNER, new_context, new_invocation

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.invocation.status import InvocationStatus


def registered(app: Pynenc, **options: str) -> str:
    """Register an invocation as pynenc does, and return its id."""
    invocation = new_invocation(app, tasks.add, **options)
    app.state_backend.upsert_invocations([invocation])
    record = app.orchestrator._register_new_invocations([invocation])
    app.state_backend.add_histories([invocation], record, new_context("client"))
    return invocation.invocation_id


def move(app: Pynenc, invocation_id: str, *statuses: InvocationStatus) -> None:
    """Move an invocation, and write the record of each status."""
    for status in statuses:
        set_status(app, invocation_id, status)()


def set_status(app: Pynenc, invocation_id: str, status: InvocationStatus) -> Callable[[], None]:
    """Set a status, and return what writes its record."""
    record = app.orchestrator._atomic_status_transition(invocation_id, status, OWNER)
    return lambda: app.state_backend.add_history(invocation_id, record, new_context(OWNER))
