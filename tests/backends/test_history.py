"""A history is append-only, ordered by its own time stamps, and private to each reader."""

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


def test_every_field_of_a_record_comes_back(pynenc_state_backend: PytestStateBackend) -> None:
    """A record equals what was written, its status record and both time stamps included."""
    status_record = new_record(InvocationStatus.PENDING, "runner", at(-1_000_007))
    record = new_history("invocation", at(3), status_record, "context", "registrant")
    _write(pynenc_state_backend, record)
    assert pynenc_state_backend.get_history("invocation") == [record]


def test_an_unknown_invocation_has_no_history(pynenc_state_backend: PytestStateBackend) -> None:
    """An id that nobody wrote about has the history ``[]``."""
    assert pynenc_state_backend.get_history("unknown") == []


def test_records_come_oldest_first(pynenc_state_backend: PytestStateBackend) -> None:
    """The order is that of the time stamps, not that of writing."""
    records = [new_history("invocation", at(offset)) for offset in range(6)]
    _write(pynenc_state_backend, *(records[index] for index in (3, 0, 5, 1, 4, 2)))
    assert pynenc_state_backend.get_history("invocation") == records


def test_the_order_is_that_of_the_history_not_of_the_status(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """The time stamp of the status record plays no part in the order."""
    earlier = new_history("invocation", at(0), new_record(timestamp=at(9)))
    later = new_history("invocation", at(1), new_record(timestamp=at(8)))
    _write(pynenc_state_backend, later, earlier)
    assert pynenc_state_backend.get_history("invocation") == [earlier, later]


def test_records_of_one_instant_come_as_they_were_written(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """A tie is broken by the order of writing, not by status, also behind a later record."""
    records = [new_history("invocation", START, new_record(status)) for status in STATUSES]
    later = new_history("invocation", at(1))
    _write(pynenc_state_backend, later, *records)
    assert pynenc_state_backend.get_history("invocation") == [*records, later]


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


def test_an_instant_of_another_utc_offset_is_kept(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """A record of another offset takes its place by instant, and comes back aware."""
    elsewhere = timezone(timedelta(hours=5, minutes=30))
    moments = [at(0), at(1).astimezone(elsewhere), at(2)]
    _write(pynenc_state_backend, *(new_history("invocation", each) for each in moments[::-1]))
    history = pynenc_state_backend.get_history("invocation")
    assert [record.timestamp for record in history] == moments


def test_a_naive_time_stamp_is_read_as_utc(pynenc_state_backend: PytestStateBackend) -> None:
    """A naive record is one of UTC, among aware ones too, as in pynenc's JSON form."""
    _write(pynenc_state_backend, new_history("invocation", at(1)))
    _write(pynenc_state_backend, new_history("invocation", at(0).replace(tzinfo=None)))
    history = pynenc_state_backend.get_history("invocation")
    assert [record.timestamp for record in history] == [at(0), at(1)]


def test_histories_do_not_mix(pynenc_state_backend: PytestStateBackend) -> None:
    """An id that looks like another has a history of its own."""
    ids = ["inv_1", "inv-1", "INV_1", "inv_10", "inv%"]
    _write(pynenc_state_backend, *(new_history(invocation_id) for invocation_id in ids))
    found = {
        invocation_id: [
            record.invocation_id for record in pynenc_state_backend.get_history(invocation_id)
        ]
        for invocation_id in ids
    }
    assert found == {invocation_id: [invocation_id] for invocation_id in ids}


@pytest.mark.parametrize("count", [0, 1, 120])
def test_one_record_is_added_under_every_id(
    pynenc_state_backend: PytestStateBackend, count: int
) -> None:
    """Each of the ids gets the record, with its own time stamp; no ids are no error."""
    ids = [unique_id("invocation") for _ in range(count)]
    pynenc_state_backend._add_histories(ids, new_history("ignored", at(7)))
    histories = [pynenc_state_backend.get_history(invocation_id) for invocation_id in ids]
    assert histories == [[new_history(invocation_id, at(7))] for invocation_id in ids]


def test_a_returned_record_is_private(pynenc_state_backend: PytestStateBackend) -> None:
    """Changing a record, or the list, that a read returned changes nothing in the store."""
    _write(pynenc_state_backend, new_history("invocation"))
    history = pynenc_state_backend.get_history("invocation")
    history[0].runner_context_id = "changed"
    history[0]._timestamp = at(99)
    history.clear()
    assert pynenc_state_backend.get_history("invocation") == [new_history("invocation")]


def test_a_written_record_is_private(pynenc_state_backend: PytestStateBackend) -> None:
    """Changing a record after it was written changes nothing in the store."""
    record = new_history("invocation")
    _write(pynenc_state_backend, record)
    record.runner_context_id = "changed"
    record._timestamp = at(99)
    assert pynenc_state_backend.get_history("invocation") == [new_history("invocation")]


def test_add_history_has_written_when_it_returns(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """One status change is there at once, with the context it was made in."""
    runner_context = new_context()
    status_record = new_record(InvocationStatus.PENDING, runner_context.runner_id)
    pynenc_state_backend.add_history("invocation", status_record, runner_context)
    (record,) = pynenc_state_backend.get_history("invocation")
    stored = (record.status_record, record.runner_context_id, record.registered_by_inv_id)
    assert stored == (status_record, runner_context.runner_id, None)


def test_add_history_stores_the_runner_context(pynenc_state_backend: PytestStateBackend) -> None:
    """Whoever reads a history can look up the runner that made the change."""
    runner_context = new_context(parent_ctx=new_context())
    pynenc_state_backend.add_history("invocation", new_record(), runner_context)
    stored = pynenc_state_backend._get_runner_context(runner_context.runner_id)
    assert stored == runner_context


@pytest.mark.parametrize(
    ("status", "expected"),
    [(InvocationStatus.REGISTERED, "parent"), (InvocationStatus.PENDING, None)],
)
def test_a_registration_names_the_invocation_that_made_it(
    pynenc_app: Pynenc,
    pynenc_state_backend: PytestStateBackend,
    status: InvocationStatus,
    expected: str | None,
) -> None:
    """The parent is recorded with REGISTERED, and with no other status."""
    invocation = new_invocation(pynenc_app, parent_invocation_id="parent")
    pynenc_state_backend.add_histories([invocation], new_record(status), new_context())
    (record,) = pynenc_state_backend.get_history(invocation.invocation_id)
    assert record.registered_by_inv_id == expected


def test_add_histories_adds_one_record_to_each_invocation(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend
) -> None:
    """Every invocation of the batch has the change when the call returns."""
    invocations = [new_invocation(pynenc_app) for _ in range(5)]
    pynenc_state_backend.add_histories(invocations, new_record(), new_context())
    lengths = [
        len(pynenc_state_backend.get_history(invocation.invocation_id))
        for invocation in invocations
    ]
    assert lengths == [1, 1, 1, 1, 1]
