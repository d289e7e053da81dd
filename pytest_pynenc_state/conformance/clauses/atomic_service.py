"""Atomic services: whose turn it is, and that at most one execution runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pytest_pynenc_state.compat import AtomicServiceExecutionStatus as Status
from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import MICROSECOND, START, at, new_context
from pytest_pynenc_state.conformance.service_runs import finished, keep, new_run, rows

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

HOUR_S = 3600.0


@clause(
    "OR-ATO-01", before="0.2.4", hint="replace the runner's window, and read it with the runner"
)
def the_last_window_of_a_runner_is_shown(pynenc_orchestrator: BaseOrchestrator) -> None:
    """A runner is shown with the window of the last execution that was recorded of it."""
    pynenc_orchestrator.register_runner_heartbeats(["one", "other"])
    # What newer versions have no more is called as untyped.
    record: Any = pynenc_orchestrator.record_atomic_service_execution  # type: ignore[attr-defined]
    for number in range(2):
        record("one", START + number * MICROSECOND, START + (number + 5) * MICROSECOND)
    one, other = pynenc_orchestrator._get_active_runners(HOUR_S, None)
    windows: list[Any] = [(*each[-2:],) for each in (one, other)]
    assert one._fields[-2:] == ("last_service_start", "last_service_end")
    assert windows == [(at(1), at(6)), (None, None)]


@clause(
    "OR-ATO-02", before="0.2.4", hint="it registers a heartbeat with can_run_atomic_service=True"
)
def a_runner_alone_may_always_serve(pynenc_orchestrator: BaseOrchestrator) -> None:
    """The only runner that may run atomic services is admitted whenever it asks."""
    pynenc_orchestrator.register_runner_heartbeats(["not able"])
    ask: Any = pynenc_orchestrator.should_run_atomic_service  # type: ignore[attr-defined]
    assert ask(new_context("only"))
    able = pynenc_orchestrator.get_active_runners(can_run_atomic_service=True)
    assert [runner.runner_id for runner in able] == ["only"]


@clause("OR-ATO-03", since="0.2.4", hint="insert a RUNNING row with the given start, and no end")
def a_started_execution_is_active(pynenc_orchestrator: BaseOrchestrator) -> None:
    """A start is admitted where nothing runs, and the record says who runs since when."""
    assert pynenc_orchestrator.get_active_atomic_service_executions() == []
    run = new_run("run", "one")
    assert pynenc_orchestrator.record_atomic_service_execution_start(run, at(0)) is True
    (active,) = pynenc_orchestrator.get_active_atomic_service_executions()
    assert (active.atomic_service_run_id, active.runner_id) == ("run", "one")
    assert (active.start_time, active.end_time, active.status) == (at(0), None, Status.RUNNING)


@clause(
    "OR-ATO-04", since="0.2.4", hint="insert a BLOCKED row that ends when it starts, return False"
)
def a_second_execution_is_refused_and_recorded(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """While one runs, another is refused, and recorded as BLOCKED by it, lasting no time."""
    keep(pynenc_app)
    pynenc_orchestrator.record_atomic_service_execution_start(new_run("first", "one"), at(0))
    second = new_run("second")
    assert pynenc_orchestrator.record_atomic_service_execution_start(second, at(1)) is False
    assert rows(pynenc_orchestrator) == [
        ("second", at(1), at(1), Status.BLOCKED),
        ("first", at(0), None, Status.RUNNING),
    ]
    blocked, _ = pynenc_orchestrator.get_atomic_service_executions_in_timerange(at(0), at(9))
    assert "first" in blocked.reason


@clause("OR-ATO-05", since="0.2.4", hint="look whether the run that is in the way is this one")
def the_execution_that_runs_may_be_started_again(pynenc_orchestrator: BaseOrchestrator) -> None:
    """A repeated start of the run that is running is admitted, and leaves its record alone."""
    run = new_run("run")
    pynenc_orchestrator.record_atomic_service_execution_start(run, at(0))
    assert pynenc_orchestrator.record_atomic_service_execution_start(run, at(5)) is True
    assert rows(pynenc_orchestrator) == [("run", at(0), None, Status.RUNNING)]


@clause("OR-ATO-06", since="0.2.4", hint="only RUNNING rows are in the way")
def the_next_execution_starts_when_the_former_has_ended(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """When an execution has ended, the next one is admitted."""
    keep(pynenc_app)
    finished(pynenc_orchestrator, "first", 0, 1)
    second = new_run("second")
    assert pynenc_orchestrator.record_atomic_service_execution_start(second, at(2)) is True
    assert rows(pynenc_orchestrator) == [
        ("second", at(2), None, Status.RUNNING),
        ("first", at(0), at(1), Status.COMPLETED),
    ]


@clause("OR-ATO-07", since="0.2.4", hint="write the start into run.started_at, given or not")
def the_run_is_told_its_start(pynenc_orchestrator: BaseOrchestrator) -> None:
    """A run is told the start that was recorded: the given one, or the instant of admission."""
    before, run = datetime.now(UTC), new_run()
    pynenc_orchestrator.record_atomic_service_execution_start(run, None)
    (active,) = pynenc_orchestrator.get_active_atomic_service_executions()
    assert run.started_at == active.start_time
    assert before <= active.start_time <= datetime.now(UTC)
    pynenc_orchestrator.finalize_atomic_service_execution(run, active.start_time, Status.COMPLETED)
    later = new_run()
    pynenc_orchestrator.record_atomic_service_execution_start(later, at(7))
    assert later.started_at == at(7)


@clause(
    "OR-ATO-08", since="0.2.4", hint="store the given status and reason; BLOCKED ends at its start"
)
def an_attempt_that_is_blocked_is_no_start(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """What is recorded as BLOCKED from the beginning may not work, and keeps its reason."""
    keep(pynenc_app)
    may_work = pynenc_orchestrator.record_atomic_service_execution_start(
        new_run("run"), at(0), Status.BLOCKED, "too late"
    )
    assert may_work is False
    (found,) = pynenc_orchestrator.get_atomic_service_executions_in_timerange(at(0), at(0))
    assert found.reason == "too late"
    assert rows(pynenc_orchestrator) == [("run", at(0), at(0), Status.BLOCKED)]
    assert pynenc_orchestrator.get_active_atomic_service_executions() == []


@clause("OR-ATO-09", since="0.2.4", hint="end only a row that is RUNNING")
def the_first_end_stands(pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator) -> None:
    """Of several ends of one execution, the first stands, with its time, status and reason."""
    keep(pynenc_app)
    run = new_run("run")
    pynenc_orchestrator.record_atomic_service_execution_start(run, at(0))
    pynenc_orchestrator.finalize_atomic_service_execution(run, at(3), Status.COMPLETED, "fine")
    pynenc_orchestrator.finalize_atomic_service_execution(run, at(9), Status.ABANDONED, "reaped")
    (found,) = pynenc_orchestrator.get_atomic_service_executions_in_timerange(at(0), at(9))
    assert (found.end_time, found.status, found.reason) == (at(3), Status.COMPLETED, "fine")
    assert pynenc_orchestrator.get_active_atomic_service_executions() == []


@clause("OR-ATO-10", since="0.2.4", hint="an end that updates no row inserts one")
def an_end_without_a_start_is_recorded(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """An execution whose start was never written appears when it ends, lasting no time."""
    keep(pynenc_app)
    run = new_run("run")
    pynenc_orchestrator.finalize_atomic_service_execution(run, at(3), Status.ABANDONED)
    assert rows(pynenc_orchestrator) == [("run", at(3), at(3), Status.ABANDONED)]


@clause(
    "OR-ATO-11", since="0.2.4", hint="try_claim_atomic_service_run: heartbeat, turn, then start"
)
def a_runner_alone_claims_a_run(pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator) -> None:
    """The only able runner gets a run when it asks, which is then active, and no second one."""
    keep(pynenc_app)
    # By these, it is its turn at every instant.
    pynenc_app.conf.atomic_service_max_start_slot_fraction = 1.0
    pynenc_app.conf.atomic_service_membership_stabilization_minutes = 0.0
    pynenc_orchestrator.register_runner_heartbeats(["not able"])
    run = pynenc_orchestrator.try_claim_atomic_service_run(new_context("only"))
    assert run is not None
    assert (run.runner_id, run.started_at is None) == ("only", False)
    (active,) = pynenc_orchestrator.get_active_atomic_service_executions()
    found = (active.atomic_service_run_id, active.runner_id, active.start_time)
    assert found == (run.atomic_service_run_id, "only", run.started_at)
    assert pynenc_orchestrator.try_claim_atomic_service_run(new_context("only")) is None
