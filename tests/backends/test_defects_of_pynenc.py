"""Defects of pynenc, on any store, that our pages tell of: a test fails when one is repaired."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pynenc.conf.config_task import ConcurrencyControlType
from pynenc.exceptions import InvocationStatusTransitionError
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state import compat
from pytest_pynenc_state.conformance import tasks
from pytest_pynenc_state.conformance.making import move, new_context

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

APPLICATION = Path(__file__).parents[2] / "docs" / "application.md"


def test_a_worker_ends_that_finds_a_controlled_invocation_just_before_another_claims_it(
    pynenc_app: Pynenc,
    pynenc_orchestrator: BaseOrchestrator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The claim of the other one is what it takes for an invocation that runs already."""
    greet = pynenc_app.task(
        tasks.greet,
        running_concurrency=ConcurrencyControlType.TASK,
        reroute_on_concurrency_control=True,
    )
    found = greet("Ada").invocation_id
    status_of = pynenc_orchestrator.get_invocation_status

    def status_before_another_claims_it(invocation_id: str) -> InvocationStatus:
        status = status_of(invocation_id)
        move(pynenc_orchestrator, found, InvocationStatus.PENDING)
        return status

    monkeypatch.setattr(
        pynenc_orchestrator, "get_invocation_status", status_before_another_claims_it
    )
    with pytest.raises(InvocationStatusTransitionError) as error:
        list(
            pynenc_orchestrator.get_additional_invocations_to_run(
                1, set(), set(), new_context(), **compat.retrieval_options(pynenc_app)
            )
        )
    told = f"from_status:{error.value.from_status}, to_status:{error.value.to_status}"
    assert told in " ".join(APPLICATION.read_text().split())
