"""What a runner does not get done is found, so that another can do it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import (
    OWNER,
    move,
    moved_to,
    registered,
    wait_for_later_clock,
)

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

HOUR_S = 3600.0
# A time-out, and how long to wait until it is over by any clock.
_SHORT_S = 0.005
_LONGER = timedelta(milliseconds=15)

_RUNNING = (InvocationStatus.PENDING, InvocationStatus.RUNNING)


def _running_lost(orchestrator: BaseOrchestrator, timeout_s: float = HOUR_S) -> list[str]:
    return sorted(orchestrator._get_running_invocations_for_recovery(timeout_s))


@clause("OR-REC-01", hint="PENDING, and its status record older than max_pending_seconds")
def what_is_pending_too_long_is_recovered(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """What is PENDING for longer than configured is to be recovered, in no other status."""
    pynenc_app.conf.max_pending_seconds = _SHORT_S
    ids = {status: moved_to(pynenc_app, status) for status in InvocationStatus}
    wait_for_later_clock(_LONGER)
    found = list(pynenc_orchestrator.get_pending_invocations_for_recovery())
    assert found == [ids[InvocationStatus.PENDING]]


@clause("OR-REC-02", hint="max_pending_seconds is in seconds")
def what_became_pending_just_now_is_not_recovered(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """What is PENDING for a shorter time than configured is not to be recovered."""
    pynenc_app.conf.max_pending_seconds = HOUR_S
    moved_to(pynenc_app, InvocationStatus.PENDING)
    assert list(pynenc_orchestrator.get_pending_invocations_for_recovery()) == []


@clause("OR-REC-03", hint="read all ids before the first is given out, or page by what stays put")
def statuses_may_change_while_recovery_goes_on(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Whoever recovers may move each invocation before asking for the next one."""
    pynenc_app.conf.max_pending_seconds = _SHORT_S
    pending = [moved_to(pynenc_app, InvocationStatus.PENDING) for _ in range(5)]
    running = [moved_to(pynenc_app, InvocationStatus.RUNNING) for _ in range(5)]
    wait_for_later_clock(_LONGER)
    recovered = []
    for each in pynenc_orchestrator.get_pending_invocations_for_recovery():
        move(pynenc_orchestrator, each, InvocationStatus.PENDING_RECOVERY)
        recovered.append(each)
    for each in pynenc_orchestrator._get_running_invocations_for_recovery(HOUR_S):
        move(pynenc_orchestrator, each, InvocationStatus.RUNNING_RECOVERY)
        recovered.append(each)
    assert sorted(recovered) == sorted([*pending, *running])


@clause("OR-REC-04", hint="an owner without any heartbeat is a silent one")
def what_runs_for_an_unknown_runner_is_recovered(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """What is RUNNING, and no other status, is to be recovered if its owner is unknown."""
    for status in InvocationStatus:
        # Whether a paused one is recovered, pynenc does not say.
        if status != InvocationStatus.PAUSED:
            moved_to(pynenc_app, status)
    found = [
        pynenc_orchestrator.get_invocation_status(each)
        for each in _running_lost(pynenc_orchestrator)
    ]
    assert found == [InvocationStatus.RUNNING]


@clause("OR-REC-05", hint="compare the owner's last heartbeat with now minus the time-out")
def what_runs_is_recovered_once_its_owner_is_silent(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """What is RUNNING is to be recovered once its owner is silent for the time-out."""
    invocation_id = moved_to(pynenc_app, InvocationStatus.RUNNING)
    pynenc_orchestrator.register_runner_heartbeats([OWNER])
    wait_for_later_clock(_LONGER)
    assert _running_lost(pynenc_orchestrator, HOUR_S) == []
    assert _running_lost(pynenc_orchestrator, _SHORT_S) == [invocation_id]


@clause("OR-REC-06", hint="compare runner ids exactly")
def the_heartbeat_of_another_runner_does_not_count(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Of the invocations of two owners, those of the silent one are to be recovered."""
    alive, silent = registered(pynenc_app, 2)
    move(pynenc_orchestrator, alive, *_RUNNING, runner_id="alive")
    move(pynenc_orchestrator, silent, *_RUNNING, runner_id="ALIVE")
    pynenc_orchestrator.register_runner_heartbeats(["alive"])
    assert _running_lost(pynenc_orchestrator) == [silent]


@clause("OR-REC-07", hint="take the time-out from runner_considered_dead_after_minutes")
def the_configured_time_makes_an_owner_silent(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """After what time an owner is silent, the app's configuration decides if nobody else does."""
    invocation_id = moved_to(pynenc_app, InvocationStatus.RUNNING)
    pynenc_orchestrator.register_runner_heartbeats([OWNER])
    wait_for_later_clock(_LONGER)
    assert list(pynenc_orchestrator.get_running_invocations_for_recovery()) == []
    pynenc_app.conf.runner_considered_dead_after_minutes = _SHORT_S / 60
    assert list(pynenc_orchestrator.get_running_invocations_for_recovery()) == [invocation_id]
