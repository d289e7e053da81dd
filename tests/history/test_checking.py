"""Checking the histories of an app on real stores: silent on legal ones, precise on others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from socket import gethostname
from typing import TYPE_CHECKING, Any

import pytest
from pynenc.conf.config_task import ConcurrencyControlType
from pynenc.invocation.status import InvocationStatus, InvocationStatusRecord

from pytest_pynenc_state.compat import (
    HAS_EXECUTION_RECORDS,
    AtomicServiceExecutionStatus,
    AtomicServiceRun,
)
from pytest_pynenc_state.conformance import tasks
from pytest_pynenc_state.conformance.making import new_context, new_invocation, unique_id
from pytest_pynenc_state.history.checking import check_histories
from pytest_pynenc_state.history.collecting import collect_facts
from pytest_pynenc_state.history.lookups import Lookups
from pytest_pynenc_state.history.report import Report

if TYPE_CHECKING:
    from pynenc.app import Pynenc

# These tests break rules, and look for themselves what is said of it.
pytestmark = pytest.mark.pynenc_no_history_check

# For a history that never settles.
SHORT_S = 0.05

# Two runners of this host, so that one clock tells.
ONE, TWO = (
    new_context(runner_id, hostname=gethostname()) for runner_id in ("runner-1", "runner-2")
)
CONTROL = ConcurrencyControlType

PENDING, RUNNING = InvocationStatus.PENDING, InvocationStatus.RUNNING
SUCCESS, KILLED = InvocationStatus.SUCCESS, InvocationStatus.KILLED
RETRY, REROUTED = InvocationStatus.RETRY, InvocationStatus.REROUTED


def registered(app: Pynenc, **options: Any) -> Any:
    """Register a new invocation as pynenc does."""
    invocation = new_invocation(app, **options)
    app.orchestrator.register_new_invocations([invocation])
    return invocation


def moved(app: Pynenc, invocation: Any, *statuses: InvocationStatus, runner: Any = ONE) -> Any:
    """Move an invocation as runners do."""
    for status in statuses:
        app.orchestrator.set_invocation_status(invocation.invocation_id, status, runner)
    return invocation


def retried(app: Pynenc, invocation: Any) -> Any:
    """Let an invocation run and fail for once."""
    moved(app, invocation, PENDING, RUNNING, RETRY)
    app.orchestrator.increment_invocation_retries(invocation.invocation_id)
    return invocation


def succeeded(app: Pynenc, invocation: Any | None = None) -> Any:
    """Let an invocation run to its end."""
    invocation = moved(app, invocation or registered(app), PENDING, RUNNING)
    app.orchestrator.set_invocation_result(invocation, 3, ONE)
    return invocation


def failed(app: Pynenc) -> Any:
    """Let an invocation run, and fail for good."""
    invocation = moved(app, registered(app), PENDING, RUNNING)
    app.orchestrator.set_invocation_exception(invocation, ValueError("no"), ONE)
    return invocation


def recorded(app: Pynenc, invocation: Any, status: InvocationStatus, owner: str | None) -> Any:
    """Write a record past the orchestrator, as *owner* or the second runner."""
    runner = new_context(owner, hostname=gethostname()) if owner else TWO
    record = InvocationStatusRecord(status, owner)
    app.state_backend.add_history(invocation.invocation_id, record, runner)
    return invocation


def served(app: Pynenc, runner_id: str, start: datetime, end: datetime) -> None:
    """Record that a runner ran the atomic services of *app*."""
    orchestrator: Any = app.orchestrator
    orchestrator.register_runner_heartbeats([runner_id], can_run_atomic_service=True)
    run = AtomicServiceRun(runner_id=runner_id, atomic_service_run_id=unique_id("run"))
    orchestrator.record_atomic_service_execution_start(run, start)
    orchestrator.finalize_atomic_service_execution(run, end, AtomicServiceExecutionStatus.COMPLETED)


def found(report: Report) -> dict[tuple[str, str | None], str]:
    """Outcome by rule and invocation."""
    return {
        (each.rule, each.witness.history.invocation_id if each.witness else None): each.outcome
        for each in report.verdicts
    }


def test_legal_histories_break_no_rule(pynenc_app: Pynenc) -> None:
    """Ended and not, retried, cut off and run again, parents and children."""
    pynenc_app.task(max_retries=1)(tasks.add)
    succeeded(pynenc_app)
    failed(pynenc_app)
    waiting = registered(pynenc_app)
    succeeded(pynenc_app, retried(pynenc_app, registered(pynenc_app)))
    cut_off = moved(pynenc_app, registered(pynenc_app), PENDING, RUNNING, KILLED, REROUTED)
    succeeded(pynenc_app, cut_off)
    parent = moved(pynenc_app, registered(pynenc_app), PENDING, RUNNING)
    succeeded(pynenc_app, registered(pynenc_app, parent_invocation_id=parent.invocation_id))
    pynenc_app.orchestrator.set_invocation_result(parent, 3, ONE)
    now = datetime.now(UTC)
    served(pynenc_app, "runner-1", now - timedelta(seconds=9), now - timedelta(seconds=8))
    served(pynenc_app, "runner-2", now - timedelta(seconds=8), now - timedelta(seconds=7))

    report = check_histories(pynenc_app)

    unfinished = [history.invocation_id for history in report.unfinished]
    assert (str(report).splitlines()[0], report.outcome, unfinished) == (
        f"7 invocations of app {pynenc_app.app_id!r} checked: 0 violations, 0 undecided",
        "ok",
        [waiting.invocation_id],
    )


def _other_end(app: Pynenc) -> Any:
    return recorded(app, succeeded(app), SUCCESS, None)


def _other_runner(app: Pynenc) -> Any:
    return recorded(app, moved(app, registered(app), PENDING), RUNNING, "runner-2")


def _run_without_being_claimed(app: Pynenc) -> Any:
    return recorded(app, registered(app), RUNNING, "runner-2")


def _owned_after_its_end(app: Pynenc) -> Any:
    return recorded(app, moved(app, registered(app), PENDING, RUNNING), SUCCESS, "runner-1")


def _uncounted_retry(app: Pynenc) -> Any:
    return succeeded(app, moved(app, registered(app), PENDING, RUNNING, RETRY))


def _retry_that_was_none(app: Pynenc) -> Any:
    invocation = succeeded(app)
    app.orchestrator.increment_invocation_retries(invocation.invocation_id)
    return invocation


def _status_without_record(app: Pynenc) -> Any:
    invocation = registered(app)
    app.orchestrator._atomic_status_transition(invocation.invocation_id, PENDING, "runner-1")
    return invocation


def _status_without_history(app: Pynenc) -> Any:
    invocation = new_invocation(app)
    app.orchestrator._register_new_invocations([invocation])
    return invocation


def _history_without_status(app: Pynenc) -> Any:
    registered(app)  # so that the orchestrator knows one
    invocation = new_invocation(app)
    app.state_backend.upsert_invocations([invocation])
    return recorded(app, invocation, InvocationStatus.REGISTERED, None)


def _success_without_result(app: Pynenc) -> Any:
    return moved(app, registered(app), PENDING, RUNNING, SUCCESS)


def _failure_with_result(app: Pynenc) -> Any:
    invocation = failed(app)
    app.state_backend.set_result(invocation.invocation_id, 3)
    return invocation


def _success_with_exception(app: Pynenc) -> Any:
    invocation = succeeded(app)
    app.state_backend.set_exception(invocation.invocation_id, ValueError("no"))
    return invocation


def _child_of_an_ended_parent(app: Pynenc) -> Any:
    return registered(app, parent_invocation_id=succeeded(app).invocation_id)


@pytest.mark.parametrize(
    ("rule", "break_it"),
    [
        ("ends-are-final", _other_end),
        ("one-owner", _other_runner),
        ("legal-transitions", _run_without_being_claimed),
        ("ownership-kept", _owned_after_its_end),
        ("retries-counted", _uncounted_retry),
        ("retries-counted", _retry_that_was_none),
        ("status-agrees", _status_without_record),
        ("status-agrees", _status_without_history),
        ("status-agrees", _history_without_status),
        ("result-iff-success", _success_without_result),
        ("result-iff-success", _failure_with_result),
        ("exception-iff-failed", _success_with_exception),
        ("children-within-parents", _child_of_an_ended_parent),
    ],
)
def test_what_is_broken_in_the_store_is_named(
    pynenc_app: Pynenc, rule: str, break_it: Callable[[Pynenc], Any]
) -> None:
    """The most telling rule comes first; others of the same invocation may follow."""
    succeeded(pynenc_app)
    invocation = break_it(pynenc_app)

    report = check_histories(pynenc_app, timeout_s=SHORT_S)

    first, *others = report.violations
    broken = {each.witness and each.witness.history.invocation_id for each in report.violations}
    assert (first.rule, broken) == (rule, {invocation.invocation_id}), (str(report), others)


def _controlled(app: Pynenc, control: ConcurrencyControlType) -> None:
    app.task(running_concurrency=control, key_arguments=("left",))(tasks.add)


@pytest.mark.parametrize(
    ("control", "left", "right", "is_broken"),
    [
        (CONTROL.DISABLED, "1", "1", False),
        (CONTROL.TASK, "2", "2", True),
        (CONTROL.ARGUMENTS, "1", "1", True),
        (CONTROL.ARGUMENTS, "1", "2", False),
        (CONTROL.KEYS, "1", "2", True),
        (CONTROL.KEYS, "2", "1", False),
    ],
)
def test_the_tasks_concurrency_control_says_what_may_not_run_at_once(
    pynenc_app: Pynenc, control: ConcurrencyControlType, left: str, right: str, *, is_broken: bool
) -> None:
    """As pynenc compares arguments before it runs an invocation."""
    _controlled(pynenc_app, control)
    running = [
        moved(pynenc_app, registered(pynenc_app, arguments=arguments), PENDING, RUNNING)
        for arguments in ({"left": "1", "right": "1"}, {"left": left, "right": right})
    ]
    expected = {("none-run-at-once", running[1].invocation_id): "violated"} if is_broken else {}
    assert found(check_histories(pynenc_app)) == expected


def test_a_task_that_is_not_known_here_allows_anything(pynenc_app: Pynenc) -> None:
    """Its module is not imported for a check, nor are retries compared with its limit."""
    _controlled(pynenc_app, CONTROL.TASK)
    for _ in range(2):
        moved(pynenc_app, retried(pynenc_app, registered(pynenc_app)), PENDING, RUNNING)
    before = found(check_histories(pynenc_app))
    pynenc_app.tasks.clear()
    assert (len(before), found(check_histories(pynenc_app))) == (3, {})


def test_services_at_once_are_named(pynenc_app: Pynenc) -> None:
    """Nothing is known of the runners' hosts, but a second apart is more than clocks differ.

    Where pynenc has each runner keep to a time slot, and nothing more, they are its own affair.
    """
    now = datetime.now(UTC)
    served(pynenc_app, "runner-1", now - timedelta(seconds=9), now - timedelta(seconds=7))
    served(pynenc_app, "runner-2", now - timedelta(seconds=8), now - timedelta(seconds=6))
    expected = {("services-apart", None): "violated"} if HAS_EXECUTION_RECORDS else {}
    assert found(check_histories(pynenc_app)) == expected


@pytest.mark.skipif(not HAS_EXECUTION_RECORDS, reason="this pynenc keeps ended executions only")
def test_what_services_are_recorded_to_do_is_understood(pynenc_app: Pynenc) -> None:
    """A refused attempt is left out, one that runs has no end, an abandoned one no sure end."""
    orchestrator: Any = pynenc_app.orchestrator
    pynenc_app.state_backend.store_runner_context(ONE)
    now = datetime.now(UTC)
    gone, running, refused = (
        AtomicServiceRun(runner_id=f"runner-{number}", atomic_service_run_id=f"run-{number}")
        for number in (1, 2, 3)
    )
    orchestrator.record_atomic_service_execution_start(gone, now - timedelta(seconds=3))
    orchestrator.finalize_atomic_service_execution(
        gone, now, AtomicServiceExecutionStatus.ABANDONED
    )
    orchestrator.record_atomic_service_execution_start(running, now)
    orchestrator.record_atomic_service_execution_start(refused, now)

    services = collect_facts(pynenc_app, SHORT_S).services

    told = {each.runner_id: (each.end > now, each.is_end_known, each.host) for each in services}
    assert told == {"runner-1": (False, False, ONE.hostname), "runner-2": (True, True, None)}


def test_an_orchestrator_without_any_status_is_undecided(pynenc_app: Pynenc) -> None:
    """It was purged, as tests do to begin anew; the histories are judged by all other rules."""
    succeeded(pynenc_app, retried(pynenc_app, registered(pynenc_app)))
    pynenc_app.tasks.clear()
    pynenc_app.orchestrator.purge()
    assert found(check_histories(pynenc_app)) == {("status-agrees", None): "undecided"}


def test_what_the_orchestrator_purges_by_age_is_undecided(pynenc_app: Pynenc) -> None:
    """Nobody can tell whether it was purged or lost."""
    conf: Any = pynenc_app.orchestrator.conf
    conf.auto_final_invocation_purge_hours = 0.0
    old = succeeded(pynenc_app).invocation_id
    registered(pynenc_app)
    pynenc_app.orchestrator.auto_purge()
    assert found(check_histories(pynenc_app)) == {("status-agrees", old): "undecided"}


def test_values_are_asked_of_ended_invocations_only(
    pynenc_app: Pynenc, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each costs a query, and those of others are not judged."""
    ended = succeeded(pynenc_app).invocation_id
    moved(pynenc_app, registered(pynenc_app), PENDING, RUNNING)
    asked: list[str] = []
    with_result = Lookups.with_result

    def asking(lookups: Lookups, ids: list[str]) -> set[str]:
        asked.extend(ids)
        return with_result(lookups, ids)

    monkeypatch.setattr(Lookups, "with_result", asking)
    assert (found(check_histories(pynenc_app)), asked) == ({}, [ended])
