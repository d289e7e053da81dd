"""Transitions: one conditional write, and a lost race is validated anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest
from pynenc.exceptions import InvocationStatusError
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.backends.mongo.documents import Documents
from pytest_pynenc_state.conformance.making import OWNER, move, registered

if TYPE_CHECKING:
    from pynenc.app import Pynenc

pytestmark = pytest.mark.pynenc_backends("mongomock", "mongo")

RUNNING = (InvocationStatus.PENDING, InvocationStatus.RUNNING)


class Interrupted(Documents):
    """Documents of which something else happens just before the first update."""

    def __init__(self, documents: Documents, interruption: Any) -> None:
        super().__init__(documents._database, documents._name)
        self._interruptions = [interruption]
        self.updates: list[bool] = []

    def update(self, wanted: Mapping[str, Any], change: Mapping[str, Any]) -> bool:
        """Change one document that matches, after the interruption; whether there was one."""
        if self._interruptions:
            self._interruptions.pop()()
        self.updates.append(super().update(wanted, change))
        return self.updates[-1]


def _interrupt(app: Pynenc, interruption: Any) -> Interrupted:
    statuses = app.orchestrator._statuses  # type: ignore[attr-defined]
    statuses._documents = Interrupted(statuses._documents, interruption)
    documents: Interrupted = statuses._documents
    return documents


def _take(app: Pynenc, invocation_id: str) -> None:
    move(app.orchestrator, invocation_id, InvocationStatus.PENDING, runner_id="winner")


def test_a_transition_that_lost_the_race_is_refused(
    pynenc_app: Pynenc, pynenc_app_factory: Any
) -> None:
    """Its status was right when it was read, and is not any more when it would be written."""
    (invocation_id,) = registered(pynenc_app)
    other = pynenc_app_factory()
    _interrupt(pynenc_app, lambda: _take(other, invocation_id))
    with pytest.raises(InvocationStatusError):
        pynenc_app.orchestrator._atomic_status_transition(
            invocation_id, InvocationStatus.PENDING, "loser"
        )
    record = pynenc_app.orchestrator.get_invocation_status_record(invocation_id)
    assert record.runner_id == "winner"


def test_a_transition_that_is_still_right_is_made_after_a_lost_race(
    pynenc_app: Pynenc, pynenc_app_factory: Any
) -> None:
    """The same status and owner, but of a later life of the invocation: it reads again."""
    (invocation_id,) = registered(pynenc_app)
    move(pynenc_app.orchestrator, invocation_id, *RUNNING)
    other = pynenc_app_factory()

    documents = _interrupt(
        pynenc_app,
        lambda: move(other.orchestrator, invocation_id, InvocationStatus.RETRY, *RUNNING),
    )
    record = pynenc_app.orchestrator._atomic_status_transition(
        invocation_id, InvocationStatus.SUCCESS, OWNER
    )
    assert (record.status, documents.updates) == (InvocationStatus.SUCCESS, [False, True])
