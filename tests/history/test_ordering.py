"""The order of records, where the clocks of several processes tie or contradict the rules."""

from __future__ import annotations

import random
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_pynenc_state.history.ordering import CLOCK_TOLERANCE, is_legal, ordered
from pytest_pynenc_state.history.records import History, Record
from tests.history.builders import CLIENT, RUNNER, legal_walks, record, records

OTHER = "runner-2"
TOLERANCE_S = CLOCK_TOLERANCE.total_seconds()


def statuses(arranged: list[Record]) -> list[str]:
    return [each.status.value for each in arranged]


@given(legal_walks(), st.randoms(use_true_random=False))
def test_records_that_a_clock_tells_apart_come_in_its_order(
    walk: History, chance: random.Random
) -> None:
    """In whatever order the store has them."""
    shuffled = list(walk.records)
    chance.shuffle(shuffled)

    assert ordered(shuffled) == (list(walk.records), ())


@pytest.mark.parametrize("stored", list(permutations(range(3))))
def test_a_tie_of_two_processes_is_resolved_by_the_rules_and_noted(stored: tuple[int, ...]) -> None:
    """A client registers and a runner takes it in one tick of the clock."""
    in_order = (
        record("registered", 0.0, mover=CLIENT),
        record("pending", 0.0, RUNNER),
        record("running", 0.01, RUNNER),
    )

    assert ordered([in_order[i] for i in stored]) == (list(in_order), (1,))


def test_an_inversion_between_two_processes_is_set_right_and_noted() -> None:
    """The clock of the runner is behind that of the client."""
    registered = record("registered", TOLERANCE_S, mover=CLIENT)
    pending = record("pending", 0.0, RUNNER)

    assert ordered([pending, registered]) == ([registered, pending], (1,))


def test_an_inversion_by_more_than_clocks_may_differ_stays() -> None:
    registered = record("registered", TOLERANCE_S + 0.001, mover=CLIENT)
    pending = record("pending", 0.0, RUNNER)

    arranged, unknown = ordered([registered, pending])

    assert (statuses(arranged), unknown) == (["pending", "registered"], ())


def test_a_process_knows_the_order_of_its_own_records() -> None:
    """It has set the status of the second one later; that is not the clock's fault."""
    running = record("running", 0.01, RUNNER)
    pending = record("pending", 0.02, RUNNER)

    arranged, unknown = ordered([record("registered", mover=CLIENT), running, pending])

    assert (statuses(arranged), unknown) == (["registered", "running", "pending"], ())


def test_a_tie_within_one_process_is_resolved_by_the_rules() -> None:
    """A store that keeps milliseconds may have sorted the two by anything."""
    registered = record("registered", mover=CLIENT)
    pending, running = record("pending", 0.01, RUNNER), record("running", 0.01, RUNNER)

    assert ordered([registered, running, pending]) == ([registered, pending, running], ())


def test_another_owner_within_the_tolerance_is_not_taken_for_a_clock_that_differs() -> None:
    """Two runners that both took an invocation are not arranged into one story."""
    story = [
        record("registered", mover=CLIENT),
        record("pending", 0.010, RUNNER),
        record("running", 0.011, RUNNER),
        record("pending", 0.012, OTHER),
        record("running", 0.013, OTHER),
    ]

    arranged, _ = ordered(story)

    assert statuses(arranged) == ["registered", "pending", "running", "pending", "running"]
    assert not is_legal(arranged)


def test_a_record_that_is_illegal_does_not_disturb_the_order_of_the_others() -> None:
    legal = records("registered", "pending", "running", "success")
    late = record("running", 1.0, OTHER)

    assert ordered([*legal, late]) == ([*legal, late], ())


def test_no_record_at_all_is_in_order() -> None:
    assert ordered([]) == ([], ())
