"""Keys, and lists of any length."""

from __future__ import annotations

import time

import pytest

from pytest_pynenc_state.backends.mongo.schema import in_chunks, key, write_keys


def test_write_keys_sort_as_they_were_made_though_the_clock_stands_still(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As in a test that freezes it, or after it was set back."""
    clock = iter([5 * 10**18, 5 * 10**18, 4 * 10**18])
    monkeypatch.setattr(time, "time_ns", lambda: next(clock))
    made = [*write_keys(3), *write_keys(1), *write_keys(2)]
    assert (sorted(made), len(set(made))) == (made, 6)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a-b", "c"), ("a", "b-c")),
        (("a", "b", "c"), ("a", 'b", "c')),
        (("a", "\U0001f600"), ("a", "\ud83d\ude00")),
        (("a", "\\ud83d"), ("a", "\ud83d")),
    ],
)
def test_other_parts_make_another_key(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    """Also such as look alike, and halves of surrogate pairs."""
    keys = key(*one), key(*other)
    assert keys[0] != keys[1]
    assert all(each.encode() for each in keys)


@pytest.mark.parametrize("length", [1, 40, 3000, 9 * 10**6])
def test_lists_are_cut_to_what_a_command_may_have(length: int) -> None:
    """All values, in their order, in parts of less than 16 MiB, however long each is."""
    values = [str(number) * length for number in range(10)] * (1000 if length < 10**4 else 1)
    parts = list(in_chunks(values))
    assert [value for part in parts for value in part] == values
    assert all(len(part) == 1 or sum(map(len, part)) < 8 * 1024 * 1024 for part in parts)
