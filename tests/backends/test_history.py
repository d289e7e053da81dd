"""What is said of histories beyond pynenc's contract: times far away, and naive ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pytest_pynenc_state.conformance.making import add_records, at, new_history, unique_id

if TYPE_CHECKING:
    from pytest_pynenc_state.backends.state_backend import PytestStateBackend


@pytest.mark.parametrize("year", [1970, 2300, 9999])
def test_a_microsecond_tells_records_apart_in_any_year(
    pynenc_state_backend: PytestStateBackend, year: int
) -> None:
    """Time stamps keep every microsecond, far from now too."""
    moment = datetime(year, 12, 31, 23, 59, 59, 999_997, tzinfo=UTC)
    moments = [moment + timedelta(microseconds=offset) for offset in range(3)]
    add_records(pynenc_state_backend, *(new_history("invocation", each) for each in moments[::-1]))
    history = pynenc_state_backend.get_history("invocation")
    assert [record.timestamp for record in history] == moments


def test_a_naive_time_stamp_is_read_as_utc(pynenc_state_backend: PytestStateBackend) -> None:
    """A naive record is one of UTC, among aware ones too, as in pynenc's JSON form."""
    add_records(pynenc_state_backend, new_history("invocation", at(1)))
    add_records(pynenc_state_backend, new_history("invocation", at(0).replace(tzinfo=None)))
    history = pynenc_state_backend.get_history("invocation")
    assert [record.timestamp for record in history] == [at(0), at(1)]


def test_equal_records_stay_in_the_order_of_writing(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """Records that only their contexts tell apart are kept in the order they were written in."""
    records = [new_history("invocation", runner_context_id=context) for context in "aba"]
    add_records(pynenc_state_backend, *records)
    assert pynenc_state_backend.get_history("invocation") == records


def test_a_record_names_the_invocation_whose_history_it_is_in(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """One record under many ids is read back as one of each of them."""
    ids = [unique_id("invocation") for _ in range(120)]
    pynenc_state_backend._add_histories(ids, new_history("ignored", at(7)))
    histories = [pynenc_state_backend.get_history(invocation_id) for invocation_id in ids]
    assert histories == [[new_history(invocation_id, at(7))] for invocation_id in ids]
