"""When each runner appeared and was last heard of, in the memory of one process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pytest_pynenc_state import compat
from pytest_pynenc_state.backends.timestamps import from_us, now_us, to_us

if TYPE_CHECKING:
    from pynenc.orchestrator.atomic_service import ActiveRunnerInfo


@dataclass(slots=True)
class _Heartbeats:
    """What is known of one runner."""

    creation_us: int
    last_us: int
    can_run_atomic_service: bool
    consumed_queues: tuple[str, ...]


class HeartbeatTable:
    """The runners of an app.

    Concurrency: not locked; whoever calls holds the lock of the orchestrator.
    """

    def __init__(self) -> None:
        self._runners: dict[str, _Heartbeats] = {}
        self._service_windows: dict[str, tuple[datetime, datetime]] = {}

    def beat(
        self,
        runner_ids: Iterable[str],
        consumed_queues: Sequence[str] | None,
        *,
        can_run_atomic_service: bool,
    ) -> None:
        """Note that runners are alive now; those that are new get one creation time."""
        beat_us = now_us()
        for runner_id in runner_ids:
            runner = self._runners.get(runner_id)
            if runner is None:
                runner = _Heartbeats(beat_us, beat_us, can_run_atomic_service, ())
                self._runners[runner_id] = runner
            runner.last_us = beat_us
            runner.can_run_atomic_service |= can_run_atomic_service
            if consumed_queues is not None:
                runner.consumed_queues = tuple(consumed_queues)

    def record_service(self, runner_id: str, start: datetime, end: datetime) -> None:
        """Keep when a runner last executed the atomic services, if it ever had a heartbeat."""
        if runner_id in self._runners:
            self._service_windows[runner_id] = (from_us(to_us(start)), from_us(to_us(end)))

    def alive_since(self, oldest_us: int) -> list[str]:
        """The runners with a heartbeat at that time or later, by creation time and id."""
        alive = sorted(
            (runner.creation_us, runner_id)
            for runner_id, runner in self._runners.items()
            if runner.last_us >= oldest_us
        )
        return [runner_id for _, runner_id in alive]

    def active_since(
        self, oldest_us: int, *, can_run_atomic_service: bool | None
    ) -> list[ActiveRunnerInfo]:
        """What is known of those runners; None means eligible and not eligible ones."""
        return [
            self._describe(runner_id)
            for runner_id in self.alive_since(oldest_us)
            if can_run_atomic_service in (None, self._runners[runner_id].can_run_atomic_service)
        ]

    def _describe(self, runner_id: str) -> ActiveRunnerInfo:
        runner = self._runners[runner_id]
        return compat.active_runner_info(
            runner_id,
            from_us(runner.creation_us),
            from_us(runner.last_us),
            can_run_atomic_service=runner.can_run_atomic_service,
            last_service=self._service_windows.get(runner_id),
            consumed_queues=runner.consumed_queues,
        )
