"""The collection of runner contexts: who changed a status, and where that runner ran."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pynenc.runner.runner_context import RunnerContext

from pytest_pynenc_state.backends.mongo.connection import Database, Document
from pytest_pynenc_state.backends.mongo.documents import Documents, Expression
from pytest_pynenc_state.backends.mongo.schema import StateBackendCollections, in_chunks, key


class RunnerContextDocuments:
    """The contexts of one app's runners."""

    def __init__(self, database: Database, app_id: str) -> None:
        self._documents = Documents(database, StateBackendCollections.RUNNER_CONTEXTS)
        self._app_id = app_id

    def put(self, runner_context: RunnerContext) -> None:
        """Store a context in place of the former one of its runner."""
        self._documents.put(
            [
                {
                    "_id": self._key(runner_context.runner_id),
                    "app_id": self._app_id,
                    "runner_id": runner_context.runner_id,
                    "context_json": runner_context.to_json(),
                }
            ]
        )

    def has(self, runner_id: str) -> bool:
        """Whether a runner's context is stored."""
        return self._documents.find_one({"_id": self._key(runner_id)}, ["_id"]) is not None

    def get(self, runner_ids: Sequence[str]) -> list[RunnerContext]:
        """The stored contexts of *runner_ids*, each once, in no order."""
        keys = [self._key(runner_id) for runner_id in runner_ids]
        return [
            context
            for some in in_chunks(keys)
            for context in self._contexts({"_id": {"$in": some}})
        ]

    def matching(self, partial_id: str) -> list[RunnerContext]:
        """The contexts whose id contains *partial_id* to the letter, in no order."""
        # A pattern travels as a text that ends at its first NUL.
        literally = re.escape(partial_id).replace("\0", r"\x00")
        return list(self._contexts({"app_id": self._app_id, "runner_id": {"$regex": literally}}))

    def _contexts(self, wanted: Expression) -> Iterable[RunnerContext]:
        found: list[Document] = self._documents.find(wanted, ["context_json"])
        return (RunnerContext.from_json(document["context_json"]) for document in found)

    def _key(self, runner_id: str) -> str:
        return key(self._app_id, runner_id)
