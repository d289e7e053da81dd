"""Executions of atomic services: how clauses record them, and how they look at the records."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pytest_pynenc_state.compat import AtomicServiceExecutionStatus, AtomicServiceRun
from pytest_pynenc_state.conformance.making import at, unique_id

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

#: (run id, start, end, status): what is compared of an execution.
Row = tuple[str, datetime, datetime | None, AtomicServiceExecutionStatus]

# More minutes than have passed since the first recorded instant, and more than any clause records.
_ALL_MINUTES = 1e7
_ALL_RECORDS = 1_000_000

_DISTANT_US = 10**12


def keep(app: Pynenc, *, minutes: float = _ALL_MINUTES, records: int = _ALL_RECORDS) -> None:
    """Have *app* keep finished executions for so long, and so many; all unless it is said."""
    app.conf.atomic_service_execution_retention_minutes = minutes
    app.conf.atomic_service_execution_max_records = records


def new_run(run_id: str | None = None, runner_id: str = "runner") -> AtomicServiceRun:
    """Build the identity of one execution."""
    return AtomicServiceRun(runner_id=runner_id, atomic_service_run_id=run_id or unique_id("run"))


def finished(
    orchestrator: BaseOrchestrator, run_id: str, start: int, end: int, runner_id: str = "runner"
) -> None:
    """Record an execution that started and ended so many microseconds after `START`."""
    run = new_run(run_id, runner_id)
    orchestrator.record_atomic_service_execution_start(run, at(start))
    orchestrator.finalize_atomic_service_execution(
        run, at(end), AtomicServiceExecutionStatus.COMPLETED
    )


def runs_in(
    orchestrator: BaseOrchestrator,
    start: int = -_DISTANT_US,
    end: int = _DISTANT_US,
    **filters: Any,
) -> list[str]:
    """The ids of the runs in a range of microseconds after `START`, as the store orders them."""
    found = orchestrator.get_atomic_service_executions_in_timerange(at(start), at(end), **filters)
    return [execution.atomic_service_run_id for execution in found]


def rows(orchestrator: BaseOrchestrator) -> list[Row]:
    """All executions that were recorded around `START`, newest start first."""
    found = orchestrator.get_atomic_service_executions_in_timerange(
        at(-_DISTANT_US), at(_DISTANT_US)
    )
    return [
        (each.atomic_service_run_id, each.start_time, each.end_time, each.status) for each in found
    ]
