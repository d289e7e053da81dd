"""Faults in how a range of time is walked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import Any

from pytest_pynenc_state.backends.memory.state_backend import PytestMemStateBackend
from pytest_pynenc_state.backends.sqlite.schema import StateBackendTables
from pytest_pynenc_state.backends.sqlite.state_backend import PytestSQLiteStateBackend
from pytest_pynenc_state.backends.timestamps import to_us
from tests.conformance.mutants.mutant import mutant

_MICROSECOND = timedelta(microseconds=1)
_ALL = 10**6

#: Of a range and a batch size, the batches.
Walk = Callable[[datetime, datetime, int], Iterator[list[Any]]]


class _Ranges(PytestMemStateBackend):
    """Has the same fault in both walks."""

    def iter_history_in_timerange(
        self, start_time: datetime, end_time: datetime, batch_size: int = 100
    ) -> Iterator[Any]:
        return self._walked(super().iter_history_in_timerange, start_time, end_time, batch_size)

    def iter_invocations_in_timerange(
        self, start_time: datetime, end_time: datetime, batch_size: int = 100
    ) -> Iterator[Any]:
        walk = super().iter_invocations_in_timerange
        return self._walked(walk, start_time, end_time, batch_size)

    def _walked(self, walk: Walk, start: datetime, end: datetime, size: int) -> Iterator[Any]:
        raise NotImplementedError


@mutant("SB-RNG-01", "SB-RNG-02")
class EndOutside(_Ranges):
    """Its ranges end before their last instant, as those of Python do."""

    def _walked(self, walk: Walk, start: datetime, end: datetime, size: int) -> Iterator[Any]:
        return walk(start, end - _MICROSECOND, size)


@mutant("SB-RNG-01", "SB-RNG-02")
class StartOutside(_Ranges):
    """Its ranges begin after their first instant."""

    def _walked(self, walk: Walk, start: datetime, end: datetime, size: int) -> Iterator[Any]:
        return walk(start + _MICROSECOND, end, size)


@mutant("SB-RNG-02")
class RangeOfFloats(_Ranges):
    """It compares times that have lost their last digits."""

    def _walked(self, walk: Walk, start: datetime, end: datetime, size: int) -> Iterator[Any]:
        return walk(start - _MICROSECOND, end + _MICROSECOND, size)


@mutant("SB-RNG-03")
class TurnedAround(_Ranges):
    """It turns a range around that ends before it starts."""

    def _walked(self, walk: Walk, start: datetime, end: datetime, size: int) -> Iterator[Any]:
        return walk(min(start, end), max(start, end), size)


@mutant("SB-RNG-03", "SB-RNG-04")
class EmptyBatch(_Ranges):
    """It yields an empty batch where there is nothing."""

    def _walked(self, walk: Walk, start: datetime, end: datetime, size: int) -> Iterator[Any]:
        return iter([*walk(start, end, size)] or [[]])


@mutant("SB-RNG-05")
class LastBatchForgotten(_Ranges):
    """It yields a batch when it is full, and forgets the last one."""

    def _walked(self, walk: Walk, start: datetime, end: datetime, size: int) -> Iterator[Any]:
        return (batch for batch in walk(start, end, size) if len(batch) == size)


@mutant("SB-RNG-05")
class OneBatch(_Ranges):
    """It yields everything in one batch, however large."""

    def _walked(
        self,
        walk: Walk,
        start: datetime,
        end: datetime,
        size: int,  # noqa: ARG002 - is ignored
    ) -> Iterator[Any]:
        return walk(start, end, _ALL)


@mutant("SB-RNG-05", "SB-RNG-06", "SB-RNG-08")
class FirstBatchOnly(_Ranges):
    """It takes the size of a batch for a limit, and stops after the first."""

    def _walked(self, walk: Walk, start: datetime, end: datetime, size: int) -> Iterator[Any]:
        return islice(walk(start, end, size), 1)


@mutant("SB-RNG-09")
class RangeByTheClock(_Ranges):
    """It ignores the UTC offset that a range is given in."""

    def _walked(self, walk: Walk, start: datetime, end: datetime, size: int) -> Iterator[Any]:
        return walk(start.replace(tzinfo=UTC), end.replace(tzinfo=UTC), size)


@mutant("SB-RNG-13", "SB-THR-04")
class RangeByOffset(_Ranges):
    """It reads a range page by page, and counts from its beginning each time."""

    def _walked(self, walk: Walk, start: datetime, end: datetime, size: int) -> Iterator[Any]:
        offset = 0
        while page := [*chain(*walk(start, end, _ALL))][offset : offset + size]:
            yield page
            offset += size


@mutant("SB-RNG-14")
class BatchCapped(_Ranges):
    """Its driver returns ten thousand rows at the most."""

    def _walked(self, walk: Walk, start: datetime, end: datetime, size: int) -> Iterator[Any]:
        return (batch[:10_000] for batch in walk(start, end, size))


class _Records(PytestMemStateBackend):
    """Has a fault in the walk over records."""

    def iter_history_in_timerange(
        self, start_time: datetime, end_time: datetime, batch_size: int = 100
    ) -> Iterator[Any]:
        walk = super().iter_history_in_timerange
        return self._walked(walk, start_time, end_time, batch_size)

    def _walked(self, walk: Walk, start: datetime, end: datetime, size: int) -> Iterator[Any]:
        raise NotImplementedError


@mutant("SB-RNG-07")
class EachBatchSorted(_Records):
    """It pages by invocation, and sorts each page by time."""

    def _walked(self, walk: Walk, start: datetime, end: datetime, size: int) -> Iterator[Any]:
        records = sorted(chain(*walk(start, end, size)), key=lambda each: each.invocation_id)
        for first in range(0, len(records), size):
            yield sorted(records[first : first + size], key=lambda each: each.timestamp)


@mutant("SB-RNG-06", "SB-RNG-08")
class PagesByTime(_Records):
    """It goes on after the time of the last record, although others may share it."""

    def _walked(self, walk: Walk, start: datetime, end: datetime, size: int) -> Iterator[Any]:
        while page := next(walk(start, end, size), None):
            yield page
            start = page[-1].timestamp + _MICROSECOND


@mutant("SB-RNG-11")
class RangeWithoutRegistrant(_Records):
    """It leaves out a column when it reads records by time."""

    def _walked(self, walk: Walk, start: datetime, end: datetime, size: int) -> Iterator[Any]:
        for batch in walk(start, end, size):
            for record in batch:
                record.registered_by_inv_id = None
            yield batch


@mutant("SB-RNG-12")
class RangeRemembered(_Records):
    """It remembers what it has read, and hands the same records out again."""

    def _walked(self, walk: Walk, start: datetime, end: datetime, size: int) -> Iterator[Any]:
        known = self.__dict__.setdefault("_known", {})
        for record in chain(*walk(start, end, size)):
            yield [known.setdefault(record.invocation_id, record)]


@mutant("SB-RNG-10")
class DistinctInEachBatch(PytestMemStateBackend):
    """It tells each invocation once in a batch, and again in the next."""

    def iter_invocations_in_timerange(
        self, start_time: datetime, end_time: datetime, batch_size: int = 100
    ) -> Iterator[Any]:
        for batch in self.iter_history_in_timerange(start_time, end_time, batch_size):
            yield [*dict.fromkeys(record.invocation_id for record in batch)]


@mutant("SB-RNG-01", "SB-RNG-02")
class IdsUpToTheEnd(PytestMemStateBackend):
    """It leaves the last instant out when it walks invocations, and not when it walks records."""

    def iter_invocations_in_timerange(
        self, start_time: datetime, end_time: datetime, batch_size: int = 100
    ) -> Iterator[Any]:
        before_end = end_time - _MICROSECOND
        return super().iter_invocations_in_timerange(start_time, before_end, batch_size)


@mutant("SB-RNG-13", "SB-THR-04")
class IdsByOffset(PytestSQLiteStateBackend):
    """It reads the ids in a range page by page, with LIMIT and OFFSET."""

    def iter_invocations_in_timerange(
        self, start_time: datetime, end_time: datetime, batch_size: int = 100
    ) -> Iterator[Any]:
        sql = (
            f"SELECT DISTINCT invocation_id FROM {StateBackendTables.HISTORY} "
            "WHERE app_id = ? AND timestamp_us BETWEEN ? AND ? "
            "ORDER BY invocation_id LIMIT ? OFFSET ?"
        )
        fixed = (self._app_id, to_us(start_time), to_us(end_time), batch_size)
        offset = 0
        while rows := self._database.read(sql, (*fixed, offset)):
            yield [row[0] for row in rows]
            offset += batch_size
