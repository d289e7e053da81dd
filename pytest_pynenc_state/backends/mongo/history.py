"""The history collection: append only, read by invocation or by time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from pynenc.identifiers.invocation_id import InvocationId
from pynenc.invocation.status import InvocationStatus, InvocationStatusRecord
from pynenc.state_backend.base_state_backend import InvocationHistory as PynencInvocationHistory

from pytest_pynenc_state.backends.mongo.connection import Database, Document
from pytest_pynenc_state.backends.mongo.documents import Documents
from pytest_pynenc_state.backends.mongo.schema import StateBackendCollections, write_keys
from pytest_pynenc_state.backends.state_backend import InvocationHistory
from pytest_pynenc_state.backends.timestamps import from_us, to_us

_BY_TIME = (("timestamp_us", 1), ("_id", 1))


class HistoryDocuments:
    """The status changes of one app's invocations."""

    def __init__(self, database: Database, app_id: str) -> None:
        self._documents = Documents(database, StateBackendCollections.HISTORY)
        self._app_id = app_id

    def append(self, records: Sequence[PynencInvocationHistory]) -> None:
        """Add all of *records*, in their order; up to a hundred thousand are one command."""
        keys = write_keys(len(records))
        self._documents.insert([self._document(*pair) for pair in zip(keys, records, strict=True)])

    def of_invocation(self, invocation_id: str) -> list[PynencInvocationHistory]:
        """The records of one invocation by time stamp; ties in the order written."""
        wanted = {"app_id": self._app_id, "invocation_id": invocation_id}
        return [_record(document) for document in self._documents.find(wanted, order=_BY_TIME)]

    def in_timerange(
        self, start: datetime, end: datetime, batch_size: int
    ) -> Iterator[list[PynencInvocationHistory]]:
        """Batches of the records from *start* to *end*, both included, by time stamp."""
        for page in self._pages(start, end, batch_size):
            yield [_record(document) for document in page]

    def invocations_in_timerange(
        self, start: datetime, end: datetime, batch_size: int
    ) -> Iterator[list[InvocationId]]:
        """Batches of the ids that have a record from *start* to *end*, as first seen there."""
        seen: set[str] = set()
        batch: list[InvocationId] = []
        for page in self._pages(start, end, batch_size):
            for document in page:
                invocation_id = document["invocation_id"]
                if invocation_id in seen:
                    continue
                seen.add(invocation_id)
                batch.append(InvocationId(invocation_id))
                if len(batch) == batch_size:
                    yield batch
                    batch = []
        if batch:
            yield batch

    def _pages(self, start: datetime, end: datetime, size: int) -> Iterator[list[Document]]:
        # Each page goes on after a key, so that the last one costs what the first one does
        # and nothing is held open in between. None goes beyond what had been written when
        # the iteration began.
        newest = self._documents.find({"app_id": self._app_id}, ["_id"], [("_id", -1)], limit=1)
        last_key = newest[0]["_id"] if newest else ""
        # The first page goes on after every record of the microsecond before the start.
        after_us, after_key = to_us(start) - 1, last_key
        while True:
            wanted: dict[str, Any] = {
                "app_id": self._app_id,
                "timestamp_us": {"$gte": after_us, "$lte": to_us(end)},
                "_id": {"$lte": last_key},
                "$or": [{"timestamp_us": {"$gt": after_us}}, {"_id": {"$gt": after_key}}],
            }
            page = self._documents.find(wanted, order=_BY_TIME, limit=size)
            if page:
                yield page
            if len(page) < size:
                return
            after_us, after_key = page[-1]["timestamp_us"], page[-1]["_id"]

    def _document(self, write_key: str, record: PynencInvocationHistory) -> Document:
        return {
            "_id": write_key,
            "app_id": self._app_id,
            "invocation_id": record.invocation_id,
            "timestamp_us": to_us(record.timestamp),
            "status": record.status_record.status.value,
            "status_runner_id": record.status_record.runner_id,
            "status_timestamp_us": to_us(record.status_record.timestamp),
            "runner_context_id": record.runner_context_id,
            "registered_by_inv_id": record.registered_by_inv_id,
        }


def _record(document: Document) -> PynencInvocationHistory:
    return InvocationHistory.restored(
        document["invocation_id"],
        from_us(document["timestamp_us"]),
        InvocationStatusRecord(
            InvocationStatus(document["status"]),
            document["status_runner_id"],
            from_us(document["status_timestamp_us"]),
        ),
        document["runner_context_id"],
        document["registered_by_inv_id"],
    )
