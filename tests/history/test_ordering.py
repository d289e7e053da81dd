"""The order of records, where the clocks of several processes tie or contradict the rules."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import combinations, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_pynenc_state.history.arranging import CLOCK_TOLERANCE
from pytest_pynenc_state.history.ordering import is_legal, may_be_legal, ordered
from pytest_pynenc_state.history.records import History, Record
from tests.history.builders import CLIENT, RUNNER, legal_walks, record, records

OTHER = "runner-2"
TOLERANCE_S = CLOCK_TOLERANCE.total_seconds()


# The same examples each time: they are to be quick, and a seldom one is found by hand.
repeatable = settings(derandomize=True, deadline=None)


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


CLOCKS_DIFFER = (
    record("registered", mover=CLIENT),
    record("pending", 0.060, RUNNER),
    record("rerouted", 0.065, mover=RUNNER),
    # The clock of the other one is 20 ms behind.
    record("pending", 0.050, OTHER),
    record("running", 0.070, OTHER),
    record("success", 0.075, mover=OTHER),
)


def test_a_first_choice_that_leads_nowhere_is_taken_back() -> None:
    """What is first by the stamps is allowed there, but nothing is that comes later."""
    arranged, unknown = ordered(CLOCKS_DIFFER)

    assert (tuple(arranged), unknown) == (CLOCKS_DIFFER, (3,))


def test_what_is_illegal_is_illegal_though_clocks_differ() -> None:
    """It comes last, and all that is in front of it is in an order that is allowed."""
    again = record("success", 0.080, mover=RUNNER)

    arranged, unknown = ordered([again, *CLOCKS_DIFFER])

    assert (tuple(arranged), unknown) == ((*CLOCKS_DIFFER, again), (3,))
    assert not may_be_legal(arranged)


def test_the_record_of_the_status_comes_last_if_it_can() -> None:
    """The orders of two claims that were given up are both legal, and only one ends as it did."""
    first = (record("pending", 0.060, RUNNER), record("rerouted", 0.065, mover=RUNNER))
    second = (record("pending", 0.045, OTHER), record("rerouted", 0.050, mover=OTHER))
    registered = record("registered", mover=CLIENT)
    records = [registered, *second, *first]

    assert ordered(records) == (records, ())
    assert ordered(records, first[1].__eq__) == (records, ())
    assert ordered(records, second[1].__eq__) == ([registered, *first, *second], (3,))
    # It has moved on since.
    assert ordered(records, first[0].__eq__) == (records, ())


def is_known_first(one: Record, other: Record) -> bool:
    """Whether the stamps tell that *one* was before *other*."""
    is_one_clock = one.process == other.process
    return other.at - one.at > (timedelta(0) if is_one_clock else CLOCK_TOLERANCE)


def keeps_what_is_known(arranged: Sequence[Record]) -> bool:
    """Whether no record is behind one that the stamps tell it was before."""
    return not any(is_known_first(later, sooner) for sooner, later in combinations(arranged, 2))


@st.composite
def by_their_own_clocks(draw: st.DrawFn, walks: st.SearchStrategy[History]) -> list[Record]:
    """The records of a walk, each at the instant that its process's clock had; in true order."""
    step_ms = draw(st.sampled_from([0, 1, 7, 20]))
    behind_ms = {each: draw(st.integers(0, 50)) for each in (CLIENT, RUNNER, OTHER)}
    return [
        record(
            each.status.value,
            (position * step_ms - behind_ms[each.mover]) / 1000,
            each.owner,
            each.mover,
        )
        for position, each in enumerate(draw(walks))
    ]


@repeatable
@given(by_their_own_clocks(legal_walks(min_size=6)), st.randoms(use_true_random=False))
def test_clocks_that_differ_within_the_tolerance_make_nothing_illegal(
    walk: list[Record], chance: random.Random
) -> None:
    """What is found is an order of the same records that the clocks allow, and tells where."""
    shuffled = chance.sample(walk, len(walk))

    arranged, unknown = ordered(shuffled, walk[-1].__eq__)

    assert is_legal(ordered(shuffled)[0])
    assert is_legal(arranged)
    assert arranged[-1] == walk[-1]
    assert sorted(map(repr, arranged)) == sorted(map(repr, walk))
    assert keeps_what_is_known(arranged)
    inverted = [at for at in range(1, len(walk)) if arranged[at].at < arranged[at - 1].at]
    assert set(inverted) <= set(unknown)


@repeatable
@given(by_their_own_clocks(legal_walks(min_size=5, max_size=5)), st.randoms(use_true_random=False))
def test_what_is_legal_in_no_order_stays_illegal(walk: list[Record], chance: random.Random) -> None:
    """Trying all orders that the clocks allow comes to the same, whatever is wrong."""
    place = chance.randrange(len(walk))
    wrong = chance.choice(
        [
            replace(walk[place], owner=chance.choice([None, RUNNER, OTHER])),
            replace(walk[place], mover=chance.choice([CLIENT, RUNNER, OTHER])),
            replace(walk[place], at=walk[place].at + timedelta(seconds=chance.choice([-0.1, 0.1]))),
            replace(walk[place], status=chance.choice(walk).status),
            record("running", 0.2, OTHER),
            record("success", 0.2, mover=OTHER),
        ]
    )
    altered = [*walk[:place], wrong, *walk[place + chance.randrange(2) :]]

    arranged, _ = ordered(altered)

    orders = filter(keeps_what_is_known, permutations(altered))
    assert is_legal(arranged) == may_be_legal(altered) == any(map(is_legal, orders))
    assert keeps_what_is_known(arranged)


def test_ties_within_one_process_may_be_beside_another_one() -> None:
    """Of a store that keeps milliseconds, while the clock of the client is ahead."""
    registered = record("registered", 0.010, mover=CLIENT)
    pending, running = record("pending", 0.005, RUNNER), record("running", 0.005, RUNNER)

    assert ordered([registered, running, pending]) == ([registered, pending, running], (1,))


def crowd(count: int, claimants: int) -> list[Record]:
    """Records of claims that were given up, all within the tolerance."""
    runners = [f"runner-{number % claimants}" for number in range(count)]
    claims = [
        (record("pending", step / 1e5, runner), record("rerouted", step / 1e5 + 5e-6, mover=runner))
        for step, runner in enumerate(runners)
    ]
    return [record("registered", mover=CLIENT), *(each for claim in claims for each in claim)]


@pytest.mark.parametrize("claimants", [2, 3, 250])
def test_five_hundred_records_within_the_tolerance_take_a_moment(claimants: int) -> None:
    """Also if one of them is legal nowhere: then all orders are tried, as far as there is time."""
    late = record("success", 0.003, mover=OTHER)
    started_s = time.process_time()

    arranged, _ = ordered([*crowd(250, claimants), late])

    assert not is_legal(arranged)
    assert len(arranged) == 502
    assert time.process_time() - started_s < 3.0


def test_a_record_that_is_illegal_does_not_disturb_the_order_of_the_others() -> None:
    legal = records("registered", "pending", "running", "success")
    late = record("running", 1.0, OTHER)

    assert ordered([*legal, late]) == ([*legal, late], ())


def test_no_record_at_all_is_in_order() -> None:
    assert ordered([]) == ([], ())
