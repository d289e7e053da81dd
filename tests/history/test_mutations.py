"""Every event that differs from a legal walk is found where it is: by paths, and by rules.

Which step is legal says pynenc itself, by the function that its orchestrators use.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hypothesis import given, settings
from pynenc.exceptions import InvocationStatusError
from pynenc.invocation.status import (
    InvocationStatus,
    InvocationStatusRecord,
    status_record_transition,
)

from pytest_pynenc_state.history.facts import AppFacts, InvocationFacts
from pytest_pynenc_state.history.path import path, step
from pytest_pynenc_state.history.records import History, Record
from pytest_pynenc_state.history.rules import (
    ENDS_ARE_FINAL,
    LEGAL_TRANSITIONS,
    ONE_OWNER,
    OWNERSHIP_KEPT,
)
from tests.history.builders import RUNNER, history, legal_walks

# Each example has some hundred mutations, and how long they take depends on what else runs.
unhurried = settings(deadline=None)

RULES_OF_STEPS = (ENDS_ARE_FINAL, ONE_OWNER, LEGAL_TRANSITIONS, OWNERSHIP_KEPT)
RUNNERS = (RUNNER, "runner-2")


def mutations(walk: Sequence[Record]) -> Iterator[tuple[Record, ...]]:
    """All sequences that differ from *walk* by one event: missing, added, or another."""
    for at, each in enumerate(walk):
        before, after = tuple(walk[:at]), tuple(walk[at + 1 :])
        yield (*before, *after)
        for status in InvocationStatus:
            other = replace(each, status=status)
            yield (*before, other, each, *after)
            yield (*before, other, *after)
        if before:  # who registers owns nothing, whatever the record says
            for runner in RUNNERS:
                yield (*before, replace(each, mover=runner), *after)
            for owner in (None, *RUNNERS):
                yield (*before, replace(each, owner=owner), *after)


def first_illegal(records: Sequence[Record]) -> int | None:
    """The position of the first record that pynenc would not have made; None if there is none."""
    current = None
    for position, each in enumerate(records):
        try:
            made = status_record_transition(current, each.status, each.mover)
        except InvocationStatusError:
            return position
        if current is not None and made.runner_id != each.owner:
            return position
        current = InvocationStatusRecord(each.status, each.owner, each.at)
    return None


def first_difference(one: History, other: History) -> int | None:
    """The first position with another status or owner; None if there is none."""
    pairs = enumerate(zip(told(one), told(other), strict=False))
    shorter = min(len(one), len(other))
    position = next((at for at, (left, right) in pairs if left != right), shorter)
    return None if told(one) == told(other) else position


def told(shown: History) -> list[tuple[InvocationStatus, str | None]]:
    return list(zip(shown.statuses, shown.owners, strict=True))


def found_by_rules(shown: History) -> int | None:
    """The first position that a rule objects to."""
    facts = AppFacts((InvocationFacts(shown),))
    witnesses = [verdict.witness for rule in RULES_OF_STEPS for verdict in rule.verdicts(facts)]
    places = [each.position for each in witnesses if each and each.position is not None]
    return min(places, default=None)


@unhurried
@given(legal_walks())
def test_the_path_of_a_walk_finds_every_other_event_where_it_is(walk: History) -> None:
    expected = path(*[step(each.status, owner=each.owner) for each in walk])
    assert expected.mismatch(walk) is None

    for mutated in map(of_records, mutations(walk)):
        mismatch = expected.mismatch(mutated)
        found = mismatch and mismatch.position
        assert found == first_difference(walk, mutated), mutated


@unhurried
@given(legal_walks())
def test_a_gap_and_the_rules_find_every_illegal_event_where_it_is(walk: History) -> None:
    assert (path(...).mismatch(walk), found_by_rules(walk), first_illegal(walk)) == (None,) * 3

    for mutated in map(of_records, mutations(walk)):
        mismatch = path(...).mismatch(mutated)
        found = mismatch and mismatch.position
        illegal = first_illegal(mutated)
        assert (found, found_by_rules(mutated)) == (illegal, illegal), mutated.records


def of_records(records: Sequence[Record]) -> History:
    return history(*records)
