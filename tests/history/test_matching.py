"""Which histories take which paths, and where the others leave them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pynenc.invocation.status import InvocationStatus, get_status_definition

from pytest_pynenc_state.history import matching
from pytest_pynenc_state.history.matching import Expected, Mismatch
from pytest_pynenc_state.history.path import Path, Repeat, one_of, path, repeat, step
from pytest_pynenc_state.history.records import History, Record
from pytest_pynenc_state.history.status_machine import following
from tests.history.builders import RUNNER, history, legal_walks, record
from tests.history.oracle import Oracle

# How long an example takes depends on what else the machine does.
unhurried = settings(deadline=None)

ATTEMPT = path("pending", "running", "retry")
ONCE = ("registered", "pending", "running", "success")
TWICE = ("registered", "pending", "running", "retry", *ONCE[1:])


@pytest.mark.parametrize(
    "expected",
    [
        path(*TWICE),
        path(...),
        path("registered", ..., "success"),
        path(..., "retry", ...),
        path(*TWICE[:3], ..., *TWICE[3:]),
        path(..., ..., *TWICE, ..., ...),
        path("registered", ATTEMPT, path("pending", path("running", "success"))),
        path("registered", repeat(ATTEMPT), *ONCE[1:]),
        path("registered", repeat(ATTEMPT, min=1, max=1), *ONCE[1:]),
        path("registered", repeat(ATTEMPT, max=3), *ONCE[1:]),
        path("registered", repeat(one_of("pending", "running", "retry")), "success"),
        path("registered", repeat(path("pending", "running", one_of("retry", "success")), min=2)),
        path("registered", repeat(repeat(repeat("pending"), min=3)), repeat(...), "success"),
        path("registered", one_of("success", ATTEMPT), one_of(..., "killed"), "success"),
        path("registered", repeat("killed", max=0), ...),
        path(step("registered", owner=None), step("pending", owner=RUNNER, within_s=0.01), ...),
    ],
    ids=repr,
)
def test_a_history_takes_a_path(expected: Path) -> None:
    assert expected.mismatch(history(*TWICE)) is None


@pytest.mark.parametrize(
    ("expected", "position"),
    [
        (path("registered"), 1),
        (path("pending", ...), 0),
        (path(*TWICE[:-1], "failed"), 6),
        (path(*TWICE, "retry"), 7),
        (path(..., "failed"), 7),
        (path(..., "killed", ...), 7),
        (path("registered", repeat(ATTEMPT, min=2), ...), 6),
        (path("registered", repeat(ATTEMPT, max=0), *ONCE[1:]), 3),
        (path("registered", repeat(one_of(*TWICE[1:4]), min=1, max=2), "success"), 3),
        (path("registered", one_of("success", path("pending", "killed")), ...), 2),
        (path("registered", step("pending", owner=None), ...), 1),
        (path("registered", step("pending", owner="runner-2"), ...), 1),
        (path("registered", step("pending", within_s=0.009), ...), 1),
    ],
    ids=repr,
)
def test_a_history_leaves_a_path_at_the_first_record_that_no_way_takes(
    expected: Path, position: int
) -> None:
    mismatch = expected.mismatch(history(*TWICE))

    assert mismatch is not None
    assert mismatch.position == position


def test_what_the_path_allowed_there_is_told_in_its_order() -> None:
    choice = one_of("success", step("failed", owner=None), "success")

    mismatch = path(*ONCE[:3], choice, repeat("paused")).mismatch(history(*TWICE))

    (success, failed) = choice.items[:2]
    assert mismatch == Mismatch(
        3, (Expected(success, is_guarded=False), Expected(failed, is_guarded=False)), may_end=False
    )


def test_where_a_path_may_end_that_is_told_too() -> None:
    mismatch = path("registered", repeat("pending", max=2)).mismatch(history(*ONCE))

    (pending,) = path("pending").items
    assert mismatch == Mismatch(2, (Expected(pending, is_guarded=False),), may_end=True)


def test_the_first_record_is_never_late() -> None:
    late = history(record("registered", at_s=7.0))

    assert late == path(step("registered", within_s=0.0))


def test_no_record_takes_only_paths_that_need_none() -> None:
    assert history() == path(repeat("registered"), ...)
    assert history() != path("registered")


def test_steps_side_by_side_need_not_be_legal() -> None:
    skipping = history("registered", record("success", 0.01))

    assert skipping == path("registered", "success")


@pytest.mark.parametrize("expected", [path("registered", ..., "success"), path(..., "success")])
def test_an_ellipsis_leads_by_legal_steps_to_what_is_behind_it(expected: Path) -> None:
    skipping = history("registered", "pending", record("success", 0.02))

    mismatch = expected.mismatch(skipping)

    assert mismatch is not None
    assert mismatch.position == 2


def test_an_ellipsis_at_the_start_begins_as_pynenc_does() -> None:
    assert history(record("success")) != path(..., "success")
    assert history("registered") == path(..., "registered")


def test_an_ellipsis_takes_no_step_that_the_wrong_runner_made() -> None:
    stolen = history("registered", ("pending", RUNNER), record("running", 0.02, "runner-2"))

    assert stolen != path("registered", ..., "running")
    assert stolen == path("registered", "pending", "running")


def written_path(statuses: Iterable[object]) -> Path:
    return path(*statuses)  # type: ignore[arg-type]


def first_difference(one: Sequence[object], other: Sequence[object]) -> int:
    """The first position at which two sequences differ, or the length of the shorter."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))


@unhurried
@given(legal_walks())
def test_the_path_made_of_a_walk_matches_it(walk: History) -> None:
    steps = [step(each.status, owner=each.owner, within_s=1.0) for each in walk]

    assert walk == path(*walk.statuses)
    assert walk == path(*steps)
    assert walk == path(...)


@st.composite
def mutations(draw: st.DrawFn, records: Sequence[Record]) -> list[Record]:
    """One record replaced, deleted, inserted, or exchanged with another."""
    mutated = list(records)
    kind = draw(st.sampled_from(["replace", "delete", "insert", "swap"]))
    at = draw(st.integers(0, len(records) - 1))
    other = replace(records[at], status=draw(st.sampled_from(list(InvocationStatus))))
    if kind == "replace":
        mutated[at] = other
    elif kind == "delete":
        del mutated[at]
    elif kind == "insert":
        mutated.insert(at, other)
    else:
        partner = draw(st.integers(0, len(records) - 1))
        mutated[at], mutated[partner] = mutated[partner], mutated[at]
    return mutated


@unhurried
@given(st.data(), legal_walks())
def test_a_walk_with_one_other_event_leaves_the_path_where_it_first_differs(
    data: st.DataObject, walk: History
) -> None:
    mutated = history(*data.draw(mutations(walk.records)))
    assume(mutated.statuses != walk.statuses)

    mismatch = path(*walk.statuses).mismatch(mutated)

    assert mismatch is not None
    assert mismatch.position == first_difference(walk.statuses, mutated.statuses)


@st.composite
def paths_with_gaps(draw: st.DrawFn, walk: History) -> Path:
    """The path of *walk* with some of its parts, also empty ones, replaced by ``...``."""
    items: list[object] = []
    at = 0
    while at < len(walk):
        if draw(st.booleans()):
            items.append(...)
            at += draw(st.integers(0, 4))
        items += walk.statuses[at : at + 1]
        at += 1
    return written_path(items or [...])


@unhurried
@given(st.data(), legal_walks())
def test_a_walk_takes_its_path_with_gaps(data: st.DataObject, walk: History) -> None:
    assert walk == data.draw(paths_with_gaps(walk))


@unhurried
@given(st.data(), legal_walks(min_size=2))
def test_an_illegal_event_in_a_gap_is_found_where_it_is(data: st.DataObject, walk: History) -> None:
    begin = data.draw(st.integers(0, len(walk) - 1))
    end = data.draw(st.integers(begin + 1, len(walk)))
    part = data.draw(mutations(walk.records[begin:end]))
    mutated = owned([*walk.records[:begin], *part, *walk.records[end:]])
    illegal = first_illegal(mutated)
    # Further on, the path may say itself what is illegal.
    assume(illegal is not None and begin <= illegal <= begin + len(part))
    behind = data.draw(paths_with_gaps(history(*walk.records[end:])))

    mismatch = path(*walk.statuses[:begin], ..., behind).mismatch(history(*mutated))

    assert mismatch is not None
    assert mismatch.position == illegal


def owned(records: Sequence[Record]) -> list[Record]:
    """As *records*, by one runner that owns what pynenc says, so that only statuses are wrong."""
    built: list[Record] = []
    owner = None
    for each in records:
        definition = get_status_definition(each.status)
        if definition.acquires_ownership:
            owner = RUNNER
        elif definition.releases_ownership:
            owner = None
        built.append(replace(each, owner=owner, mover=RUNNER))
    return built


def first_illegal(records: Sequence[Record]) -> int | None:
    """The first record whose status may not follow that of the one before."""
    statuses = [None, *(each.status for each in records)]
    return next(
        (
            at
            for at, (before, after) in enumerate(pairwise(statuses))
            if after not in following(before)
        ),
        None,
    )


#: Two statuses that may follow each other and often do, so that many records are taken.
FEW = ("pending", "rerouted")
few_steps = st.builds(
    lambda status, asked: step(status, **asked),
    st.sampled_from(FEW),
    st.sampled_from([{}, {}, {}, {"owner": None}, {"owner": RUNNER}, {"within_s": 0.01}]),
)


@st.composite
def repeats(draw: st.DrawFn, items: st.SearchStrategy[Any]) -> Repeat:
    least = draw(st.integers(0, 2))
    most = draw(st.none() | st.integers(least, 3))
    return repeat(draw(items), min=least, max=most)


items = st.recursive(
    st.one_of(few_steps, few_steps, few_steps, st.just(...)),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(written_path),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: one_of(*some)),
        repeats(inner),
    ),
    max_leaves=8,
)
few_records = st.builds(
    lambda status, owner, at_s: record(status, at_s, owner, RUNNER),
    st.sampled_from(FEW),
    st.sampled_from([None, RUNNER]),
    st.sampled_from([0.0, 0.01, 0.02]),
)


@settings(unhurried, max_examples=300)
@given(
    st.lists(items, min_size=1, max_size=4).map(written_path),
    st.lists(few_records, max_size=6) | st.lists(few_records, max_size=6).map(owned),
)
def test_the_automaton_and_the_sets_agree(expected: Path, given_records: list[Record]) -> None:
    oracle = Oracle(given_records)
    ends = {at for at, _ in oracle.ends(expected, {(0, False)})}

    mismatch = expected.mismatch(history(*given_records))

    assert (mismatch is None) == (len(given_records) in ends)
    if mismatch is not None:
        furthest = max([*oracle.asked, *ends])
        assert mismatch.position == furthest
        assert set(mismatch.expected) == oracle.asked.get(furthest, set())
        assert mismatch.may_end == (furthest in ends)


def long_history(attempts: int) -> History:
    """Of a record, and three for each attempt."""
    built = list(history("registered", *["pending", "running", "retry"] * 2))
    while len(built) < 1 + 3 * attempts:
        built += built[1:4]
    return history(*built[: 1 + 3 * attempts])


@pytest.mark.parametrize(
    "expected",
    [
        path("registered", repeat(ATTEMPT)),
        path("registered", repeat(path("pending", ..., "retry"), max=50), ...),
        path("registered", repeat(one_of(ATTEMPT, "running", repeat("retry")), min=9, max=99), ...),
    ],
    ids=repr,
)
def test_a_record_costs_a_few_questions_however_long_the_history(
    expected: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes long, gathering the states of a situation, is done for the first records only."""
    questions = counted(monkeypatch, Expected, "refusal")
    gatherings = counted(monkeypatch, matching, "_situation")

    def cost(attempts: int) -> tuple[int, int]:
        del questions[:], gatherings[:]
        assert long_history(attempts) == expected
        return len(questions), len(gatherings)

    questions_of_300, gatherings_of_300 = cost(100)
    questions_of_9000, gatherings_of_9000 = cost(3000)

    assert gatherings_of_9000 == gatherings_of_300
    assert questions_of_9000 <= 30 * questions_of_300
    assert questions_of_9000 <= 6 * 9001


def counted(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> list[None]:
    """A list that gets an element with each call."""
    called = getattr(owner, name)
    calls: list[None] = []

    def counting(*arguments: Any) -> Any:
        calls.append(None)
        return called(*arguments)

    monkeypatch.setattr(owner, name, counting)
    return calls
