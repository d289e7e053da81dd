"""Who waits for whose result, and which of the awaited could run now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pynenc.identifiers.invocation_id import InvocationId
from pynenc.invocation.status import InvocationStatus
from pynenc.orchestrator.base_orchestrator import BaseBlockingControl

from pytest_pynenc_state.backends.mongo.connection import Database, Document
from pytest_pynenc_state.backends.mongo.documents import Documents
from pytest_pynenc_state.backends.mongo.schema import OrchestratorCollections, in_chunks, key

if TYPE_CHECKING:
    from pynenc.app import Pynenc


class PytestMongoBlockingControl(BaseBlockingControl):
    """The waiting graph of one app, in its orchestrator's database.

    Concurrency: every edge is one document. `get_blocking_invocations` reads twice; what
    changes in between is seen by the next call.
    """

    def __init__(self, app: Pynenc, database: Database) -> None:
        self.app = app
        self._app_id = app.app_id
        self._edges = Documents(database, OrchestratorCollections.BLOCKING_EDGES)
        self._invocations = Documents(database, OrchestratorCollections.INVOCATIONS)

    def waiting_for_results(
        self, caller_invocation_id: str, result_invocation_ids: list[InvocationId]
    ) -> None:
        """Note that one invocation waits for others; what is noted already stays as it is."""
        self._edges.insert_new(
            [
                {
                    "_id": key(self._app_id, caller_invocation_id, waited_id),
                    "app_id": self._app_id,
                    "waiter_id": caller_invocation_id,
                    "waited_id": waited_id,
                }
                for waited_id in result_invocation_ids
            ]
        )

    def release_waiters(self, waited_invocation_id: str) -> None:
        """Forget a finished invocation: nobody waits for it, and it waits for nobody."""
        ends = [{"waited_id": waited_invocation_id}, {"waiter_id": waited_invocation_id}]
        self._edges.delete({"app_id": self._app_id, "$or": ends})

    def get_blocking_invocations(self, max_num_invocations: int) -> Iterator[InvocationId]:
        """Return ids that others wait for, that wait for none, and that could run now.

        Oldest registration first, each once, at most *max_num_invocations* (none if that
        is not positive). Ids that were never registered are left out.
        """
        edges = self._edges.find({"app_id": self._app_id}, ["waiter_id", "waited_id"])
        waiting = {edge["waiter_id"] for edge in edges}
        awaited = dict.fromkeys(edge["waited_id"] for edge in edges)
        able = [key(self._app_id, each) for each in awaited if each not in waiting]
        found = sorted(self._available(able), key=lambda document: document["registered"])
        chosen = found[: max(max_num_invocations, 0)]
        return iter([InvocationId(document["invocation_id"]) for document in chosen])

    def _available(self, keys: list[str]) -> Iterator[Document]:
        available = [status.value for status in InvocationStatus.get_available_for_run_statuses()]
        for some in in_chunks(keys):
            wanted = {"_id": {"$in": some}, "status": {"$in": available}}
            yield from self._invocations.find(wanted, ["invocation_id", "registered"])
