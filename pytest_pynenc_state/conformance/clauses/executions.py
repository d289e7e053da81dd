"""The records of atomic services: which of them are found, and which a purge takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from unittest.mock import patch

from pytest_pynenc_state.compat import AtomicServiceExecutionStatus as Status
from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import MICROSECOND, at
from pytest_pynenc_state.conformance.service_runs import finished, keep, new_run, runs_in

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator


@clause("OR-ATO-12", since="0.2.4", hint="order by the instant of the start, descending")
def executions_come_newest_first(pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator) -> None:
    """Executions come in the order of their starts, the newest first."""
    keep(pynenc_app)
    for start in (2, 0, 3, 1):
        finished(pynenc_orchestrator, f"at {start}", start, start + 10)
    assert runs_in(pynenc_orchestrator) == ["at 3", "at 2", "at 1", "at 0"]


@clause("OR-ATO-13", since="0.2.4", hint="end >= start of the range, and start <= end of the range")
def a_range_finds_what_overlaps_it(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """A range finds the executions that overlap it, its ends and theirs included."""
    keep(pynenc_app)
    finished(pynenc_orchestrator, "run", 9, 20)
    inside = ((0, 9), (0, 10), (12, 15), (0, 30), (20, 20), (20, 30))
    outside = ((0, 8), (21, 30))
    for start, end in (*inside, *outside):
        expected = ["run"] if (start, end) in inside else []
        found = runs_in(pynenc_orchestrator, start, end)
        assert (start, end, found) == (start, end, expected)


@clause("OR-ATO-14", since="0.2.4", hint="compare instants, not their texts")
def a_range_in_another_utc_offset_is_the_same_range(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """A range finds the same executions, whatever UTC offset its ends are given in."""
    keep(pynenc_app)
    for start in range(4):
        finished(pynenc_orchestrator, f"at {start}", start, start)
    for hours in (-7, 0, 9):
        zone = timezone(timedelta(hours=hours))
        found = pynenc_orchestrator.get_atomic_service_executions_in_timerange(
            at(1).astimezone(zone), at(2).astimezone(zone)
        )
        ids = [each.atomic_service_run_id for each in found]
        assert (hours, ids) == (hours, ["at 2", "at 1"])


@clause("OR-ATO-15", since="0.2.4", hint="limit after ordering; 0 and less give nothing")
def a_limit_keeps_the_newest(pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator) -> None:
    """A limit keeps the newest executions, and one below 1 keeps none."""
    keep(pynenc_app)
    for start in range(3):
        finished(pynenc_orchestrator, f"at {start}", start, start)
    for limit, expected in ((2, ["at 2", "at 1"]), (1, ["at 2"]), (0, []), (-1, [])):
        found = runs_in(pynenc_orchestrator, limit=limit)
        assert (limit, found) == (limit, expected)


@clause("OR-ATO-16", since="0.2.4", hint="filter by the exact runner id before the limit counts")
def executions_are_filtered_by_runner(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Executions are filtered by the runner that had them, before the limit counts."""
    keep(pynenc_app)
    finished(pynenc_orchestrator, "wanted", 0, 1, "a_b")
    for start in (1, 2):
        finished(pynenc_orchestrator, f"other {start}", start, start, "a-b")
    assert runs_in(pynenc_orchestrator, runner_id="a_b", limit=1) == ["wanted"]


@clause("OR-ATO-17", since="0.2.4", hint="compute with whole microseconds, not with floats of days")
def a_least_duration_is_exact(pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator) -> None:
    """An execution of exactly the least duration is found, one microsecond less is not."""
    keep(pynenc_app)
    durations_us = (1, 400, 1_000_000, 86_400_000_000)
    for each in durations_us:
        finished(pynenc_orchestrator, f"exactly {each}", 0, each)
        finished(pynenc_orchestrator, f"less than {each}", 0, each - 1)
    for each in durations_us:
        least_s = each * MICROSECOND.total_seconds()
        found = set(runs_in(pynenc_orchestrator, min_duration_seconds=least_s))
        own = {f"exactly {each}", f"less than {each}"}
        assert (each, found & own) == (each, {f"exactly {each}"})


@clause("OR-ATO-18", since="0.2.4", hint="an execution that runs has no end: ask for its start")
def an_execution_that_runs_is_found_by_its_start(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """An execution that runs is found by a range that holds its start."""
    keep(pynenc_app)
    pynenc_orchestrator.record_atomic_service_execution_start(new_run("running"), at(5))
    assert runs_in(pynenc_orchestrator, 0, 9) == ["running"]
    assert runs_in(pynenc_orchestrator, 0, 4) == []


@clause(
    "OR-ATO-19", since="0.2.4", hint="the age counts from the end; return how many were removed"
)
def a_purge_by_age_takes_what_ended_long_ago(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """A purge removes what ended longer ago than configured, and tells how many there were."""
    keep(pynenc_app)
    now = datetime.now(UTC)
    for run_id, end in (("old", at(2)), ("ten minutes", now - timedelta(minutes=10)), ("new", now)):
        run = new_run(run_id)
        pynenc_orchestrator.record_atomic_service_execution_start(run, at(1))
        pynenc_orchestrator.finalize_atomic_service_execution(run, end, Status.COMPLETED)
    keep(pynenc_app, minutes=5.0)
    removed = pynenc_orchestrator.purge_atomic_service_executions()
    assert (removed, runs_in(pynenc_orchestrator)) == (2, ["new"])
    assert pynenc_orchestrator.purge_atomic_service_executions() == 0


@clause("OR-ATO-20", since="0.2.4", hint="order by the start, and keep the newest so many")
def a_purge_by_number_keeps_the_newest(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """A purge removes the oldest starts, as many as there are more than configured."""
    keep(pynenc_app)
    for start in (3, 0, 2, 1):
        finished(pynenc_orchestrator, f"at {start}", start, start)
    keep(pynenc_app, records=2)
    removed = pynenc_orchestrator.purge_atomic_service_executions()
    assert (removed, runs_in(pynenc_orchestrator)) == (2, ["at 3", "at 2"])


@clause("OR-ATO-21", since="0.2.4", hint="only rows that have ended may go, also by number")
def no_purge_takes_what_runs(pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator) -> None:
    """An execution that runs stays through any purge, and so keeps others from starting."""
    keep(pynenc_app)
    for start in range(1, 4):
        finished(pynenc_orchestrator, f"at {start}", start, start)
    pynenc_orchestrator.record_atomic_service_execution_start(new_run("live"), at(0))
    for limits in ({"records": 1}, {"minutes": 1e-9}):
        keep(pynenc_app, **limits)
        pynenc_orchestrator.purge_atomic_service_executions()
        active = pynenc_orchestrator.get_active_atomic_service_executions()
        ids = [each.atomic_service_run_id for each in active]
        assert (limits, ids) == (limits, ["live"])


@clause("OR-ATO-22", since="0.2.4", hint="ask trigger.get_referenced_atomic_service_run_ids()")
def no_purge_takes_what_the_trigger_refers_to(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """An execution that the app's trigger refers to stays, however old it is."""
    keep(pynenc_app)
    for start in range(4):
        finished(pynenc_orchestrator, f"at {start}", start, start)
    referenced = patch.object(
        pynenc_app.trigger, "get_referenced_atomic_service_run_ids", lambda: {"at 0", "at 2"}
    )
    with referenced:
        keep(pynenc_app, minutes=1e-9)
        pynenc_orchestrator.purge_atomic_service_executions()
    assert runs_in(pynenc_orchestrator) == ["at 2", "at 0"]
