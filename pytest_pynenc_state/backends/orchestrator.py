"""What our orchestrators have in common: the retention of atomic-service executions."""

from __future__ import annotations

from abc import abstractmethod
from datetime import UTC, datetime, timedelta
from typing import Any

from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

from pytest_pynenc_state import compat
from pytest_pynenc_state.backends.timestamps import to_us


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

        Concurrency: atomic between threads and processes.
        """
        retention_minutes, max_records = compat.execution_limits(self.app)
        ended_before_us = None
        if retention_minutes > 0:
            ended_before_us = to_us(datetime.now(UTC) - timedelta(minutes=retention_minutes))
        return self._drop_executions(
            ended_before_us,
            max_records if max_records > 0 else None,
            compat.referenced_run_ids(self.app),
        )

    def _started(self, run: Any, started_at: datetime | None) -> datetime:
        """Stamp *run* with its start: *started_at*, or the instant of admission."""
        run.started_at = started_at or datetime.now(UTC)
        moment: datetime = run.started_at
        return moment


def blocked_reason(reason: str, prior_run_id: str, prior_runner_id: str) -> str:
    """Why an attempt was refused: the caller's words, or which run was in its way."""
    return reason or f"prior_running:{prior_run_id} runner:{prior_runner_id}"
