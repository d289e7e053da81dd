"""Faults in how the records of a history are stored, ordered and read."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Any

from pytest_pynenc_state.backends.memory.state_backend import PytestMemStateBackend
from pytest_pynenc_state.backends.sqlite.schema import StateBackendTables
from pytest_pynenc_state.backends.sqlite.state_backend import PytestSQLiteStateBackend
from tests.conformance.mutants.mutant import mutant

if TYPE_CHECKING:
    from pynenc.app import Pynenc


def _changed(record: Any, **fields: Any) -> Any:
    """A copy of a record with other fields."""
    own = copy.copy(record)
    vars(own).update(fields)
    return own


class _Written(PytestMemStateBackend):
    """Changes each record before it is stored."""

    def _add_records(self, records: Any) -> None:
        super()._add_records([self._stored(record) for record in records])

    def _stored(self, record: Any) -> Any:
        raise NotImplementedError


@mutant("SB-HIS-01")
class OneTime(_Written):
    """It has one column for both times of a record, that of the record and of its status."""

    def _stored(self, record: Any) -> Any:
        status_record = replace(record.status_record, timestamp=record.timestamp)
        return _changed(record, status_record=status_record)


@mutant("SB-HIS-01")
class OwnerOfStatusLost(_Written):
    """It stores who changed a status, and not who owned the invocation then."""

    def _stored(self, record: Any) -> Any:
        return _changed(record, status_record=replace(record.status_record, runner_id=None))


@mutant("SB-HIS-02", "SB-HIS-19")
class RegistrantLost(_Written):
    """It has no column for the invocation that registered another one."""

    def _stored(self, record: Any) -> Any:
        return _changed(record, registered_by_inv_id=None)


@mutant("SB-HIS-09", "SB-RNG-02")
class Milliseconds(_Written):
    """It stores times as its database does, which knows no microseconds."""

    def _stored(self, record: Any) -> Any:
        whole = record.timestamp.microsecond // 1000 * 1000
        return _changed(record, _timestamp=record.timestamp.replace(microsecond=whole))


@mutant("SB-HIS-10", "SB-RNG-09")
class UtcOffsetDropped(_Written):
    """It stores what the clock showed, and reads it as UTC."""

    def _stored(self, record: Any) -> Any:
        return _changed(record, _timestamp=record.timestamp.replace(tzinfo=UTC))


class _Read(PytestMemStateBackend):
    """Changes a history after it was read."""

    def _get_history(self, invocation_id: Any) -> Any:
        return self._returned(super()._get_history(invocation_id))

    def _returned(self, records: list[Any]) -> Any:
        raise NotImplementedError


@mutant("SB-HIS-03", "SB-HIS-12")
class NoHistoryIsNone(_Read):
    """It returns None where there are no records."""

    def _returned(self, records: list[Any]) -> Any:
        return records or None


@mutant("SB-HIS-05", "SB-HIS-09", "BE-PRG-01")
class NewestFirst(_Read):
    """It sorts a history the wrong way."""

    def _returned(self, records: list[Any]) -> Any:
        return records[::-1]


@mutant("SB-HIS-06")
class OrderOfStatuses(_Read):
    """It sorts a history by the times of the status records."""

    def _returned(self, records: list[Any]) -> Any:
        return sorted(records, key=lambda record: record.status_record.timestamp)


@mutant("SB-HIS-07")
class TiesByStatus(_Read):
    """It sorts records of one instant by their status."""

    def _returned(self, records: list[Any]) -> Any:
        return sorted(records, key=lambda each: (each.timestamp, each.status_record.status))


@mutant("SB-HIS-10")
class NaiveTimes(_Read):
    """It returns times without a UTC offset."""

    def _returned(self, records: list[Any]) -> Any:
        return [_changed(each, _timestamp=each.timestamp.replace(tzinfo=None)) for each in records]


@mutant("SB-HIS-21")
class HistoryCut(_Read):
    """It returns the first hundred records, its default for everything that has a limit."""

    def _returned(self, records: list[Any]) -> Any:
        return records[:100]


@mutant("SB-HIS-04")
class HistoryLike(PytestSQLiteStateBackend):
    """It looks for the records of an invocation with LIKE."""

    def _get_history(self, invocation_id: Any) -> list[Any]:
        read = super()._get_history
        rows = self._database.read(
            f"SELECT DISTINCT invocation_id FROM {StateBackendTables.HISTORY} "
            "WHERE app_id = ? AND invocation_id LIKE ?",
            (self._app_id, invocation_id),
        )
        return [record for (like,) in rows for record in read(like)]


@mutant("SB-HIS-08")
class OneRecordPerStatus(PytestSQLiteStateBackend):
    """It takes invocation, time and status for the key of a record."""

    def _add_records(self, records: Sequence[Any]) -> None:
        for new in records:
            found = self._get_history(new.invocation_id)
            keys = {(each.timestamp, each.status_record.status) for each in found}
            if (new.timestamp, new.status_record.status) not in keys:
                super()._add_records([new])


@mutant("SB-HIS-11", "SB-RNG-06")
class FirstOfSeveral(PytestMemStateBackend):
    """It adds a record to the first of the histories that it is given."""

    def _add_histories(self, invocation_ids: Any, invocation_history: Any) -> None:
        super()._add_histories(invocation_ids[:1], invocation_history)


@mutant("SB-HIS-12")
class NobodyRefused(PytestMemStateBackend):
    """It refuses to add a record to no history, as its driver does."""

    def _add_histories(self, invocation_ids: Any, invocation_history: Any) -> None:
        if not invocation_ids:
            message = "documents must be a non-empty list"
            raise ValueError(message)
        super()._add_histories(invocation_ids, invocation_history)


@mutant("SB-HIS-13", "SB-HIS-14")
class RecordsAliased(PytestMemStateBackend):
    """It keeps the records that it is given, and hands them out again."""

    def __init__(self, app: Pynenc) -> None:
        super().__init__(app)
        self._kept: dict[str, list[Any]] = defaultdict(list)

    def _add_histories(self, invocation_ids: Any, invocation_history: Any) -> None:
        for invocation_id in invocation_ids:
            self._kept[invocation_id].append(invocation_history)

    def _get_history(self, invocation_id: Any) -> list[Any]:
        return list(self._kept[invocation_id])


@mutant("SB-HIS-13")
class HistoryHandedOut(RecordsAliased):
    """It copies the records that it is given, and hands out its own list of them."""

    def _add_histories(self, invocation_ids: Any, invocation_history: Any) -> None:
        super()._add_histories(invocation_ids, copy.copy(invocation_history))

    def _get_history(self, invocation_id: Any) -> list[Any]:
        return self._kept[invocation_id]
