"""The orchestrator's collection of invocations: their status, owner, number of retries."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from pynenc.identifiers.invocation_id import InvocationId
from pynenc.invocation.status import (
    InvocationStatus,
    InvocationStatusRecord,
    status_record_transition,
)

from pytest_pynenc_state.backends.mongo.connection import Database, Document
from pytest_pynenc_state.backends.mongo.documents import Documents, Expression
from pytest_pynenc_state.backends.mongo.schema import (
    OrchestratorCollections,
    in_chunks,
    key,
    write_keys,
)
from pytest_pynenc_state.backends.timestamps import from_us, now_us, to_us

if TYPE_CHECKING:
    from pynenc.invocation.dist_invocation import DistributedInvocation

_RECORD = ("status", "status_runner_id", "status_timestamp_us", "version")


class StatusDocuments:
    """The status of each invocation of one app."""

    def __init__(self, database: Database, app_id: str) -> None:
        self._documents = Documents(database, OrchestratorCollections.INVOCATIONS)
        self._edges = Documents(database, OrchestratorCollections.BLOCKING_EDGES)
        self._runners = Documents(database, OrchestratorCollections.RUNNER_HEARTBEATS)
        self._app_id = app_id

    def register(
        self,
        invocations: Sequence[DistributedInvocation[Any, Any]],
        record: InvocationStatusRecord,
    ) -> None:
        """Add those of *invocations* that are not there yet, all in the status of *record*."""
        registered = write_keys(len(invocations))
        self._documents.insert_new(
            [
                {
                    "_id": self._key(invocation.invocation_id),
                    "app_id": self._app_id,
                    "invocation_id": invocation.invocation_id,
                    "registered": write_key,
                    "task_id_key": invocation.call.task.task_id.key,
                    "call_id_key": invocation.call.call_id.key,
                    "retry_count": 0,
                    "version": 0,
                    **_fields(record),
                }
                for write_key, invocation in zip(registered, invocations, strict=True)
            ]
        )

    def record(self, invocation_id: str) -> InvocationStatusRecord:
        """The current status record; KeyError if the invocation is unknown."""
        return _record(self._current(invocation_id))

    def states(
        self, invocation_ids: Sequence[str]
    ) -> dict[str, tuple[InvocationStatusRecord, int]]:
        """The status record and the retries of those of *invocation_ids* that are known."""
        fields = ("invocation_id", "retry_count", *_RECORD)
        return {
            document["invocation_id"]: (_record(document), int(document["retry_count"]))
            for some in in_chunks([self._key(each) for each in invocation_ids])
            for document in self._documents.find({"_id": {"$in": some}}, fields)
        }

    def move(
        self, invocation_id: str, status: InvocationStatus, runner_id: str | None
    ) -> InvocationStatusRecord:
        """Validate with pynenc's rules, then write if nobody has written meanwhile."""
        while True:
            current = self._current(invocation_id)
            record = status_record_transition(_record(current), status, runner_id)
            unchanged = {
                "_id": current["_id"],
                "status": current["status"],
                "status_runner_id": current["status_runner_id"],
                "version": current["version"],
            }
            change = {"$set": _fields(record), "$inc": {"version": 1}}
            if self._documents.update(unchanged, change):
                return record

    def _current(self, invocation_id: str) -> Document:
        document = self._documents.find_one({"_id": self._key(invocation_id)}, _RECORD)
        if document is None:
            message = f"app {self._app_id!r} has no invocation {invocation_id!r}"
            raise KeyError(message)
        return document

    def increment_retries(self, invocation_id: str) -> None:
        """Add one retry; nothing happens if the invocation is unknown."""
        self._documents.update({"_id": self._key(invocation_id)}, {"$inc": {"retry_count": 1}})

    def retries(self, invocation_id: str) -> int:
        """The number of retries; 0 if the invocation is unknown."""
        document = self._documents.find_one({"_id": self._key(invocation_id)}, ["retry_count"])
        return int(document["retry_count"]) if document else 0

    def in_status(
        self, candidates: Sequence[InvocationId], statuses: Collection[InvocationStatus]
    ) -> list[InvocationId]:
        """Those of *candidates* that are in one of *statuses*, in the order given."""
        wanted = {"$in": [status.value for status in statuses]}
        matching = {
            invocation_id
            for some in in_chunks([self._key(candidate) for candidate in candidates])
            for invocation_id in self._ids({"_id": {"$in": some}, "status": wanted})
        }
        return [invocation_id for invocation_id in candidates if invocation_id in matching]

    def pending_since(self, cutoff_us: int) -> list[InvocationId]:
        """The ids that have been PENDING since *cutoff_us* or longer."""
        return self._ids(
            {
                "app_id": self._app_id,
                "status": InvocationStatus.PENDING.value,
                "status_timestamp_us": {"$lte": cutoff_us},
            }
        )

    def running_unattended(self, cutoff_us: int) -> list[InvocationId]:
        """The ids that are RUNNING for an owner without heartbeat since *cutoff_us*."""
        # First who runs, then who is alive: an owner that appears in between is alive.
        running = self._documents.find(
            {"app_id": self._app_id, "status": InvocationStatus.RUNNING.value},
            ["invocation_id", "status_runner_id"],
        )
        heard_of = {"app_id": self._app_id, "last_heartbeat_us": {"$gte": cutoff_us}}
        alive = {None, *self._runners.distinct("runner_id", heard_of)}
        return [
            InvocationId(document["invocation_id"])
            for document in running
            if document["status_runner_id"] not in alive
        ]

    def schedule_purge(self, invocation_id: str) -> None:
        """Note that the invocation may be forgotten some time after now."""
        schedule = {"$set": {"auto_purge_us": now_us()}}
        self._documents.update({"_id": self._key(invocation_id)}, schedule)

    def purge_due(self, scheduled_until_us: int) -> None:
        """Forget all invocations scheduled until then, with arguments, retries and waiters."""
        is_due = {"app_id": self._app_id, "auto_purge_us": {"$lte": scheduled_until_us}}
        for some in in_chunks(self._ids(is_due)):
            # The edges first: if this is interrupted, the next call finds the rest.
            for end in ("waited_id", "waiter_id"):
                self._edges.delete({"app_id": self._app_id, end: {"$in": some}})
            keys = [self._key(invocation_id) for invocation_id in some]
            self._documents.delete({"_id": {"$in": keys}, **is_due})

    def _ids(self, wanted: Expression) -> list[InvocationId]:
        found = self._documents.find(wanted, ["invocation_id"])
        return [InvocationId(document["invocation_id"]) for document in found]

    def _key(self, invocation_id: str) -> str:
        return key(self._app_id, invocation_id)


def _fields(record: InvocationStatusRecord) -> Document:
    return {
        "status": record.status.value,
        "status_runner_id": record.runner_id,
        "status_timestamp_us": to_us(record.timestamp),
    }


def _record(document: Document) -> InvocationStatusRecord:
    return InvocationStatusRecord(
        InvocationStatus(document["status"]),
        document["status_runner_id"],
        from_us(document["status_timestamp_us"]),
    )
