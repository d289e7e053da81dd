"""Finding the orchestrator's invocations: by task, call, arguments and status."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

from pynenc.identifiers.invocation_id import InvocationId
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.backends.mongo.connection import Database
from pytest_pynenc_state.backends.mongo.documents import Documents, Expression
from pytest_pynenc_state.backends.mongo.schema import OrchestratorCollections, key
from pytest_pynenc_state.backends.orchestrator_tables import Search


class SearchDocuments(Search):
    """The invocations of one app, and the arguments indexed for concurrency control."""

    def __init__(self, database: Database, app_id: str) -> None:
        self._documents = Documents(database, OrchestratorCollections.INVOCATIONS)
        self._app_id = app_id

    def index_arguments(self, invocation_id: str, arguments: Mapping[str, str]) -> None:
        """Make an invocation findable by its serialized arguments; a repeat is harmless."""
        change = {"$addToSet": {"arguments": {"$each": _digests(arguments)}}}
        self._documents.update({"_id": key(self._app_id, invocation_id)}, change)

    def existing(
        self,
        task_key: str,
        arguments: Mapping[str, str] | None,
        statuses: Collection[InvocationStatus] | None,
    ) -> list[InvocationId]:
        """The ids of a task's invocations with all of these arguments, oldest first."""
        wanted = self._wanted(task_key, statuses)
        if arguments:
            wanted["arguments"] = {"$all": _digests(arguments)}
        return self._ids(wanted)

    def _ids_by(self, field: str, value: str) -> list[InvocationId]:
        return self._ids({"app_id": self._app_id, field: value})

    def page(
        self,
        task_key: str | None,
        statuses: Collection[InvocationStatus] | None,
        limit: int,
        offset: int,
    ) -> list[InvocationId]:
        """One page of the ids, newest registration first."""
        if limit <= 0:  # the server would take 0 for no limit
            return []
        wanted = self._wanted(task_key, statuses)
        return self._ids(wanted, newest_first=True, skip=max(offset, 0), limit=limit)

    def count(self, task_key: str | None, statuses: Collection[InvocationStatus] | None) -> int:
        """How many invocations all pages have together."""
        return self._documents.count(self._wanted(task_key, statuses))

    def _wanted(
        self, task_key: str | None, statuses: Collection[InvocationStatus] | None
    ) -> dict[str, Any]:
        wanted: dict[str, Any] = {"app_id": self._app_id}
        if task_key is not None:
            wanted["task_id_key"] = task_key
        if statuses:
            wanted["status"] = {"$in": [status.value for status in statuses]}
        return wanted

    def _ids(
        self, wanted: Expression, *, newest_first: bool = False, skip: int = 0, limit: int = 0
    ) -> list[InvocationId]:
        order = [("registered", -1 if newest_first else 1)]
        found = self._documents.find(wanted, ["invocation_id"], order, skip=skip, limit=limit)
        return [InvocationId(document["invocation_id"]) for document in found]


def _digests(arguments: Mapping[str, str]) -> list[str]:
    # Of any length themselves, arguments would not all fit into a document.
    pairs = (json.dumps(pair).encode() for pair in arguments.items())
    return [hashlib.sha256(pair).hexdigest() for pair in pairs]
