"""The table of runners: when each appeared, when it was last heard of, what it may do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pytest_pynenc_state import compat
from pytest_pynenc_state.backends.sqlite.connection import Database, Row, text
from pytest_pynenc_state.backends.sqlite.schema import OrchestratorTables
from pytest_pynenc_state.backends.timestamps import from_us, now_us, to_us

if TYPE_CHECKING:
    from pynenc.orchestrator.atomic_service import ActiveRunnerInfo

_TABLE = OrchestratorTables.RUNNER_HEARTBEATS

# Eligibility, once granted, stays; a heartbeat that names no queues keeps those known.
_BEAT = (
    f"INSERT INTO {_TABLE} (app_id, runner_id, creation_us, last_heartbeat_us, "
    "can_run_atomic_service, consumed_queues_json) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET last_heartbeat_us = excluded.last_heartbeat_us, "
    "can_run_atomic_service = max(can_run_atomic_service, excluded.can_run_atomic_service), "
    "consumed_queues_json = coalesce(excluded.consumed_queues_json, consumed_queues_json)"
)
_ACTIVE = (
    "SELECT runner_id, creation_us, last_heartbeat_us, can_run_atomic_service, "
    f"last_service_start_us, last_service_end_us, consumed_queues_json FROM {_TABLE} "
    "WHERE app_id = ? AND last_heartbeat_us >= ? "
    "AND can_run_atomic_service = coalesce(?, can_run_atomic_service) "
    "ORDER BY creation_us, runner_id"
)
_RECORD_SERVICE = (
    f"UPDATE {_TABLE} SET last_service_start_us = ?, last_service_end_us = ? "
    "WHERE app_id = ? AND runner_id = ?"
)


class HeartbeatTable:
    """The runners of one app."""

    def __init__(self, database: Database, app_id: str) -> None:
        self._database = database
        self._app_id = app_id

    def beat(
        self,
        runner_ids: Sequence[str],
        consumed_queues: Sequence[str] | None,
        *,
        can_run_atomic_service: bool,
    ) -> None:
        """Renew the heartbeat of each runner; those that are new get one creation time."""
        beat_us = now_us()
        queues_json = None if consumed_queues is None else json.dumps(list(consumed_queues))
        rows = [
            (self._app_id, runner_id, beat_us, beat_us, can_run_atomic_service, queues_json)
            for runner_id in runner_ids
        ]
        self._database.write_all(_BEAT, rows)

    def active(
        self, heard_since_us: int, *, can_run_atomic_service: bool | None
    ) -> list[ActiveRunnerInfo]:
        """The runners heard of since then, by creation time and id."""
        keys = (self._app_id, heard_since_us, can_run_atomic_service)
        return [_runner(row) for row in self._database.read(_ACTIVE, keys)]

    def record_service(self, runner_id: str, start: datetime, end: datetime) -> None:
        """Keep when a runner last ran the atomic services."""
        self._database.write(_RECORD_SERVICE, (to_us(start), to_us(end), self._app_id, runner_id))


def _runner(row: Row) -> ActiveRunnerInfo:
    runner_id, creation_us, heartbeat_us, can_run, start_us, end_us, queues_json = row
    return compat.active_runner_info(
        text(runner_id),
        from_us(creation_us),
        from_us(heartbeat_us),
        can_run_atomic_service=bool(can_run),
        last_service=None if start_us is None else (from_us(start_us), from_us(end_us)),
        consumed_queues=json.loads(queues_json or "[]"),
    )
