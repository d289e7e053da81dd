"""What one app does to what it has, nothing of another app changes, though all ids are the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.compat import AtomicServiceExecutionStatus
from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import (
    LOOK_ALIKES,
    OWNER,
    at,
    move,
    new_invocation,
    wait_for_later_clock,
)
from pytest_pynenc_state.conformance.service_runs import finished, keep, new_run, runs_in

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

    AppFactory = Callable[..., Pynenc]

_HOUR_S = 3600.0
_DAY_MINUTES = 1440.0
# A time-out, and how long to wait until it is over by any clock.
_SHORT_S = 0.005
_LONGER = timedelta(milliseconds=15)

_PENDING, _RUNNING = InvocationStatus.PENDING, InvocationStatus.RUNNING


def _neighbours(pynenc_app_factory: AppFactory) -> tuple[Pynenc, Pynenc]:
    first, second = (pynenc_app_factory(app_id=app_id) for app_id in LOOK_ALIKES[:2])
    return first, second


def _register(app: Pynenc, *invocation_ids: str) -> None:
    """Store and register invocations of these ids, which other apps may have, too."""
    for invocation_id in invocation_ids:
        invocation = new_invocation(app, invocation_id=invocation_id)
        app.state_backend.upsert_invocations([invocation])
        app.orchestrator._register_new_invocations([invocation])


def _in_status(app: Pynenc, status: InvocationStatus, *invocation_ids: str) -> list[str]:
    return sorted(app.orchestrator.filter_by_status([*invocation_ids], frozenset({status})))


def _recovered(app: Pynenc, timeout_s: float = _HOUR_S) -> list[list[str]]:
    """What is PENDING for too long, and what is RUNNING for nobody."""
    app.conf.max_pending_seconds = _SHORT_S
    orchestrator: BaseOrchestrator = app.orchestrator
    return [
        list(orchestrator.get_pending_invocations_for_recovery()),
        list(orchestrator._get_running_invocations_for_recovery(timeout_s)),
    ]


@clause("OR-ISO-01", hint="schedule, and remove what is due, by the app's id and the invocation's")
def what_is_due_goes_in_its_own_app(pynenc_app_factory: AppFactory) -> None:
    """What is due to be forgotten in several apps goes only where it is asked to."""
    first, second = _neighbours(pynenc_app_factory)
    for app in (first, second):
        app.orchestrator.conf.auto_final_invocation_purge_hours = 0.0
        _register(app, "due", "other")
        app.orchestrator.set_up_invocation_auto_purge("due")
    second.orchestrator.auto_purge()
    assert _in_status(first, InvocationStatus.REGISTERED, "due", "other") == ["due", "other"]
    # One at a time: it is no matter of this clause whether several can be forgotten at once.
    second.orchestrator.set_up_invocation_auto_purge("other")
    first.orchestrator.auto_purge()
    assert _in_status(first, InvocationStatus.REGISTERED, "other") == ["other"]


@clause("OR-ISO-02", hint="read and write a status by the app's id and the invocation's")
def a_status_changes_in_one_app(pynenc_app_factory: AppFactory) -> None:
    """A status change in one app leaves the invocation of the same id in another as it was."""
    first, second = _neighbours(pynenc_app_factory)
    for app in (first, second):
        _register(app, "invocation")
    before = first.orchestrator.get_invocation_status_record("invocation")
    move(second.orchestrator, "invocation", _PENDING, _RUNNING)
    assert first.orchestrator.get_invocation_status_record("invocation") == before
    move(first.orchestrator, "invocation", _PENDING, runner_id="other")
    found = [app.orchestrator.get_invocation_status("invocation") for app in (first, second)]
    assert found == [_PENDING, _RUNNING]


@clause("OR-ISO-03", hint="look for invocations of the app alone, whatever their status")
def an_app_recovers_nothing_of_others(pynenc_app_factory: AppFactory) -> None:
    """What is to be recovered in one app, is not in another."""
    first, second = _neighbours(pynenc_app_factory)
    _register(first, "pending", "running")
    move(first.orchestrator, "pending", _PENDING)
    move(first.orchestrator, "running", _PENDING, _RUNNING)
    wait_for_later_clock(_LONGER)
    assert _recovered(first) == [["pending"], ["running"]]
    assert _recovered(second) == [[], []]


@clause("OR-ISO-04", hint="store, renew and join heartbeats by the app's id and the runner's")
def a_heartbeat_counts_in_one_app(pynenc_app_factory: AppFactory) -> None:
    """A heartbeat in one app keeps nothing from recovery that its runner runs in another."""
    first, second = _neighbours(pynenc_app_factory)
    _register(first, "running")
    move(first.orchestrator, "running", _PENDING, _RUNNING)
    second.orchestrator.register_runner_heartbeats([OWNER])
    assert _recovered(first) == [[], ["running"]]
    assert first.orchestrator.get_active_runners() == []
    first.orchestrator.register_runner_heartbeats([OWNER])
    wait_for_later_clock(_LONGER)
    second.orchestrator.register_runner_heartbeats([OWNER])
    assert _recovered(first, _SHORT_S) == [[], ["running"]]


@clause("OR-ISO-05", since="0.2.4", hint="find, end and purge executions of the app alone")
def executions_end_and_go_in_one_app(pynenc_app_factory: AppFactory) -> None:
    """Executions of the same ids in two apps are found, end and are purged in each app alone."""
    first, second = _neighbours(pynenc_app_factory)
    for app in (first, second):
        keep(app)
        finished(app.orchestrator, "ended", 0, 1)
        app.orchestrator.record_atomic_service_execution_start(new_run("run"), at(2))
    second.orchestrator.finalize_atomic_service_execution(
        new_run("run"), at(3), AtomicServiceExecutionStatus.COMPLETED
    )
    active = first.orchestrator.get_active_atomic_service_executions()
    assert [each.atomic_service_run_id for each in active] == ["run"]
    assert runs_in(first.orchestrator) == ["run", "ended"]
    # Both may forget it now; only one is asked to.
    for app in (first, second):
        keep(app, minutes=_DAY_MINUTES)
    second.orchestrator.purge_atomic_service_executions()
    assert runs_in(first.orchestrator) == ["run", "ended"]


@clause("BC-ISO-01", hint="remove edges by the app's id and the invocation's")
def waiters_are_released_in_one_app(pynenc_app_factory: AppFactory) -> None:
    """Whoever waits in one app goes on to wait if an invocation of the same id ends in another."""
    first, second = _neighbours(pynenc_app_factory)
    for app in (first, second):
        _register(app, "waiter", "awaited")
        app.orchestrator.blocking_control.waiting_for_results("waiter", ["awaited"])
    second.orchestrator.blocking_control.release_waiters("awaited")
    found = [
        list(app.orchestrator.blocking_control.get_blocking_invocations(9))
        for app in (first, second)
    ]
    assert found == [["awaited"], []]
