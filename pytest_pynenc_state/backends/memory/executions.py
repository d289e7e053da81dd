"""The recorded executions of the atomic services, in the memory of one process."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from pytest_pynenc_state.backends.timestamps import from_us, to_us

if TYPE_CHECKING:
    from pytest_pynenc_state.compat import AtomicServiceExecution


class ExecutionLog:
    """One execution per run id. Nothing finished is ever changed.

    Concurrency: not locked; whoever calls holds the lock of the orchestrator.
    """

    def __init__(self) -> None:
        self._executions: dict[str, AtomicServiceExecution] = {}

    def get(self, run_id: str) -> AtomicServiceExecution | None:
        """The execution of that run; None if it is unknown."""
        return self._executions.get(run_id)

    def put(self, execution: AtomicServiceExecution) -> None:
        """Store *execution* in place of the former one of that run, with aware times."""
        end = execution.end_time
        self._executions[execution.atomic_service_run_id] = execution._replace(
            start_time=from_us(to_us(execution.start_time)),
            end_time=None if end is None else from_us(to_us(end)),
        )

    def running(self) -> list[AtomicServiceExecution]:
        """The executions that still run, newest first."""
        return _newest_first(each for each in self._executions.values() if each.is_active)

    def between(self, start: datetime, end: datetime) -> list[AtomicServiceExecution]:
        """The executions that overlap that range, newest first; both ends are inside.

        A running one overlaps only if it started inside.
        """
        start_us, end_us = to_us(start), to_us(end)
        return _newest_first(
            each
            for each in self._executions.values()
            if to_us(each.end_time or each.start_time) >= start_us
            and to_us(each.start_time) <= end_us
        )

    def drop(
        self, ended_before_us: int | None, keep_newest: int | None, protected: frozenset[str]
    ) -> int:
        """Remove what ended before a time, then what is not among the newest.

        :param keep_newest: How many finished executions stay, beside the protected ones.
        :returns: How many were removed. A running or a protected one never is.
        """
        removable = [
            each
            for each in _newest_first(self._executions.values())
            if not each.is_active and each.atomic_service_run_id not in protected
        ]
        surplus = [each for each in removable if _ended_before(each, ended_before_us)]
        if keep_newest is not None:
            young = [each for each in removable if not _ended_before(each, ended_before_us)]
            surplus += young[keep_newest:]
        for each in surplus:
            del self._executions[each.atomic_service_run_id]
        return len(surplus)


def _newest_first(executions: Iterable[AtomicServiceExecution]) -> list[AtomicServiceExecution]:
    # Reversed before the sort, which keeps the order of equal ones: of executions with
    # the same start, the one recorded last comes first.
    latest_recorded_first = list(executions)[::-1]
    return sorted(latest_recorded_first, key=lambda each: each.start_time, reverse=True)


def _ended_before(execution: AtomicServiceExecution, moment_us: int | None) -> bool:
    return (
        moment_us is not None
        and execution.end_time is not None
        and to_us(execution.end_time) < moment_us
    )
