"""What is said of histories beyond pynenc's contract: times far away, and naive ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.conformance.making import (
    START,
    at,
    new_context,
    new_history,
    new_invocation,
    new_record,
    unique_id,
)

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.state_backend.base_state_backend import InvocationHistory

    from pytest_pynenc_state.backends.state_backend import PytestStateBackend

#: In an order that is neither alphabetical nor its reverse.
STATUSES = (
    InvocationStatus.RUNNING,
    InvocationStatus.FAILED,
    InvocationStatus.REGISTERED,
    InvocationStatus.PENDING,
)


def _write(backend: PytestStateBackend, *records: InvocationHistory) -> None:
    for record in records:
        backend._add_histories([record.invocation_id], record)


def test_equal_records_are_all_kept(pynenc_state_backend: PytestStateBackend) -> None:
    """Records of the same invocation, instant and status do not replace each other."""
    records = [new_history("invocation", runner_context_id=context) for context in "aba"]
    _write(pynenc_state_backend, *records)
    assert pynenc_state_backend.get_history("invocation") == records


@pytest.mark.parametrize("year", [1970, 2024, 2300, 9999])
def test_a_microsecond_tells_records_apart(
    pynenc_state_backend: PytestStateBackend, year: int
) -> None:
    """Time stamps keep every microsecond, now and far from now."""
    moment = datetime(year, 12, 31, 23, 59, 59, 999_997, tzinfo=UTC)
    moments = [moment + timedelta(microseconds=offset) for offset in range(3)]
    _write(pynenc_state_backend, *(new_history("invocation", each) for each in moments[::-1]))
    history = pynenc_state_backend.get_history("invocation")
    assert [record.timestamp for record in history] == moments


def test_a_naive_time_stamp_is_read_as_utc(pynenc_state_backend: PytestStateBackend) -> None:
    """A naive record is one of UTC, among aware ones too, as in pynenc's JSON form."""
    _write(pynenc_state_backend, new_history("invocation", at(1)))
    _write(pynenc_state_backend, new_history("invocation", at(0).replace(tzinfo=None)))
    history = pynenc_state_backend.get_history("invocation")
    assert [record.timestamp for record in history] == [at(0), at(1)]


@pytest.mark.parametrize("count", [0, 1, 120])
def test_one_record_is_added_under_every_id(
    pynenc_state_backend: PytestStateBackend, count: int
) -> None:
    """Each of the ids gets the record, with its own time stamp; no ids are no error."""
    ids = [unique_id("invocation") for _ in range(count)]
    pynenc_state_backend._add_histories(ids, new_history("ignored", at(7)))
    histories = [pynenc_state_backend.get_history(invocation_id) for invocation_id in ids]
    assert histories == [[new_history(invocation_id, at(7))] for invocation_id in ids]
