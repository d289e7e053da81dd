"""A history only grows, is in the order of its own time stamps, and is its reader's own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import (
    START,
    add_records,
    at,
    new_history,
    new_record,
    unique_id,
)

if TYPE_CHECKING:
    from pynenc.state_backend.base_state_backend import InvocationHistory

    from pytest_pynenc_state.conformance.making import StateBackend

#: In an order that is neither that of the alphabet nor that of a life, nor a reverse of these.
_STATUSES = (
    InvocationStatus.RUNNING,
    InvocationStatus.FAILED,
    InvocationStatus.REGISTERED,
    InvocationStatus.PENDING,
)


def _add(backend: StateBackend, *moments: datetime) -> None:
    add_records(backend, *(new_history("invocation", moment) for moment in moments))


def _times(history: Iterable[InvocationHistory]) -> list[datetime]:
    return [record.timestamp for record in history]


@clause("SB-HIS-01", hint="a record has two times: its own, and that of its status record")
def a_record_comes_back_with_its_status(pynenc_state_backend: StateBackend) -> None:
    """A history record comes back with its time, its status, that status's owner and time."""
    status_record = new_record(InvocationStatus.PENDING, "runner", at(-1_000_000))
    add_records(pynenc_state_backend, new_history("invocation", at(3000), status_record))
    (record,) = pynenc_state_backend.get_history("invocation")
    found = (record.invocation_id, record.timestamp, record.status_record)
    assert found == ("invocation", at(3000), status_record)


@clause("SB-HIS-02", hint="store runner_context_id and registered_by_inv_id too")
def a_record_comes_back_with_its_authors(pynenc_state_backend: StateBackend) -> None:
    """A record names the runner context, and the registering invocation, it was written with."""
    records = [
        new_history("invocation", at(0), runner_context_id="one", registered_by_inv_id="parent"),
        new_history("invocation", at(1000), runner_context_id="two", registered_by_inv_id=None),
    ]
    add_records(pynenc_state_backend, *records)
    history = pynenc_state_backend.get_history("invocation")
    found = {each.runner_context_id: each.registered_by_inv_id for each in history}
    assert found == {"one": "parent", "two": None}


@clause("SB-HIS-03", hint="no rows are an empty list, not an error")
def an_unknown_invocation_has_no_history(pynenc_state_backend: StateBackend) -> None:
    """An invocation that nobody wrote about has an empty history."""
    found = [
        pynenc_state_backend.get_history("unknown"),
        pynenc_state_backend._get_history("unknown"),
    ]
    assert found == [[], []]


@clause("SB-HIS-04", hint="compare invocation ids as they are: no folding, no patterns")
def histories_do_not_mix(pynenc_state_backend: StateBackend) -> None:
    """The history of an invocation holds its own records, however much ids look alike."""
    ids = ["inv_1", "inv-1", "INV_1", "inv_10", "inv%"]
    add_records(pynenc_state_backend, *(new_history(invocation_id) for invocation_id in ids))
    found = {
        invocation_id: [
            record.invocation_id for record in pynenc_state_backend.get_history(invocation_id)
        ]
        for invocation_id in ids
    }
    assert found == {invocation_id: [invocation_id] for invocation_id in ids}


@clause("SB-HIS-05", hint="sort by the record's time stamp when reading")
def records_come_oldest_first(pynenc_state_backend: StateBackend) -> None:
    """A history is in the order of its time stamps, whatever the order of writing was."""
    moments = [at(offset * 1_000_000) for offset in range(6)]
    _add(pynenc_state_backend, *(moments[index] for index in (3, 0, 5, 1, 4, 2)))
    assert _times(pynenc_state_backend.get_history("invocation")) == moments
    assert _times(pynenc_state_backend._get_history("invocation")) == moments


@clause("SB-HIS-06", hint="sort by the time stamp of the record, not by that of its status_record")
def the_order_is_not_that_of_the_statuses(pynenc_state_backend: StateBackend) -> None:
    """The time stamps of status records play no part in the order of a history."""
    earlier = new_history("invocation", at(0), new_record(timestamp=at(9_000_000)))
    later = new_history("invocation", at(5_000_000), new_record(timestamp=at(1_000_000)))
    add_records(pynenc_state_backend, later, earlier)
    assert _times(pynenc_state_backend.get_history("invocation")) == [at(0), at(5_000_000)]


@clause("SB-HIS-07", hint="break ties by the order of writing: a running number for each record")
def records_of_one_instant_come_as_written(pynenc_state_backend: StateBackend) -> None:
    """Records of one invocation with equal time stamps stay in the order they were written in."""
    records = [new_history("invocation", START, new_record(status)) for status in _STATUSES]
    later = new_history("invocation", at(1_000_000), new_record(InvocationStatus.KILLED))
    add_records(pynenc_state_backend, later, *records)
    history = pynenc_state_backend.get_history("invocation")
    found = [record.status_record.status for record in history]
    assert found == [*_STATUSES, InvocationStatus.KILLED]


@clause("SB-HIS-08", hint="invocation, time and status are no key: append, never overwrite")
def equal_records_are_all_kept(pynenc_state_backend: StateBackend) -> None:
    """Records of the same invocation, instant and status do not replace each other."""
    records = [new_history("invocation", runner_context_id=context) for context in "abb"]
    add_records(pynenc_state_backend, *records)
    assert len(pynenc_state_backend.get_history("invocation")) == 3


@clause(
    "SB-HIS-09", hint="store times in microseconds, as integers or text: milliseconds lose some"
)
def a_microsecond_tells_records_apart(pynenc_state_backend: StateBackend) -> None:
    """Time stamps keep every microsecond, and order by it."""
    moments = [at(offset) for offset in range(-3, 4)]
    _add(pynenc_state_backend, *moments[::-1])
    assert _times(pynenc_state_backend.get_history("invocation")) == moments


@clause("SB-HIS-10", hint="compare instants, not their text; return aware datetimes")
def an_instant_of_another_utc_offset_is_kept(pynenc_state_backend: StateBackend) -> None:
    """A record written in another UTC offset has its place by instant, and an aware time stamp."""
    elsewhere = timezone(timedelta(hours=5, minutes=30))
    moments = [at(0), at(1_000_000).astimezone(elsewhere), at(2_000_000)]
    _add(pynenc_state_backend, *moments[::-1])
    # A naive time stamp would not be equal to an aware one.
    assert _times(pynenc_state_backend.get_history("invocation")) == moments


@clause("SB-HIS-11", hint="_add_histories takes a list of ids, and one record for all of them")
def one_record_is_added_to_every_history(pynenc_state_backend: StateBackend) -> None:
    """A record that is added for several invocations is in the history of each."""
    ids = [unique_id("invocation") for _ in range(60)]
    # Which id the record names in the histories of the others is nowhere said.
    pynenc_state_backend._add_histories(ids, new_history(ids[0], at(7000)))
    found = {
        invocation_id: _times(pynenc_state_backend.get_history(invocation_id))
        for invocation_id in ids
    }
    assert found == {invocation_id: [at(7000)] for invocation_id in ids}


@clause("SB-HIS-12", hint="return early for an empty list; some drivers refuse an empty batch")
def a_record_for_nobody_is_no_error(pynenc_state_backend: StateBackend) -> None:
    """Adding a record for no invocation is no error, and adds nothing."""
    pynenc_state_backend._add_histories([], new_history("invocation"))
    assert pynenc_state_backend.get_history("invocation") == []


@clause("SB-HIS-13", hint="return copies: an InvocationHistory can be changed by who reads it")
def a_returned_record_is_private(pynenc_state_backend: StateBackend) -> None:
    """Changing a record, or the list, that a read returned changes nothing in the store."""
    _add(pynenc_state_backend, at(0))
    history = pynenc_state_backend.get_history("invocation")
    history[0]._timestamp = at(99_000)
    history.clear()
    assert _times(pynenc_state_backend.get_history("invocation")) == [at(0)]


@clause("SB-HIS-14", hint="keep a copy: the record is still the writer's")
def a_written_record_is_private(pynenc_state_backend: StateBackend) -> None:
    """Changing a record after it was written changes nothing in the store."""
    record = new_history("invocation", at(0))
    add_records(pynenc_state_backend, record)
    record._timestamp = at(99_000)
    assert _times(pynenc_state_backend.get_history("invocation")) == [at(0)]


@clause(
    "SB-HIS-21", hint="get_history has no batches: look for a limit in the query, or in the driver"
)
def a_long_history_comes_back_whole(pynenc_state_backend: StateBackend) -> None:
    """A history comes back whole, however many records it has."""
    moments = [at(offset * 1000) for offset in range(150)]
    _add(pynenc_state_backend, *moments)
    assert _times(pynenc_state_backend.get_history("invocation")) == moments
