"""A history only grows, is in the order of its own time stamps, and is its reader's own."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import TYPE_CHECKING

from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import (
    START,
    add_records,
    at,
    fields_of,
    new_history,
    new_record,
    unique_id,
)

if TYPE_CHECKING:
    from pytest_pynenc_state.conformance.making import StateBackend

#: In an order that is neither that of the alphabet nor that of a life, nor a reverse of these.
_STATUSES = (
    InvocationStatus.RUNNING,
    InvocationStatus.FAILED,
    InvocationStatus.REGISTERED,
    InvocationStatus.PENDING,
)


@clause("SB-HIS-01", hint="a record has two times: its own, and that of its status record")
def a_record_comes_back_with_its_status(pynenc_state_backend: StateBackend) -> None:
    """A history record comes back with its time, its status, that status's owner and time."""
    status_record = new_record(InvocationStatus.PENDING, "runner", at(-1_000_007))
    record = new_history("invocation", at(3), status_record)
    add_records(pynenc_state_backend, record)
    assert fields_of(pynenc_state_backend.get_history("invocation")) == fields_of([record])


@clause("SB-HIS-02", hint="store runner_context_id and registered_by_inv_id too")
def a_record_comes_back_with_its_authors(pynenc_state_backend: StateBackend) -> None:
    """A record names the runner context, and the registering invocation, it was written with."""
    records = [
        new_history("invocation", at(0), runner_context_id="one", registered_by_inv_id="parent"),
        new_history("invocation", at(1), runner_context_id="two", registered_by_inv_id=None),
    ]
    add_records(pynenc_state_backend, *records)
    assert fields_of(pynenc_state_backend.get_history("invocation")) == fields_of(records)


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
    for invocation_id in ids:
        found = pynenc_state_backend.get_history(invocation_id)
        assert fields_of(found) == fields_of([new_history(invocation_id)])


@clause("SB-HIS-05", hint="sort by the record's time stamp when reading")
def records_come_oldest_first(pynenc_state_backend: StateBackend) -> None:
    """A history is in the order of its time stamps, whatever the order of writing was."""
    records = [new_history("invocation", at(offset * 1_000_000)) for offset in range(6)]
    add_records(pynenc_state_backend, *(records[index] for index in (3, 0, 5, 1, 4, 2)))
    assert fields_of(pynenc_state_backend.get_history("invocation")) == fields_of(records)
    assert fields_of(pynenc_state_backend._get_history("invocation")) == fields_of(records)


@clause("SB-HIS-06", hint="sort by the time stamp of the record, not by that of its status_record")
def the_order_is_not_that_of_the_statuses(pynenc_state_backend: StateBackend) -> None:
    """The time stamps of status records play no part in the order of a history."""
    earlier = new_history("invocation", at(0), new_record(timestamp=at(9_000_000)))
    later = new_history("invocation", at(5_000_000), new_record(timestamp=at(1_000_000)))
    add_records(pynenc_state_backend, later, earlier)
    found = pynenc_state_backend.get_history("invocation")
    assert fields_of(found) == fields_of([earlier, later])


@clause("SB-HIS-07", hint="break ties by the order of writing: a running number for each record")
def records_of_one_instant_come_as_written(pynenc_state_backend: StateBackend) -> None:
    """Records of one invocation with equal time stamps stay in the order they were written in."""
    records = [new_history("invocation", START, new_record(status)) for status in _STATUSES]
    later = new_history("invocation", at(1_000_000))
    add_records(pynenc_state_backend, later, *records)
    found = pynenc_state_backend.get_history("invocation")
    assert fields_of(found) == fields_of([*records, later])


@clause("SB-HIS-08", hint="invocation, time and status are no key: append, never overwrite")
def equal_records_are_all_kept(pynenc_state_backend: StateBackend) -> None:
    """Records of the same invocation, instant and status do not replace each other."""
    records = [new_history("invocation", runner_context_id=context) for context in "abb"]
    add_records(pynenc_state_backend, *records)
    found = [each.runner_context_id for each in pynenc_state_backend.get_history("invocation")]
    assert sorted(found) == ["a", "b", "b"]


@clause(
    "SB-HIS-09", hint="store times in microseconds, as integers or text: milliseconds lose some"
)
def a_microsecond_tells_records_apart(pynenc_state_backend: StateBackend) -> None:
    """Time stamps keep every microsecond, and order by it."""
    records = [new_history("invocation", at(offset)) for offset in range(-3, 4)]
    add_records(pynenc_state_backend, *records[::-1])
    assert fields_of(pynenc_state_backend.get_history("invocation")) == fields_of(records)


@clause("SB-HIS-10", hint="compare instants, not their text; return aware datetimes")
def an_instant_of_another_utc_offset_is_kept(pynenc_state_backend: StateBackend) -> None:
    """A record written in another UTC offset has its place by instant, and an aware time stamp."""
    elsewhere = timezone(timedelta(hours=5, minutes=30))
    moments = [at(0), at(1).astimezone(elsewhere), at(2)]
    records = [
        new_history("invocation", moment, new_record(timestamp=moment)) for moment in moments
    ]
    add_records(pynenc_state_backend, *records[::-1])
    assert fields_of(pynenc_state_backend.get_history("invocation")) == fields_of(records)


@clause("SB-HIS-11", hint="_add_histories takes a list of ids, and one record for all of them")
def one_record_is_added_to_every_history(pynenc_state_backend: StateBackend) -> None:
    """A record that is added for several invocations is in the history of each."""
    ids = [unique_id("invocation") for _ in range(60)]
    # Which id the record names in the histories of the others is nowhere said.
    pynenc_state_backend._add_histories(ids, new_history(ids[0], at(7)))
    found = {
        invocation_id: [each.timestamp for each in pynenc_state_backend.get_history(invocation_id)]
        for invocation_id in ids
    }
    assert found == {invocation_id: [at(7)] for invocation_id in ids}


@clause("SB-HIS-12", hint="return early for an empty list; some drivers refuse an empty batch")
def a_record_for_nobody_is_no_error(pynenc_state_backend: StateBackend) -> None:
    """Adding a record for no invocation is no error, and adds nothing."""
    pynenc_state_backend._add_histories([], new_history("invocation"))
    assert pynenc_state_backend.get_history("invocation") == []


@clause("SB-HIS-13", hint="return copies: an InvocationHistory can be changed by who reads it")
def a_returned_record_is_private(pynenc_state_backend: StateBackend) -> None:
    """Changing a record, or the list, that a read returned changes nothing in the store."""
    add_records(pynenc_state_backend, new_history("invocation"))
    history = pynenc_state_backend.get_history("invocation")
    history[0].runner_context_id = "changed"
    history[0]._timestamp = at(99)
    history.clear()
    found = pynenc_state_backend.get_history("invocation")
    assert fields_of(found) == fields_of([new_history("invocation")])


@clause("SB-HIS-14", hint="keep a copy: the record is still the writer's")
def a_written_record_is_private(pynenc_state_backend: StateBackend) -> None:
    """Changing a record after it was written changes nothing in the store."""
    record = new_history("invocation")
    add_records(pynenc_state_backend, record)
    record.runner_context_id = "changed"
    record._timestamp = at(99)
    found = pynenc_state_backend.get_history("invocation")
    assert fields_of(found) == fields_of([new_history("invocation")])


@clause(
    "SB-HIS-21", hint="get_history has no batches: look for a limit in the query, or in the driver"
)
def a_long_history_comes_back_whole(pynenc_state_backend: StateBackend) -> None:
    """A history comes back whole, however many records it has."""
    records = [new_history("invocation", at(offset)) for offset in range(150)]
    add_records(pynenc_state_backend, *records)
    assert fields_of(pynenc_state_backend.get_history("invocation")) == fields_of(records)
