"""Names of the collections, and the indexes of every query.

Every document has its ``app_id``, which is part of its ``_id`` and the first field of every
index: one database holds several apps, and ids that look alike never meet. Time stamps are
integers of microseconds, because a BSON date keeps milliseconds only.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pymongo import IndexModel

_Value = TypeVar("_Value")

# A command may have 16 MiB: half of it is for the values of one list.
_COMMAND_BYTES = 8 * 1024 * 1024
_LONGEST_CHARACTER = 4
_OVERHEAD = 16


class StateBackendCollections:
    """Names of the state backend's collections."""

    RESULTS = "state_backend_results"
    EXCEPTIONS = "state_backend_exceptions"
    CHUNKS = "state_backend_chunks"
    INVOCATIONS = "state_backend_invocations"
    RUNNER_CONTEXTS = "state_backend_runner_contexts"
    HISTORY = "state_backend_history"
    WORKFLOWS = "state_backend_workflows"
    WORKFLOW_DATA = "state_backend_workflow_data"
    WORKFLOW_SUB_INVOCATIONS = "state_backend_workflow_sub_invocations"
    APP_INFO = "state_backend_app_info"


class OrchestratorCollections:
    """Names of the orchestrator's collections."""

    INVOCATIONS = "orchestrator_invocations"
    BLOCKING_EDGES = "orchestrator_blocking_edges"
    RUNNER_HEARTBEATS = "orchestrator_runner_heartbeats"
    ATOMIC_SERVICE_EXECUTIONS = "orchestrator_atomic_service_executions"


def _by(*fields: str, **options: Any) -> IndexModel:
    return IndexModel([("app_id", 1), *((field, 1) for field in fields)], **options)


#: The indexes of each collection; `Documents` makes them before the first document.
INDEXES: Mapping[str, Sequence[IndexModel]] = {
    StateBackendCollections.RESULTS: [_by()],
    StateBackendCollections.EXCEPTIONS: [_by()],
    StateBackendCollections.CHUNKS: [_by("value_id", "number")],
    StateBackendCollections.INVOCATIONS: [
        _by("parent_invocation_id"),
        _by("parent_event_id"),
        _by("workflow_id"),
        _by("workflow_type_key"),
        _by("arguments.value_id"),
    ],
    StateBackendCollections.RUNNER_CONTEXTS: [_by("runner_id")],
    StateBackendCollections.HISTORY: [
        _by("invocation_id", "timestamp_us", "_id"),
        _by("timestamp_us", "_id"),
        _by("_id"),
    ],
    StateBackendCollections.WORKFLOWS: [_by("workflow_type_key")],
    StateBackendCollections.WORKFLOW_DATA: [_by("value.value_id")],
    StateBackendCollections.WORKFLOW_SUB_INVOCATIONS: [_by("workflow_id")],
    StateBackendCollections.APP_INFO: [],
    OrchestratorCollections.INVOCATIONS: [
        _by("registered"),
        _by("task_id_key", "registered"),
        _by("call_id_key", "registered"),
        _by("status", "task_id_key", "registered"),
        _by("status", "status_timestamp_us"),
        _by("auto_purge_us"),
    ],
    OrchestratorCollections.BLOCKING_EDGES: [_by("waited_id"), _by("waiter_id")],
    OrchestratorCollections.RUNNER_HEARTBEATS: [_by("last_heartbeat_us")],
    OrchestratorCollections.ATOMIC_SERVICE_EXECUTIONS: [
        _by("start_us"),
        _by("status", "start_us"),
        # The admission itself: the server lets no second execution of an app be running.
        _by(
            unique=True,
            partialFilterExpression={"status": "running"},
            name="one_running_execution",
        ),
    ],
}


def key(*parts: str) -> str:
    """The ``_id`` of what *parts* identify, the app's id first; other parts, another ``_id``."""
    # Half of a surrogate pair cannot be stored; escaped, it looks like nothing else in JSON.
    return json.dumps(parts, ensure_ascii=False).encode(errors="backslashreplace").decode()


class _Clock:
    """The wall clock of this process, which never shows one time twice, nor an earlier one."""

    def __init__(self) -> None:
        self._next_ns = 0
        # Protects the time above. A forked child starts with a clock of its own.
        self._lock = threading.Lock()

    def first_of(self, count: int) -> int:
        """The first of *count* nanoseconds that nobody else gets."""
        with self._lock:
            first_ns = max(time.time_ns(), self._next_ns)
            self._next_ns = first_ns + count
        return first_ns


_clock = _Clock()
os.register_at_fork(after_in_child=_clock.__init__)  # type: ignore[misc]  # its lock may be held


def write_keys(count: int) -> list[str]:
    """*count* strings that sort in this order, after all that this process made before.

    They order what has one time stamp: as it was written by one process, or by several
    whose clocks agree. No two are equal.
    """
    first_ns = _clock.first_of(count)
    return [f"{first_ns + number:016x}-{os.urandom(4).hex()}" for number in range(count)]


def in_chunks(values: Sequence[_Value]) -> Iterator[Sequence[_Value]]:
    """*values*, ids or keys of any length, in parts that fit into one command."""
    start = size = 0
    for number, value in enumerate(values):
        added = len(str(value)) * _LONGEST_CHARACTER + _OVERHEAD
        if size + added > _COMMAND_BYTES:
            yield values[start:number]
            start, size = number, 0
        size += added
    if start < len(values):
        yield values[start:]
