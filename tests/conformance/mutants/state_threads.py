"""Faults of a state backend that show when several threads use it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from pytest_pynenc_state.backends.memory.state_backend import PytestMemStateBackend
from tests.conformance.mutants.mutant import mutant

if TYPE_CHECKING:
    from pynenc.app import Pynenc

# What a slow server takes for one write.
_MANY_LOOKS = 100


@mutant("SB-THR-01")
class HistoryExtended(PytestMemStateBackend):
    """It reads a history, adds to it, and stores all of it, without a lock."""

    def _add_records(self, records: Any) -> None:
        histories = self.__dict__.setdefault("_histories", {})
        for record in records:
            histories[record.invocation_id] = [*self._get_history(record.invocation_id), record]

    def _get_history(self, invocation_id: Any) -> list[Any]:
        records = self.__dict__.get("_histories", {}).get(invocation_id, [])
        return sorted(records, key=lambda record: record.timestamp)


@mutant("SB-THR-02")
class CacheOfEachThread(PytestMemStateBackend):
    """Each thread remembers the results that it has read."""

    def __init__(self, app: Pynenc) -> None:
        super().__init__(app)
        self._cache = threading.local()

    def _get_result(self, invocation_id: str) -> str:
        known: dict[str, str] = vars(self._cache)
        if invocation_id not in known:
            known[invocation_id] = super()._get_result(invocation_id)
        return known[invocation_id]


@mutant("SB-THR-03")
class NoReadWhileOthersWrite(PytestMemStateBackend):
    """It does not wait for a lock to read a result, and writing one takes a while."""

    def _set_result(self, invocation_id: str, serialized_result: str) -> None:
        with self._lock:
            super()._set_result(invocation_id, serialized_result)
            for _ in range(_MANY_LOOKS):
                self.get_history(invocation_id)

    def _get_result(self, invocation_id: str) -> str:
        if not self._lock.acquire(blocking=False):
            message = "database is locked"
            raise TimeoutError(message)
        self._lock.release()
        return super()._get_result(invocation_id)
