"""A range of time is walked in batches: nothing twice, nothing left out, in order."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import (
    add_records,
    at,
    flat,
    new_history,
    new_record,
)

if TYPE_CHECKING:
    from pytest_pynenc_state.conformance.making import StateBackend


def _walks(backend: StateBackend) -> dict[str, Callable[..., Iterator[list[Any]]]]:
    """The two ways to walk a range, by name."""
    return {
        "history": backend.iter_history_in_timerange,
        "invocations": backend.iter_invocations_in_timerange,
    }


def _ms(milliseconds: int) -> datetime:
    """An instant: so many milliseconds after the start."""
    return at(milliseconds * 1000)


def _add(backend: StateBackend, *moments: tuple[str, int]) -> None:
    """Add a record for each invocation id, at so many milliseconds after the start."""
    add_records(backend, *(new_history(each, _ms(offset)) for each, offset in moments))


def _ids(batches: Iterable[list[Any]]) -> list[str]:
    return [getattr(item, "invocation_id", item) for item in flat(batches)]


@clause("SB-RNG-01", hint="compare with <= at both ends")
def both_ends_of_a_range_are_inside(pynenc_state_backend: StateBackend) -> None:
    """A range includes what happened at its first and its last instant, and nothing outside."""
    _add(pynenc_state_backend, *((f"at {offset}", offset) for offset in range(-2, 5)))
    for name, walk in _walks(pynenc_state_backend).items():
        found = sorted(_ids(walk(_ms(0), _ms(2))))
        assert (name, found) == (name, ["at 0", "at 1", "at 2"])


@clause("SB-RNG-02", hint="times as floating-point numbers lose the last microsecond")
def a_range_tells_microseconds_apart(pynenc_state_backend: StateBackend) -> None:
    """A range of one microsecond finds what happened at that one, and not at the next."""
    moments = {"before": at(-1), "at": at(0), "after": at(1)}
    add_records(pynenc_state_backend, *(new_history(key, moments[key]) for key in moments))
    for name, walk in _walks(pynenc_state_backend).items():
        found = {key: _ids(walk(moment, moment)) for key, moment in moments.items()}
        assert (name, found) == (name, {key: [key] for key in moments})


@clause("SB-RNG-03", hint="such a range is no error, and it is not to be turned around")
def a_range_that_ends_before_it_starts_is_empty(pynenc_state_backend: StateBackend) -> None:
    """A range whose start is after its end holds nothing."""
    _add(pynenc_state_backend, ("at", 0))
    for name, walk in _walks(pynenc_state_backend).items():
        assert (name, list(walk(_ms(1), _ms(-1)))) == (name, [])


@clause("SB-RNG-04", hint="yield no list for nothing found")
def a_range_without_records_has_no_batches(pynenc_state_backend: StateBackend) -> None:
    """A range in which nothing happened has no batches, not an empty one."""
    _add(pynenc_state_backend, ("before", -1), ("after", 6))
    for name, walk in _walks(pynenc_state_backend).items():
        assert (name, list(walk(_ms(0), _ms(5)))) == (name, [])


@clause("SB-RNG-05", hint="the last batch may be smaller, and is not to be forgotten or be empty")
def batches_hold_all_and_none_is_too_large(pynenc_state_backend: StateBackend) -> None:
    """Every batch has from one to batch_size items, and all batches together have everything."""
    _add(pynenc_state_backend, *((f"at {offset}", offset) for offset in range(7)))
    for batch_size in (1, 2, 3, 6, 7, 8, 1000):
        for name, walk in _walks(pynenc_state_backend).items():
            batches = list(walk(_ms(0), _ms(9), batch_size))
            case = (name, batch_size)
            assert [case for batch in batches if not 1 <= len(batch) <= batch_size] == []
            assert (case, sorted(_ids(batches))) == (case, [f"at {each}" for each in range(7)])


@clause("SB-RNG-06", hint="without a batch_size, go on after the first 100")
def a_walk_without_a_batch_size_finds_everything(pynenc_state_backend: StateBackend) -> None:
    """A walk that is not told a batch size finds everything too."""
    ids = [f"{number:03}" for number in range(250)]
    pynenc_state_backend._add_histories(ids, new_history(ids[0]))
    histories = flat(pynenc_state_backend.iter_history_in_timerange(at(0), at(0)))
    invocations = flat(pynenc_state_backend.iter_invocations_in_timerange(at(0), at(0)))
    assert (len(histories), sorted(invocations)) == (250, ids)


@clause("SB-RNG-07", hint="sort all of the range, not each batch")
def records_ascend_over_all_batches(pynenc_state_backend: StateBackend) -> None:
    """Time stamps ascend from batch to batch, whatever the order of writing was."""
    offsets = list(range(60))
    random.Random(20240229).shuffle(offsets)  # noqa: S311 - the same shuffle in every run
    _add(pynenc_state_backend, *((f"of {offset % 7}", offset) for offset in offsets))
    walked = flat(pynenc_state_backend.iter_history_in_timerange(_ms(0), _ms(59), 7))
    assert [record.timestamp for record in walked] == [_ms(offset) for offset in range(60)]


@clause("SB-RNG-08", hint="a page cannot go on 'after this time': several records may share it")
def a_tie_longer_than_a_batch_is_walked_whole(pynenc_state_backend: StateBackend) -> None:
    """Records of one instant that fill several batches are neither repeated nor left out."""
    ids = [f"{number:x}" for number in (5, 0, 6, 3, 1, 4, 2)]
    _add(pynenc_state_backend, *((invocation_id, 0) for invocation_id in ids), ("later", 1))
    for name, walk in _walks(pynenc_state_backend).items():
        found = _ids(walk(_ms(0), _ms(1), 2))
        assert (name, sorted(found)) == (name, sorted([*ids, "later"]))


@clause("SB-RNG-09", hint="convert to one time zone before comparing; do not compare ISO texts")
def a_range_is_the_same_in_every_utc_offset(pynenc_state_backend: StateBackend) -> None:
    """A range holds the same instants, whatever UTC offset it and the records are written in."""
    _add(pynenc_state_backend, ("before", -1), ("first", 0), ("last", 2), ("after", 3))
    east, west = timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-9))
    add_records(pynenc_state_backend, new_history("middle", _ms(1).astimezone(east)))
    start, end = _ms(0).astimezone(west), _ms(2).astimezone(west)
    for name, walk in _walks(pynenc_state_backend).items():
        assert (name, sorted(_ids(walk(start, end)))) == (name, ["first", "last", "middle"])


@clause("SB-RNG-10", hint="ids have to be distinct over the whole walk, not in each batch")
def an_invocation_is_walked_once(pynenc_state_backend: StateBackend) -> None:
    """An invocation comes once, if any of its records is in the range, however many are."""
    moments = [("late", 9), ("often", 1), ("other", 2), ("often", 3), ("late", 4), ("often", 5)]
    _add(pynenc_state_backend, *moments, ("outside", 9))
    found = _ids(pynenc_state_backend.iter_invocations_in_timerange(_ms(0), _ms(5), 1))
    assert sorted(found) == ["late", "often", "other"]


@clause("SB-RNG-11", hint="build a record of a range like one of a history, with all its fields")
def records_of_a_range_are_whole(pynenc_state_backend: StateBackend) -> None:
    """A record found by time says the same as in the history of its invocation."""
    status_record = new_record(InvocationStatus.PENDING, "runner", _ms(-1_000))
    record = new_history("invocation", _ms(3), status_record, "context", "registrant")
    add_records(pynenc_state_backend, record)
    (found,) = flat(pynenc_state_backend.iter_history_in_timerange(_ms(3), _ms(3)))
    (expected,) = pynenc_state_backend.get_history("invocation")
    assert vars(found) == vars(expected)


@clause("SB-RNG-12", hint="yield copies: an InvocationHistory can be changed by who reads it")
def records_of_a_range_are_private(pynenc_state_backend: StateBackend) -> None:
    """Changing a record that was found by time changes nothing in the store."""
    _add(pynenc_state_backend, ("invocation", 0))
    (record,) = flat(pynenc_state_backend.iter_history_in_timerange(at(0), at(0)))
    record._timestamp = _ms(99)
    found = flat(pynenc_state_backend.iter_history_in_timerange(at(0), at(0)))
    assert [each.timestamp for each in found] == [at(0)]


@clause("SB-RNG-13", hint="go on from the last item, not from a count: OFFSET repeats rows")
def what_is_added_meanwhile_repeats_nothing(pynenc_state_backend: StateBackend) -> None:
    """Records added during a walk make it neither fail, nor repeat or leave out what was there."""
    walks = _walks(pynenc_state_backend).items()
    for first, (name, walk) in zip((0, 100), walks, strict=True):
        ids = [f"mm {name} {offset}" for offset in range(8)]
        _add(pynenc_state_backend, *((each, first + offset) for offset, each in enumerate(ids)))
        walked: list[str] = []
        for number, batch in enumerate(walk(_ms(first), _ms(first + 9), 2)):
            walked += _ids([batch])
            if number < len(ids):  # or a walk that sees what is added would never end
                new = (f"aa {name} {number}", first), (f"zz {name} {number}", first + 9)
                _add(pynenc_state_backend, *new)
        assert (name, sorted(each for each in walked if each in ids)) == (name, ids)
        assert (name, len(walked)) == (name, len(set(walked)))


@clause("SB-RNG-14", hint="look for a limit in the query, or in the driver")
def there_is_no_cap_on_what_a_range_holds(pynenc_state_backend: StateBackend) -> None:
    """A walk finds everything, however much it is."""
    ids = [f"{number:05}" for number in range(10_051)]
    pynenc_state_backend._add_histories(ids, new_history(ids[0]))
    histories = flat(pynenc_state_backend.iter_history_in_timerange(at(0), at(0), 20_000))
    invocations = flat(pynenc_state_backend.iter_invocations_in_timerange(at(0), at(0), 20_000))
    assert (len(histories), sorted(invocations) == ids) == (10_051, True)
