"""The collection of runners: when each appeared, when it was last heard of, what it may do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pytest_pynenc_state import compat
from pytest_pynenc_state.backends.mongo.connection import Database, Document
from pytest_pynenc_state.backends.mongo.documents import Documents
from pytest_pynenc_state.backends.mongo.schema import OrchestratorCollections, key
from pytest_pynenc_state.backends.timestamps import from_us, now_us, to_us

if TYPE_CHECKING:
    from pynenc.orchestrator.atomic_service import ActiveRunnerInfo

_BY_AGE = (("creation_us", 1), ("runner_id", 1))


class HeartbeatDocuments:
    """The runners of one app."""

    def __init__(self, database: Database, app_id: str) -> None:
        self._documents = Documents(database, OrchestratorCollections.RUNNER_HEARTBEATS)
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
        changed: Document = {}
        initial: Document = {"app_id": self._app_id, "creation_us": beat_us, "service_us": None}
        # Eligibility, once granted, stays; a heartbeat that names no queues keeps those known.
        (changed if can_run_atomic_service else initial)["can_run"] = can_run_atomic_service
        named = consumed_queues is not None
        (changed if named else initial)["consumed_queues"] = list(consumed_queues or ())
        for runner_id in runner_ids:
            change = {
                "$max": {"last_heartbeat_us": beat_us},
                "$set": {**changed, "runner_id": runner_id},
                "$setOnInsert": initial,
            }
            self._documents.upsert(self._key(runner_id), change)

    def active(
        self, heard_since_us: int, *, can_run_atomic_service: bool | None
    ) -> list[ActiveRunnerInfo]:
        """The runners heard of since then, by creation time and id."""
        wanted: Document = {"app_id": self._app_id, "last_heartbeat_us": {"$gte": heard_since_us}}
        if can_run_atomic_service is not None:
            wanted["can_run"] = can_run_atomic_service
        return [_runner(document) for document in self._documents.find(wanted, order=_BY_AGE)]

    def record_service(self, runner_id: str, start: datetime, end: datetime) -> None:
        """Keep when a runner last ran the atomic services."""
        window = {"$set": {"service_us": [to_us(start), to_us(end)]}}
        self._documents.update({"_id": self._key(runner_id)}, window)

    def _key(self, runner_id: str) -> str:
        return key(self._app_id, runner_id)


def _runner(document: Document) -> ActiveRunnerInfo:
    service_us = document["service_us"]
    return compat.active_runner_info(
        document["runner_id"],
        from_us(document["creation_us"]),
        from_us(document["last_heartbeat_us"]),
        can_run_atomic_service=document["can_run"],
        last_service=service_us and (from_us(service_us[0]), from_us(service_us[1])),
        consumed_queues=document["consumed_queues"],
    )
