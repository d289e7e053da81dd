"""What is said of ranges of time beyond pynenc's contract: the order of ties, full batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pynenc.app import Pynenc

from pytest_pynenc_state.conformance.making import at, flat, new_history

if TYPE_CHECKING:
    from pytest_pynenc_state.backends.state_backend import PytestStateBackend

#: The two ways to walk a range, by name.
WALKS: dict[str, Callable[..., Any]] = {
    "history": lambda backend, *arguments: backend.iter_history_in_timerange(*arguments),
    "invocations": lambda backend, *arguments: backend.iter_invocations_in_timerange(*arguments),
}
all_walks = pytest.mark.parametrize("walk", WALKS.values(), ids=WALKS)


def _write(backend: PytestStateBackend, *moments: tuple[str, int]) -> None:
    for invocation_id, offset in moments:
        backend._add_histories([invocation_id], new_history(invocation_id, at(offset)))


def _ids(items: list[Any]) -> list[str]:
    return [getattr(item, "invocation_id", item) for item in items]


@all_walks
@pytest.mark.parametrize(
    ("batch_size", "sizes"),
    [(1, [1] * 7), (2, [2, 2, 2, 1]), (3, [3, 3, 1]), (7, [7]), (8, [7]), (10**9, [7])],
)
def test_batches_are_full_but_the_last(
    pynenc_state_backend: PytestStateBackend,
    walk: Callable[..., Any],
    batch_size: int,
    sizes: list[int],
) -> None:
    """Each list has the batch size, the last one what is left."""
    _write(pynenc_state_backend, *((f"at {offset}", offset) for offset in range(7)))
    batches = list(walk(pynenc_state_backend, at(0), at(9), batch_size))
    assert [len(batch) for batch in batches] == sizes


@all_walks
@pytest.mark.parametrize("batch_size", [0, -1])
def test_a_batch_size_that_no_batch_can_have_is_refused(
    pynenc_state_backend: PytestStateBackend, walk: Callable[..., Any], batch_size: int
) -> None:
    """The call itself raises ValueError, before anything is iterated."""
    with pytest.raises(ValueError, match=f"at least 1, got {batch_size}"):
        walk(pynenc_state_backend, at(0), at(9), batch_size)


@all_walks
def test_records_of_one_instant_are_walked_in_the_order_of_writing(
    pynenc_state_backend: PytestStateBackend, walk: Callable[..., Any]
) -> None:
    """A tie is walked as it was written, over several batches."""
    ids = [f"{number:x}" for number in (5, 0, 6, 3, 1, 4, 2)]
    _write(pynenc_state_backend, ("later", 1), *((invocation_id, 0) for invocation_id in ids))
    assert _ids(flat(walk(pynenc_state_backend, at(0), at(1), 2))) == [*ids, "later"]


def test_invocations_are_walked_in_the_order_of_their_first_records(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """The first record of each that lies in the range decides its place."""
    moments = [("late", 9), ("often", 1), ("other", 2), ("often", 3), ("late", 4), ("often", 5)]
    _write(pynenc_state_backend, *moments, ("outside", 9))
    batches = pynenc_state_backend.iter_invocations_in_timerange(at(0), at(5), 1)
    assert flat(batches) == ["often", "other", "late"]


@all_walks
@pytest.mark.parametrize("batch_size", [1, 2, 3])
def test_what_is_written_meanwhile_does_not_come(
    pynenc_state_backend: PytestStateBackend, walk: Callable[..., Any], batch_size: int
) -> None:
    """Records added before and behind the cursor neither repeat nor displace any, nor come."""
    ids = [f"at {offset}" for offset in range(10)]
    _write(pynenc_state_backend, *((each, offset) for offset, each in enumerate(ids)))
    walked: list[str] = []
    for number, batch in enumerate(walk(pynenc_state_backend, at(0), at(9), batch_size)):
        walked += _ids(batch)
        if number < len(ids):  # or a walk that sees what is added would never end
            _write(pynenc_state_backend, (f"early {number}", 0), (f"late {number}", 9))
    assert walked == ids


@all_walks
def test_what_is_written_after_a_purge_does_not_come(
    pynenc_state_backend: PytestStateBackend, walk: Callable[..., Any]
) -> None:
    """A walk that began before a purge may end early, but sees nothing newer than itself."""
    _write(pynenc_state_backend, *((f"old {offset}", offset) for offset in range(4)))
    batches = walk(pynenc_state_backend, at(0), at(9), 1)
    walked = _ids(next(batches))
    pynenc_state_backend.purge()
    _write(pynenc_state_backend, *((f"new {offset}", offset) for offset in range(4, 8)))
    walked += _ids(flat(batches))
    assert [each for each in walked if each.startswith("new")] == []


@all_walks
def test_what_is_written_after_another_app_was_purged_does_not_come(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend, walk: Callable[..., Any]
) -> None:
    """What made room in the store is not what the walk goes over."""
    values = {**(pynenc_app.config_values or {}), "app_id": "another"}
    another = type(pynenc_state_backend)(Pynenc(config_values=values))
    _write(pynenc_state_backend, ("old 0", 0), ("old 1", 1))
    _write(another, ("another's", 2), ("another's", 3))
    batches = walk(pynenc_state_backend, at(0), at(9), 1)
    walked = _ids(next(batches))
    another.purge()
    _write(pynenc_state_backend, ("new", 4))
    walked += _ids(flat(batches))
    assert walked == ["old 0", "old 1"]


def _model(moments: list[int], start: int, end: int) -> list[int]:
    """What a range of *moments* holds: indices in the order of time, then of writing."""
    order = sorted(range(len(moments)), key=moments.__getitem__)
    return [index for index in order if start <= moments[index] <= end]


@settings(
    max_examples=40,
    database=None,  # every run tries the same, and leaves nothing behind
    deadline=None,  # the machine's business, not the store's
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # purged for each example
)
@given(
    moments=st.lists(st.integers(-4, 4), max_size=12),
    start=st.integers(-5, 5),
    end=st.integers(-5, 5),
    batch_size=st.integers(1, 5),
)
@example(moments=[0, 0, 0, 0], start=0, end=0, batch_size=1)
def test_a_walk_equals_a_sorted_list(
    pynenc_state_backend: PytestStateBackend,
    moments: list[int],
    start: int,
    end: int,
    batch_size: int,
) -> None:
    """For any records, range and batch size, both walks give what a sorted list would."""
    pynenc_state_backend.purge()
    _write(pynenc_state_backend, *((str(index), offset) for index, offset in enumerate(moments)))
    expected = [str(index) for index in _model(moments, start, end)]
    walked = [
        _ids(flat(walk(pynenc_state_backend, at(start), at(end), batch_size)))
        for walk in WALKS.values()
    ]
    assert walked == [expected, expected]
