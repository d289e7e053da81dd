"""Runners: who is alive, in an order all agree on, and whose work has to be recovered."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest
from pynenc.invocation.status import InvocationStatus
from pynenc.orchestrator.atomic_service import ActiveRunnerInfo
from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

from pytest_pynenc_state.conformance.making import (
    MICROSECOND,
    OWNER,
    START,
    move,
    moved_to,
    registered,
    wait_for_later_clock,
)

if TYPE_CHECKING:
    from pynenc.app import Pynenc

HOUR_S = 3600.0
# A time-out that even a heartbeat of this very instant exceeds.
BELOW_ANY_S = -1.0


def _active(orchestrator: BaseOrchestrator, *filters: Any) -> list[str]:
    return [runner.runner_id for runner in orchestrator._get_active_runners(HOUR_S, *filters)]


def _times(orchestrator: BaseOrchestrator) -> dict[str, tuple[Any, Any]]:
    return {
        runner.runner_id: (runner.creation_time, runner.last_heartbeat)
        for runner in orchestrator._get_active_runners(HOUR_S, None)
    }


def test_a_runner_that_was_heard_of_is_active(pynenc_orchestrator: BaseOrchestrator) -> None:
    """The first heartbeat creates a runner; others stay unknown."""
    pynenc_orchestrator.register_runner_heartbeats(["one"])
    assert _active(pynenc_orchestrator, None) == ["one"]


def test_a_runner_that_was_not_heard_of_in_time_is_not_active(
    pynenc_orchestrator: BaseOrchestrator,
) -> None:
    """A heartbeat counts for the time-out, and not beyond."""
    pynenc_orchestrator.register_runner_heartbeats(["one"])
    assert pynenc_orchestrator._get_active_runners(BELOW_ANY_S, None) == []


def test_no_runners_are_no_error(pynenc_orchestrator: BaseOrchestrator) -> None:
    """An empty list of heartbeats changes nothing."""
    pynenc_orchestrator.register_runner_heartbeats([])
    assert _active(pynenc_orchestrator, None) == []


def test_new_runners_of_one_call_are_equally_old(pynenc_orchestrator: BaseOrchestrator) -> None:
    """They have one creation time, and come in the order of their ids."""
    pynenc_orchestrator.register_runner_heartbeats(["c", "a", "d", "b"])
    times = _times(pynenc_orchestrator)
    assert (list(times), len({creation for creation, _ in times.values()})) == (list("abcd"), 1)


def test_older_runners_come_first(pynenc_orchestrator: BaseOrchestrator) -> None:
    """The order is that of creation; a renewed heartbeat makes no runner younger."""
    for runner_id in ("c", "a", "b"):
        pynenc_orchestrator.register_runner_heartbeats([runner_id])
        wait_for_later_clock()
    pynenc_orchestrator.register_runner_heartbeats(["b", "c"])
    assert _active(pynenc_orchestrator, None) == ["c", "a", "b"]


def test_a_later_heartbeat_renews_the_last_one_only(
    pynenc_orchestrator: BaseOrchestrator,
) -> None:
    """The creation time never changes."""
    pynenc_orchestrator.register_runner_heartbeats(["one"])
    ((creation, first),) = _times(pynenc_orchestrator).values()
    later = wait_for_later_clock()
    pynenc_orchestrator.register_runner_heartbeats(["one"])
    ((creation_then, last),) = _times(pynenc_orchestrator).values()
    assert (creation_then, first, last >= later) == (creation, creation, True)


def test_runners_are_filtered_by_their_right_to_run_services(
    pynenc_orchestrator: BaseOrchestrator,
) -> None:
    """None asks for all; True and False ask for those with and without the right."""
    pynenc_orchestrator.register_runner_heartbeats(["able"], can_run_atomic_service=True)
    pynenc_orchestrator.register_runner_heartbeats(["unable"])
    found = [set(_active(pynenc_orchestrator, flag)) for flag in (None, True, False)]
    assert found == [{"able", "unable"}, {"able"}, {"unable"}]


def test_a_right_to_run_services_can_be_given_later(
    pynenc_orchestrator: BaseOrchestrator,
) -> None:
    """A worker that becomes eligible is found as such."""
    pynenc_orchestrator.register_runner_heartbeats(["one"])
    pynenc_orchestrator.register_runner_heartbeats(["one"], can_run_atomic_service=True)
    assert _active(pynenc_orchestrator, True) == ["one"]


def test_a_right_to_run_services_is_not_lost_by_a_plain_heartbeat(
    pynenc_orchestrator: BaseOrchestrator,
) -> None:
    """For runners that exist, a heartbeat only renews the time."""
    pynenc_orchestrator.register_runner_heartbeats(["one"], can_run_atomic_service=True)
    pynenc_orchestrator.register_runner_heartbeats(["one"])
    assert _active(pynenc_orchestrator, True) == ["one"]


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


def test_the_heartbeat_has_the_parameters_of_the_installed_pynenc(
    pynenc_orchestrator: BaseOrchestrator,
) -> None:
    """Runners pass every parameter by keyword, so each has to have its name."""
    wanted = inspect.signature(BaseOrchestrator.register_runner_heartbeats).parameters
    offered = inspect.signature(pynenc_orchestrator.register_runner_heartbeats).parameters
    assert set(wanted) - {"self"} <= set(offered)


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


def test_what_is_pending_too_long_is_recovered(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """PENDING for the configured time or longer, and in no other status."""
    pynenc_app.conf.max_pending_seconds = 0.0
    ids = {status: moved_to(pynenc_app, status) for status in InvocationStatus}
    found = list(pynenc_orchestrator.get_pending_invocations_for_recovery())
    assert found == [ids[InvocationStatus.PENDING]]


def test_what_became_pending_just_now_is_not_recovered(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """The time counts from the status change, not from registration."""
    pynenc_app.conf.max_pending_seconds = HOUR_S
    moved_to(pynenc_app, InvocationStatus.PENDING)
    assert list(pynenc_orchestrator.get_pending_invocations_for_recovery()) == []


def test_statuses_may_change_while_recovery_goes_on(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Whoever recovers moves each invocation before asking for the next one."""
    pynenc_app.conf.max_pending_seconds = 0.0
    ids = [moved_to(pynenc_app, InvocationStatus.PENDING) for _ in range(5)]
    recovered = []
    for invocation_id in pynenc_orchestrator.get_pending_invocations_for_recovery():
        move(pynenc_orchestrator, invocation_id, InvocationStatus.PENDING_RECOVERY)
        recovered.append(invocation_id)
    assert sorted(recovered) == sorted(ids)


@pytest.mark.parametrize("status", InvocationStatus)
def test_what_runs_for_an_unknown_runner_is_recovered(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator, status: InvocationStatus
) -> None:
    """RUNNING, and no other status, whose owner never gave a heartbeat."""
    invocation_id = moved_to(pynenc_app, status)
    found = list(pynenc_orchestrator._get_running_invocations_for_recovery(HOUR_S))
    expected = [invocation_id] if status == InvocationStatus.RUNNING else []
    assert found == expected


@pytest.mark.parametrize(("timeout_s", "is_recovered"), [(HOUR_S, False), (BELOW_ANY_S, True)])
def test_what_runs_is_recovered_once_its_owner_is_silent(
    pynenc_app: Pynenc,
    pynenc_orchestrator: BaseOrchestrator,
    timeout_s: float,
    is_recovered: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """The owner's last heartbeat decides, not that of any other runner."""
    invocation_id = moved_to(pynenc_app, InvocationStatus.RUNNING)
    pynenc_orchestrator.register_runner_heartbeats([OWNER])
    found = list(pynenc_orchestrator._get_running_invocations_for_recovery(timeout_s))
    assert found == ([invocation_id] if is_recovered else [])


def test_the_heartbeat_of_another_runner_recovers_nothing(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Of two owners, the invocation of the silent one is recovered."""
    alive, silent = registered(pynenc_app, 2)
    running = (InvocationStatus.PENDING, InvocationStatus.RUNNING)
    move(pynenc_orchestrator, alive, *running, runner_id="alive")
    move(pynenc_orchestrator, silent, *running, runner_id="ALIVE")
    pynenc_orchestrator.register_runner_heartbeats(["alive"])
    found = list(pynenc_orchestrator._get_running_invocations_for_recovery(HOUR_S))
    assert found == [silent]
