"""Names of the collections, and the indexes of every query.

Every document has its ``app_id``, which is part of its ``_id`` and the first field of every
index: one database holds several apps, and ids that look alike never meet. Time stamps are
integers of microseconds, because a BSON date keeps milliseconds only.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from pymongo import IndexModel

from pytest_pynenc_state.backends.mongo.connection import Database
from pytest_pynenc_state.backends.mongo.failures import failures


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


STATE_BACKEND_INDEXES: Mapping[str, Sequence[IndexModel]] = {
    StateBackendCollections.RESULTS: [_by()],
    StateBackendCollections.EXCEPTIONS: [_by()],
    StateBackendCollections.CHUNKS: [_by("value_id")],
    StateBackendCollections.INVOCATIONS: [
        _by("parent_invocation_id"),
        _by("parent_event_id"),
        _by("workflow_id"),
        _by("workflow_type_key"),
    ],
    StateBackendCollections.RUNNER_CONTEXTS: [_by("runner_id")],
    StateBackendCollections.HISTORY: [
        _by("invocation_id", "timestamp_us", "_id"),
        _by("timestamp_us", "_id"),
        _by("_id"),
    ],
    StateBackendCollections.WORKFLOWS: [_by("workflow_type_key")],
    StateBackendCollections.WORKFLOW_DATA: [_by()],
    StateBackendCollections.WORKFLOW_SUB_INVOCATIONS: [_by("workflow_id")],
}

ORCHESTRATOR_INDEXES: Mapping[str, Sequence[IndexModel]] = {
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
    return json.dumps(parts)


def write_keys(count: int) -> list[str]:
    """*count* strings that sort in this order, after all that were made before on this clock.

    They order what has one time stamp: as it was written by one process, or by several on
    one machine. No two are ever equal.
    """
    first_ns = time.time_ns()
    return [f"{first_ns + number:016x}-{os.urandom(4).hex()}" for number in range(count)]


def in_chunks(values: Sequence[Any], size: int = 10_000) -> list[Sequence[Any]]:
    """*values* in parts that fit into one command, which the server limits to 48 MB."""
    return [values[start : start + size] for start in range(0, len(values), size)]


def create_indexes(database: Database, indexes: Mapping[str, Sequence[IndexModel]]) -> None:
    """Make sure that *database* has *indexes*; those that are there stay as they are.

    :raises BackendError: The server failed or cannot be reached.
    """
    with failures(database.url):
        for name, models in indexes.items():
            database.collection(name).create_indexes(list(models))
