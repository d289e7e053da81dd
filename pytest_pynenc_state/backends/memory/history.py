"""One app's status changes in memory, ordered by time and then by arrival."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort_right
from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_pynenc_state.backends.memory.arrivals import Arrivals
from pytest_pynenc_state.backends.state_backend import InvocationHistory
from pytest_pynenc_state.backends.timestamps import from_us, to_us

if TYPE_CHECKING:
    from pynenc.identifiers.invocation_id import InvocationId
    from pynenc.invocation.status import InvocationStatusRecord
    from pynenc.state_backend.base_state_backend import (
        InvocationHistory as PynencInvocationHistory,
    )

    #: One status change: invocation id, time stamp (UTC), status record, runner context
    #: id, id of the registering invocation. Nothing in it can be changed, so lists of
    #: rows may share rows.
    HistoryRow: TypeAlias = tuple[str, datetime, InvocationStatusRecord, str, str | None]

_timestamp_of = itemgetter(1)
_new = object.__new__


def history_rows(histories: Iterable[PynencInvocationHistory]) -> list[HistoryRow]:
    """The rows that keep *histories*; a naive time stamp is read as UTC."""
    return [
        (
            history.invocation_id,
            _in_utc(history._timestamp),
            history.status_record,
            history.runner_context_id,
            history.registered_by_inv_id,
        )
        for history in histories
    ]


def restored_histories(rows: Iterable[HistoryRow]) -> list[PynencInvocationHistory]:
    """Build a record of its own from each of *rows*.

    Without the constructor, which takes a time stamp of its own first: that is two
    thirds of what reading a history would cost.
    """
    histories: list[PynencInvocationHistory] = []
    for row in rows:
        history = _new(InvocationHistory)
        (
            history.invocation_id,
            history._timestamp,
            history.status_record,
            history.runner_context_id,
            history.registered_by_inv_id,
        ) = row
        histories.append(history)
    return histories


def _in_utc(moment: datetime) -> datetime:
    # Two moments of one zone that changes its offset compare by wall clock, not by
    # instant; in UTC both are the same.
    return moment if moment.tzinfo is UTC else from_us(to_us(moment))


class HistoryLog(Arrivals["HistoryRow"]):
    """The rows of all invocations, and of each. Added to, never changed.

    Concurrency: each method is atomic between threads.
    """

    def __init__(self, lock: AbstractContextManager[Any]) -> None:
        super().__init__(lock)
        self._rows: list[HistoryRow] = []
        #: By invocation, oldest first. Reading one entry needs no lock, and no copy: a
        #: list is only appended to; one with a row in between takes its place.
        self.rows_of: dict[str, list[HistoryRow]] = {}

    def _file(self, row: HistoryRow) -> None:
        """Put *row* behind the rows of the same or an earlier time."""
        invocation_id = row[0]
        _insert(self._rows, row)
        rows = self.rows_of.get(invocation_id)
        if rows is None:
            self.rows_of[invocation_id] = [row]
        elif _is_in_order(rows, row):
            rows.append(row)
        else:
            rows = rows.copy()
            _insert(rows, row)
            self.rows_of[invocation_id] = rows

    def between(self, start: datetime, end: datetime) -> list[HistoryRow]:
        """A copy of the rows from *start* to *end*, both inclusive, oldest first."""
        with self._lock:
            if self.arrived:
                self.file_arrived()
            first = bisect_left(self._rows, _in_utc(start), key=_timestamp_of)
            behind_last = bisect_right(self._rows, _in_utc(end), key=_timestamp_of)
            return self._rows[first:behind_last]

    def ids_between(self, start: datetime, end: datetime) -> list[InvocationId]:
        """The invocations with a row in that range, each once, in the order first seen."""
        seen: dict[InvocationId, None] = dict.fromkeys(map(itemgetter(0), self.between(start, end)))
        return list(seen)


def _is_in_order(rows: list[HistoryRow], row: HistoryRow) -> bool:
    return not rows or row[1] >= rows[-1][1]


def _insert(rows: list[HistoryRow], row: HistoryRow) -> None:
    # Rows nearly always arrive in order. Those that do not go behind rows of the same
    # time, which keeps the order of arrival among them.
    if _is_in_order(rows, row):
        rows.append(row)
    else:
        insort_right(rows, row, key=_timestamp_of)
