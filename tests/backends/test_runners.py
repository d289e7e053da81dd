"""Runners: what our orchestrators keep of them where pynenc's contract leaves it open."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from pynenc.invocation.status import InvocationStatus
from pynenc.orchestrator.atomic_service import ActiveRunnerInfo

from pytest_pynenc_state.conformance.making import MICROSECOND, START, moved_to

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

HOUR_S = 3600.0


def test_no_runners_are_no_error(pynenc_orchestrator: BaseOrchestrator) -> None:
    """An empty list of heartbeats changes nothing."""
    pynenc_orchestrator.register_runner_heartbeats([])
    assert pynenc_orchestrator._get_active_runners(HOUR_S, None) == []


@pytest.mark.pynenc(max_pending_seconds=math.inf, auto_final_invocation_purge_hours=math.inf)
@pytest.mark.parametrize("limit_s", [math.inf, 1e300])
def test_a_limit_may_be_infinite(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator, limit_s: float
) -> None:
    """Then nothing is ever old enough: a test that stops at a breakpoint wants no recovery."""
    invocation_id = moved_to(pynenc_app, InvocationStatus.RUNNING)
    owner = pynenc_orchestrator.get_invocation_status_record(invocation_id).runner_id
    assert owner is not None
    pynenc_orchestrator.register_runner_heartbeats([owner])
    pynenc_orchestrator.auto_purge()
    assert [*pynenc_orchestrator.get_pending_invocations_for_recovery()] == []
    assert [*pynenc_orchestrator._get_running_invocations_for_recovery(limit_s)] == []
    (runner,) = pynenc_orchestrator._get_active_runners(limit_s, None)
    assert runner.runner_id == owner


def test_a_right_to_run_services_is_not_lost_by_a_plain_heartbeat(
    pynenc_orchestrator: BaseOrchestrator,
) -> None:
    """For runners that exist, a heartbeat only renews the time."""
    pynenc_orchestrator.register_runner_heartbeats(["one"], can_run_atomic_service=True)
    pynenc_orchestrator.register_runner_heartbeats(["one"])
    (runner,) = pynenc_orchestrator._get_active_runners(HOUR_S, True)
    assert runner.runner_id == "one"


def test_consumed_queues_are_kept_until_others_are_named(
    pynenc_orchestrator: BaseOrchestrator,
) -> None:
    """Every pynenc may pass queues; one that knows the field also sees them."""
    seen = []
    for queues in (["a", "b"], None, ["c"], []):
        pynenc_orchestrator.register_runner_heartbeats(["one"], consumed_queues=queues)
        (runner,) = pynenc_orchestrator._get_active_runners(HOUR_S, None)
        seen.append(getattr(runner, "consumed_queues", None))
    has_field = "consumed_queues" in ActiveRunnerInfo._fields
    expected = [("a", "b"), ("a", "b"), ("c",), ()] if has_field else [None] * 4
    assert seen == expected


def test_the_last_service_window_of_a_runner_is_shown(
    pynenc_orchestrator: BaseOrchestrator,
) -> None:
    """The latest window replaces the former; a pynenc without the fields has none."""
    pynenc_orchestrator.register_runner_heartbeats(["one"])
    record: Any = pynenc_orchestrator.record_atomic_service_execution
    for number in range(2):
        record("one", START + number * MICROSECOND, START + (number + 5) * MICROSECOND)
    (runner,) = pynenc_orchestrator._get_active_runners(HOUR_S, None)
    fields = ("last_service_start", "last_service_end")
    window = (START + MICROSECOND, START + 6 * MICROSECOND)
    expected = [*window] if fields[0] in ActiveRunnerInfo._fields else [None, None]
    assert [getattr(runner, name, None) for name in fields] == expected


def test_a_service_window_of_an_unknown_runner_is_ignored(
    pynenc_orchestrator: BaseOrchestrator,
) -> None:
    """It is not shown either once the runner has its first heartbeat."""
    pynenc_orchestrator.record_atomic_service_execution("one", START, START + MICROSECOND)
    pynenc_orchestrator.register_runner_heartbeats(["one"])

    (runner,) = pynenc_orchestrator._get_active_runners(HOUR_S, None)

    assert getattr(runner, "last_service_start", None) is None
    assert getattr(runner, "last_service_end", None) is None


def test_what_is_paused_is_not_recovered(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """An invocation that waits for others is not taken from its owner, silent or not."""
    moved_to(pynenc_app, InvocationStatus.PAUSED)
    assert list(pynenc_orchestrator._get_running_invocations_for_recovery(HOUR_S)) == []
