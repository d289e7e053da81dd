"""Atomic services: at most one execution runs, and what is recorded of it stays true."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from pytest_pynenc_state.compat import AtomicServiceExecutionStatus as Status
from pytest_pynenc_state.compat import AtomicServiceRun
from pytest_pynenc_state.conformance.making import MICROSECOND, at, unique_id

if TYPE_CHECKING:
    from pynenc.app import Pynenc

    from pytest_pynenc_state.backends.orchestrator import PytestOrchestrator

#: (run id, start, end, status): what is compared of an execution.
Row = tuple[str, datetime, "datetime | None", Status]


@pytest.fixture
def orchestrator(pynenc_app: Pynenc) -> PytestOrchestrator:
    """The orchestrator, which keeps every execution unless a test says otherwise."""
    _keep(pynenc_app, minutes=0.0, records=0)
    found: Any = pynenc_app.orchestrator
    return found


def _keep(app: Pynenc, *, minutes: float, records: int) -> None:
    conf: Any = app.conf
    conf.atomic_service_execution_retention_minutes = minutes
    conf.atomic_service_execution_max_records = records


def _run(run_id: str | None = None, runner_id: str = "runner") -> AtomicServiceRun:
    return AtomicServiceRun(runner_id=runner_id, atomic_service_run_id=run_id or unique_id("run"))


def _finished(
    orchestrator: PytestOrchestrator, run_id: str, start: int, end: int, **fields: str
) -> None:
    run = _run(run_id, **fields)
    orchestrator.record_atomic_service_execution_start(run, at(start))
    orchestrator.finalize_atomic_service_execution(run, at(end), Status.COMPLETED)


def _in_range(
    orchestrator: PytestOrchestrator, start: int = -(10**9), end: int = 10**9, **filters: Any
) -> list[str]:
    found = orchestrator.get_atomic_service_executions_in_timerange(at(start), at(end), **filters)
    return [execution.atomic_service_run_id for execution in found]


def _rows(orchestrator: PytestOrchestrator) -> list[Row]:
    found = orchestrator.get_atomic_service_executions_in_timerange(at(-(10**9)), at(10**9))
    return [
        (each.atomic_service_run_id, each.start_time, each.end_time, each.status) for each in found
    ]


def test_a_started_execution_is_active(orchestrator: PytestOrchestrator) -> None:
    """The start is admitted, and the record says who runs since when."""
    is_admitted = orchestrator.record_atomic_service_execution_start(_run("run"), at(0))
    (active,) = orchestrator.get_active_atomic_service_executions()
    seen = (active.atomic_service_run_id, active.runner_id, active.start_time, active.end_time)
    assert (is_admitted, seen, active.status) == (
        True,
        ("run", "runner", at(0), None),
        Status.RUNNING,
    )


def test_a_second_execution_is_refused_and_recorded(orchestrator: PytestOrchestrator) -> None:
    """While one runs, another is blocked: it lasts no time, and its reason names the first."""
    orchestrator.record_atomic_service_execution_start(_run("first", "one"), at(0))
    is_admitted = orchestrator.record_atomic_service_execution_start(_run("second"), at(1))
    blocked, running = orchestrator.get_atomic_service_executions_in_timerange(at(0), at(9))
    rows = _rows(orchestrator)
    assert (is_admitted, rows[0], running.atomic_service_run_id, "first" in blocked.reason) == (
        False,
        ("second", at(1), at(1), Status.BLOCKED),
        "first",
        True,
    )


def test_the_execution_that_runs_may_be_started_again(orchestrator: PytestOrchestrator) -> None:
    """A repeated start of the same run is admitted, and leaves its record as it was."""
    run = _run("run")
    orchestrator.record_atomic_service_execution_start(run, at(0))
    is_admitted = orchestrator.record_atomic_service_execution_start(run, at(5))
    assert (is_admitted, _rows(orchestrator)) == (True, [("run", at(0), None, Status.RUNNING)])


def test_an_execution_that_has_ended_does_not_start_again(
    orchestrator: PytestOrchestrator,
) -> None:
    """What has run stays as it was recorded, and its id may not work once more."""
    _finished(orchestrator, "run", 0, 1)
    is_admitted = orchestrator.record_atomic_service_execution_start(_run("run"), at(5))
    assert (is_admitted, _rows(orchestrator)) == (False, [("run", at(0), at(1), Status.COMPLETED)])


def test_the_next_execution_starts_when_the_former_has_ended(
    orchestrator: PytestOrchestrator,
) -> None:
    """An end makes room for whoever comes next."""
    _finished(orchestrator, "first", 0, 1)
    is_admitted = orchestrator.record_atomic_service_execution_start(_run("second"), at(2))
    assert (is_admitted, _in_range(orchestrator)) == (True, ["second", "first"])


def test_the_store_stamps_a_start_that_the_caller_did_not(
    orchestrator: PytestOrchestrator,
) -> None:
    """Without a start, the instant of admission is recorded, and told to the run."""
    run, before = _run(), datetime.now(UTC)
    orchestrator.record_atomic_service_execution_start(run, None)
    (active,) = orchestrator.get_active_atomic_service_executions()
    is_now = before <= active.start_time <= datetime.now(UTC)
    assert (run.started_at, is_now) == (active.start_time, True)


def test_a_given_start_is_told_to_the_run(orchestrator: PytestOrchestrator) -> None:
    """The run knows the start that was recorded."""
    run = _run()
    orchestrator.record_atomic_service_execution_start(run, at(7))
    assert run.started_at == at(7)


def test_an_attempt_that_is_blocked_from_the_beginning_is_recorded(
    orchestrator: PytestOrchestrator,
) -> None:
    """A BLOCKED record is no start: it may not work, and keeps its reason."""
    may_work = orchestrator.record_atomic_service_execution_start(
        _run("run"), at(0), Status.BLOCKED, "too late"
    )
    (found,) = orchestrator.get_atomic_service_executions_in_timerange(at(0), at(0))
    assert (may_work, found.reason, _rows(orchestrator)) == (
        False,
        "too late",
        [("run", at(0), at(0), Status.BLOCKED)],
    )


def test_the_first_end_stands(orchestrator: PytestOrchestrator) -> None:
    """Whoever ends an execution second, a reaper for one, changes nothing."""
    run = _run("run")
    orchestrator.record_atomic_service_execution_start(run, at(0))
    orchestrator.finalize_atomic_service_execution(run, at(3), Status.COMPLETED, "fine")
    orchestrator.finalize_atomic_service_execution(run, at(9), Status.ABANDONED, "reaped")
    (found,) = orchestrator.get_atomic_service_executions_in_timerange(at(0), at(9))
    assert (found.end_time, found.status, found.reason) == (at(3), Status.COMPLETED, "fine")


def test_an_end_without_a_start_is_recorded(orchestrator: PytestOrchestrator) -> None:
    """An execution whose start was never written appears, lasting no time."""
    orchestrator.finalize_atomic_service_execution(_run("run"), at(3), Status.ABANDONED)
    assert _rows(orchestrator) == [("run", at(3), at(3), Status.ABANDONED)]


def test_executions_come_newest_first(orchestrator: PytestOrchestrator) -> None:
    """The order is that of the starts, whatever the order of recording was."""
    for start in (2, 0, 3, 1):
        _finished(orchestrator, f"at {start}", start, start + 10)
    assert _in_range(orchestrator) == ["at 3", "at 2", "at 1", "at 0"]


@pytest.mark.parametrize(
    ("start", "end", "is_found"),
    [
        (0, 9, True),
        (20, 30, True),
        (20, 20, True),
        (12, 15, True),
        (0, 10, True),
        (0, 8, False),
        (21, 30, False),
        (30, 0, False),
    ],
)
def test_a_range_finds_what_overlaps_it(
    orchestrator: PytestOrchestrator,
    start: int,
    end: int,
    is_found: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Both ends of the range, and both ends of the execution, are included."""
    _finished(orchestrator, "run", 9, 20)
    assert _in_range(orchestrator, start, end) == (["run"] if is_found else [])


def test_a_range_in_another_utc_offset_is_the_same_range(
    orchestrator: PytestOrchestrator,
) -> None:
    """Instants are compared, not their texts."""
    for start in range(4):
        _finished(orchestrator, f"at {start}", start, start)
    elsewhere = timezone(timedelta(hours=-7))
    found = orchestrator.get_atomic_service_executions_in_timerange(
        at(1).astimezone(elsewhere), at(2).astimezone(elsewhere)
    )
    assert [each.atomic_service_run_id for each in found] == ["at 2", "at 1"]


@pytest.mark.parametrize(("limit", "expected"), [(2, ["at 2", "at 1"]), (0, []), (-1, [])])
def test_a_limit_keeps_the_newest(
    orchestrator: PytestOrchestrator, limit: int, expected: list[str]
) -> None:
    """A limit below 1 asks for nothing."""
    for start in range(3):
        _finished(orchestrator, f"at {start}", start, start)
    assert _in_range(orchestrator, limit=limit) == expected


def test_executions_are_filtered_by_runner(orchestrator: PytestOrchestrator) -> None:
    """A runner id matches exactly, before the limit counts."""
    _finished(orchestrator, "wanted", 0, 1, runner_id="a_b")
    for start in (1, 2):
        _finished(orchestrator, f"other {start}", start, start, runner_id="a-b")
    assert _in_range(orchestrator, runner_id="a_b", limit=1) == ["wanted"]


@pytest.mark.parametrize("duration_us", [1, 400, 1_000_000, 86_400_000_000])
def test_a_least_duration_is_included_to_the_microsecond(
    orchestrator: PytestOrchestrator, duration_us: int
) -> None:
    """An execution of exactly the least duration counts, a microsecond less does not."""
    _finished(orchestrator, "exact", 0, duration_us)
    _finished(orchestrator, "shorter", 0, duration_us - 1)
    least_s = duration_us * MICROSECOND.total_seconds()
    found = _in_range(orchestrator, end=10**12, min_duration_seconds=least_s)
    assert found == ["exact"]


def test_a_purge_by_age_takes_what_ended_long_ago(
    pynenc_app: Pynenc, orchestrator: PytestOrchestrator
) -> None:
    """The time since the end counts; the number of what went is returned."""
    now = datetime.now(UTC)
    for run_id, minutes in (("old", 6), ("older", 60), ("young", 4)):
        end = now - timedelta(minutes=minutes)
        orchestrator.finalize_atomic_service_execution(_run(run_id), end, Status.COMPLETED)
    _keep(pynenc_app, minutes=5.0, records=0)
    removed = orchestrator.purge_atomic_service_executions()
    left = orchestrator.get_atomic_service_executions_in_timerange(at(0), now)
    assert (removed, [each.atomic_service_run_id for each in left]) == (2, ["young"])


def test_a_purge_by_number_keeps_the_newest(
    pynenc_app: Pynenc, orchestrator: PytestOrchestrator
) -> None:
    """The oldest starts go, as many as there are too many."""
    for start in (3, 0, 2, 1):
        _finished(orchestrator, f"at {start}", start, start)
    _keep(pynenc_app, minutes=0.0, records=2)
    removed = orchestrator.purge_atomic_service_executions()
    assert (removed, _in_range(orchestrator)) == (2, ["at 3", "at 2"])


def test_no_purge_takes_what_runs(pynenc_app: Pynenc, orchestrator: PytestOrchestrator) -> None:
    """Without its record, the next start would be admitted beside a live execution."""
    orchestrator.record_atomic_service_execution_start(_run("live"), at(0))
    for start in range(1, 4):
        orchestrator.finalize_atomic_service_execution(
            _run(f"at {start}"), at(start), Status.COMPLETED
        )
    _keep(pynenc_app, minutes=1e-9, records=1)
    removed = orchestrator.purge_atomic_service_executions()
    assert (removed, _in_range(orchestrator)) == (3, ["live"])


def test_no_purge_takes_what_the_trigger_refers_to(
    pynenc_app: Pynenc, orchestrator: PytestOrchestrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A referenced execution stays, however old it is and however many there are."""
    for start in range(4):
        _finished(orchestrator, f"at {start}", start, start)
    monkeypatch.setattr(
        pynenc_app.trigger,
        "get_referenced_atomic_service_run_ids",
        lambda: {"at 0", "at 2"},
        raising=False,  # older triggers refer to nothing
    )
    _keep(pynenc_app, minutes=1e-9, records=1)
    orchestrator.purge_atomic_service_executions()
    assert _in_range(orchestrator) == ["at 2", "at 0"]


def test_ending_an_execution_also_purges(
    pynenc_app: Pynenc, orchestrator: PytestOrchestrator
) -> None:
    """The records of a program that never calls the purge do not grow for ever."""
    _keep(pynenc_app, minutes=0.0, records=2)
    for start in range(4):
        _finished(orchestrator, f"at {start}", start, start)
    assert _in_range(orchestrator) == ["at 3", "at 2"]
