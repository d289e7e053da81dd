"""Runners are stopped once those who have ended an invocation have written so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.conformance.making import (
    legal_path,
    move,
    new_context,
    new_invocation,
    wait_for_later_clock,
)
from pytest_pynenc_state.history.reading import wait_for_last_records
from pytest_pynenc_state.history.verdict import Outcome
from pytest_pynenc_state.history_check import TestHistories
from pytest_pynenc_state.session import TestRecord

if TYPE_CHECKING:
    import pytest
    from pynenc.app import Pynenc


def test_a_record_that_comes_after_the_status_is_waited_for(
    pynenc_app: Pynenc, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is written here by whoever looks for the second time."""
    orchestrator, backend = pynenc_app.orchestrator, pynenc_app.state_backend
    invocation = new_invocation(pynenc_app)
    orchestrator.register_new_invocations([invocation])
    invocation_id = invocation.invocation_id
    move(orchestrator, invocation_id, *legal_path(InvocationStatus.SUCCESS))
    looks = []
    list_ids = orchestrator.get_invocation_ids_paginated

    def listing(*args: Any, **named: Any) -> list[Any]:
        looks.append(1)
        if len(looks) == 3:
            record = orchestrator.get_invocation_status_record(invocation_id)
            backend.add_history(invocation_id, record, new_context())
        return list_ids(*args, **named)

    monkeypatch.setattr(orchestrator, "get_invocation_ids_paginated", listing)
    wait_for_last_records(pynenc_app)

    assert len(looks) > 3
    assert backend.get_history(invocation_id)[-1].status_record.status == InvocationStatus.SUCCESS


def test_what_is_moved_while_its_runner_is_stopped_is_no_violation(pynenc_app: Pynenc) -> None:
    """Nobody knows whether the worker would have written so; what was moved before is one."""
    orchestrator = pynenc_app.orchestrator
    invocation = new_invocation(pynenc_app)
    orchestrator.register_new_invocations([invocation])
    invocation_id = invocation.invocation_id
    record = TestRecord()
    histories = TestHistories(pynenc_app, 0.0, record)

    record.cut_off_since = wait_for_last_records(pynenc_app)
    move(orchestrator, invocation_id, InvocationStatus.PENDING)
    assert [each.outcome for each in histories.check().verdicts] == [Outcome.UNDECIDED]

    record.cut_off_since = wait_for_later_clock()
    assert [each.rule for each in histories.check().violations] == ["status-agrees"]
