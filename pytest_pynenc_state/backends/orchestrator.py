"""What our orchestrators have in common: the retention of atomic-service executions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

from pytest_pynenc_state import compat
from pytest_pynenc_state.backends.timestamps import us_ago

_Key = TypeVar("_Key")

_SECONDS_PER_MINUTE = 60


class PytestOrchestrator(BaseOrchestrator):
    """Base of this package's orchestrators."""

    @abstractmethod
    def _drop_executions(
        self, ended_before_us: int | None, keep_newest: int | None, protected: frozenset[str]
    ) -> int:
        """Remove finished executions by age, then by number; return how many were removed.

        Protected ones stay, and do not count.
        """

    def purge_atomic_service_executions(self) -> int:
        """Remove old and surplus atomic-service executions, as the app's limits say.

        :returns: How many were removed. A running execution, and one that the app's
            trigger refers to, always stays.

        Concurrency: safe between threads and processes; none is removed twice.
        """
        retention_minutes, max_records = compat.execution_limits(self.app)
        ended_before_us = None
        if retention_minutes > 0:
            ended_before_us = us_ago(retention_minutes * _SECONDS_PER_MINUTE)
        return self._drop_executions(
            ended_before_us,
            max_records if max_records > 0 else None,
            compat.referenced_run_ids(self.app),
        )


def stamped(run: Any, started_at: datetime | None) -> datetime:
    """Stamp *run* with its start: *started_at*, or now."""
    run.started_at = started_at or datetime.now(UTC)
    moment: datetime = run.started_at
    return moment


def blocked_reason(reason: str, prior_run_id: str, prior_runner_id: str) -> str:
    """Why an attempt was refused: the caller's words, or which run was in its way."""
    return reason or f"prior_running:{prior_run_id} runner:{prior_runner_id}"


def surplus_executions(
    finished: Iterable[tuple[_Key, str, int]],
    ended_before_us: int | None,
    keep_newest: int | None,
    protected: frozenset[str],
) -> list[_Key]:
    """The keys of what may go of *finished*: what is too old, then what is too much.

    :param finished: Key, run id and end of each finished execution, oldest start first.
    """
    old: list[_Key] = []
    recent: list[_Key] = []
    for key, run_id, end_us in finished:
        if run_id in protected:
            continue
        is_old = ended_before_us is not None and end_us < ended_before_us
        (old if is_old else recent).append(key)
    excess = len(recent) - keep_newest if keep_newest is not None else 0
    return old + recent[: max(excess, 0)]
