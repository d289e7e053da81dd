"""The collection of atomic-service executions, of which at most one runs at a time.

A unique index over the running executions of an app admits one of them. `last_us` is an
execution's end, or its start while it runs; `duration_us` is 0 while it runs.
"""

from __future__ import annotations

from datetime import datetime

from pymongo.errors import DuplicateKeyError

from pytest_pynenc_state.backends.mongo.connection import Database, Document
from pytest_pynenc_state.backends.mongo.documents import Documents, Expression
from pytest_pynenc_state.backends.mongo.schema import (
    OrchestratorCollections,
    in_chunks,
    key,
    write_keys,
)
from pytest_pynenc_state.backends.orchestrator import blocked_reason, stamped, surplus_executions
from pytest_pynenc_state.backends.timestamps import from_us, to_us
from pytest_pynenc_state.compat import (
    AtomicServiceExecution,
    AtomicServiceExecutionStatus,
    AtomicServiceRun,
)

_RUNNING = AtomicServiceExecutionStatus.RUNNING.value
_BLOCKED = AtomicServiceExecutionStatus.BLOCKED.value
_NEWEST_FIRST = (("start_us", -1), ("recorded", -1))
_OLDEST_FIRST = (("start_us", 1), ("recorded", 1))


class ExecutionDocuments:
    """The atomic-service executions of one app."""

    def __init__(self, database: Database, app_id: str) -> None:
        self._documents = Documents(database, OrchestratorCollections.ATOMIC_SERVICE_EXECUTIONS)
        self._app_id = app_id

    def admit(self, run: AtomicServiceRun, started_at: datetime | None, reason: str) -> bool:
        """Start *run* unless another one runs; record a refusal. True if it may work."""
        while True:
            start_us = to_us(stamped(run, started_at))
            if self._store(run, start_us, None, _RUNNING, reason):
                if started_at is None:
                    self._restart(run)
                return True
            holder = self._documents.find_one(self._running())
            if holder is None:
                if self._has_ended(run):
                    return False
                # Whoever was in the way has ended since.
                continue
            if holder["run_id"] == run.atomic_service_run_id:
                return True
            refusal = blocked_reason(reason, holder["run_id"], holder["runner_id"])
            self._store(run, start_us, start_us, _BLOCKED, refusal)
            return False

    def record(
        self,
        run: AtomicServiceRun,
        started_at: datetime,
        status: AtomicServiceExecutionStatus,
        reason: str,
    ) -> None:
        """Record an attempt that is not to run: it ends when it starts."""
        start_us = to_us(started_at)
        self._store(run, start_us, start_us, status.value, reason)

    def finish(
        self,
        run: AtomicServiceRun,
        end_time: datetime,
        status: AtomicServiceExecutionStatus,
        reason: str,
    ) -> None:
        """End *run*; the first end stands. A run that never started appears as empty."""
        end_us = to_us(end_time)
        wanted = {"_id": self._key(run), "status": _RUNNING}
        running = self._documents.find_one(wanted, ["start_us"])
        if running is None:
            self._add_empty(run, end_us, status, reason)
            return
        changed: Document = {"status": status.value, **_ended(running["start_us"], end_us)}
        if reason:
            changed["reason"] = reason
        self._documents.update(wanted, {"$set": changed})

    def _add_empty(
        self, run: AtomicServiceRun, end_us: int, status: AtomicServiceExecutionStatus, reason: str
    ) -> None:
        document = {
            "_id": self._key(run),
            **self._identity(run),
            **_started(run, end_us, status.value, reason),
            **_ended(end_us, end_us),
        }
        self._documents.insert_new([document])

    def _store(
        self, run: AtomicServiceRun, start_us: int, end_us: int | None, status: str, reason: str
    ) -> bool:
        """Whether nothing was in the way: no record of *run*, unless it was a refusal."""
        changed = {
            **_started(run, start_us, status, reason),
            **_ended(start_us, end_us),
        }
        # Only a refused attempt may be made again; what has run, or runs, stays as it is.
        wanted = {"_id": self._key(run), "status": _BLOCKED}
        try:
            self._documents.update_or_add(
                wanted, {"$set": changed, "$setOnInsert": self._identity(run)}
            )
        except DuplicateKeyError:
            return False
        return True

    def _restart(self, run: AtomicServiceRun) -> None:
        """Stamp *run* again, now that it is admitted: whoever ran before has ended."""
        start_us = to_us(stamped(run, None))
        changed = {"start_us": start_us, **_ended(start_us, None)}
        self._documents.update({"_id": self._key(run), "status": _RUNNING}, {"$set": changed})

    def _has_ended(self, run: AtomicServiceRun) -> bool:
        found = self._documents.find_one({"_id": self._key(run)}, ["status"])
        return found is not None and found["status"] not in (_RUNNING, _BLOCKED)

    def active(self) -> list[AtomicServiceExecution]:
        """The executions that run, newest first."""
        return self._executions(self._running())

    def in_timerange(
        self,
        start: datetime,
        end: datetime,
        limit: int,
        runner_id: str | None,
        min_duration_us: int,
    ) -> list[AtomicServiceExecution]:
        """At most *limit* executions that overlap the range, newest first."""
        if limit <= 0:  # the server would take 0 for no limit
            return []
        wanted: Document = {
            "app_id": self._app_id,
            "last_us": {"$gte": to_us(start)},
            "start_us": {"$lte": to_us(end)},
            "duration_us": {"$gte": min_duration_us},
        }
        if runner_id is not None:
            wanted["runner_id"] = runner_id
        return self._executions(wanted, limit)

    def drop(
        self, ended_before_us: int | None, keep_newest: int | None, protected: frozenset[str]
    ) -> int:
        """Remove finished executions by age, then by number; return how many."""
        has_ended = {"app_id": self._app_id, "status": {"$ne": _RUNNING}}
        finished = [
            (document["_id"], document["run_id"], document["last_us"])
            for document in self._documents.find(has_ended, ["run_id", "last_us"], _OLDEST_FIRST)
        ]
        surplus = surplus_executions(finished, ended_before_us, keep_newest, protected)
        return sum(
            self._documents.delete({"_id": {"$in": some}, **has_ended})
            for some in in_chunks(surplus)
        )

    def _executions(self, wanted: Expression, limit: int = 0) -> list[AtomicServiceExecution]:
        found = self._documents.find(wanted, order=_NEWEST_FIRST, limit=limit)
        return [_execution(document) for document in found]

    def _running(self) -> Document:
        return {"app_id": self._app_id, "status": _RUNNING}

    def _identity(self, run: AtomicServiceRun) -> Document:
        (recorded,) = write_keys(1)
        return {
            "app_id": self._app_id,
            "run_id": run.atomic_service_run_id,
            "recorded": recorded,
        }

    def _key(self, run: AtomicServiceRun) -> str:
        return key(self._app_id, str(run.atomic_service_run_id))


def _started(run: AtomicServiceRun, start_us: int, status: str, reason: str) -> Document:
    return {
        "runner_id": run.runner_id,
        "start_us": start_us,
        "status": status,
        "reason": reason,
    }


def _ended(start_us: int, end_us: int | None) -> Document:
    # Clocks of two machines may have an execution end before it starts.
    last_us = start_us if end_us is None else max(start_us, end_us)
    return {"end_us": end_us, "last_us": last_us, "duration_us": last_us - start_us}


def _execution(document: Document) -> AtomicServiceExecution:
    end_us = document["end_us"]
    return AtomicServiceExecution.from_raw(
        document["runner_id"],
        document["run_id"],
        from_us(document["start_us"]),
        None if end_us is None else from_us(end_us),
        AtomicServiceExecutionStatus(document["status"]),
        document["reason"],
    )
