"""Several processes at once: of those who want the same one wins, and nothing is lost."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from pynenc.exceptions import InvocationStatusError
from pynenc.invocation.status import InvocationStatusRecord, status_record_transition

from pytest_pynenc_state.conformance import workers
from pytest_pynenc_state.conformance.accounting import undecided
from pytest_pynenc_state.conformance.clause import Level, clause
from pytest_pynenc_state.conformance.making import registered, unique_id
from pytest_pynenc_state.processes.race import Race
from pytest_pynenc_state.processes.racing import Races

if TYPE_CHECKING:
    from pynenc.app import Pynenc

_RUNNERS = [f"runner {number}" for number in range(4)]

# Everybody acts at the beat of one clock, which begins when all are surely there.
_LEAD_NS = 20_000_000
_BEAT_NS = 1_500_000


def beats(count: int, beat_ns: int = _BEAT_NS) -> list[int]:
    """Return so many instants of `time.monotonic_ns`, from soon on."""
    first_ns = time.monotonic_ns() + _LEAD_NS
    return [first_ns + number * beat_ns for number in range(count)]


@clause(
    "OR-RAC-01",
    level=Level.PROCESS,
    hint="read, validate and write in one transaction that locks before it reads",
)
def one_of_equal_transitions_wins(pynenc_app: Pynenc, pynenc_race: Races) -> None:
    """Of processes that claim the same invocation at one instant, exactly one succeeds."""
    ids = registered(pynenc_app, 150)
    race = pynenc_race(workers.claim, args=(ids, beats(len(ids))), each=_each_runner())
    check_raced(race)
    claims = {runner: set(won) for runner, won in zip(_RUNNERS, race.values, strict=True)}
    winners = Counter(chain.from_iterable(claims.values()))
    owners = {each: pynenc_app.orchestrator.get_invocation_status_record(each) for each in ids}
    assert winners == dict.fromkeys(ids, 1)
    owned = {
        runner: {each for each in ids if owners[each].runner_id == runner} for runner in _RUNNERS
    }
    assert owned == claims


@clause(
    "OR-RAC-02",
    level=Level.PROCESS,
    hint="the status that is validated must be the one that is replaced",
)
def accepted_transitions_follow_one_another(pynenc_app: Pynenc, pynenc_race: Races) -> None:
    """Each accepted transition starts from the record that the one before it has left."""
    ids = registered(pynenc_app, 6)
    first = {each: pynenc_app.orchestrator.get_invocation_status_record(each) for each in ids}
    race = pynenc_race(workers.move_about, args=(ids,), each=[(each, 300) for each in _RUNNERS])
    check_raced(race)
    moves = [*chain.from_iterable(race.values)]
    for invocation_id in ids:
        made = [(owner, record) for moved_id, owner, record in moves if moved_id == invocation_id]
        told = [("", first[invocation_id]), *sorted(made, key=lambda move: move[1].timestamp)]
        assert (invocation_id, _broken_steps(told)) == (invocation_id, [])
        stored = pynenc_app.orchestrator.get_invocation_status_record(invocation_id)
        assert (invocation_id, stored) == (invocation_id, told[-1][1])


@clause(
    "OR-RAC-03",
    level=Level.PROCESS,
    hint="let the store add one; do not read, add and write",
)
def no_retry_is_lost_between_processes(pynenc_app: Pynenc, pynenc_race: Races) -> None:
    """Increments of one retry counter by several processes add up."""
    (invocation_id,) = registered(pynenc_app)
    race = pynenc_race(workers.increment_retries, n=4, args=(invocation_id, beats(100)))
    check_raced(race)
    assert pynenc_app.orchestrator.get_invocation_retries(invocation_id) == 400


@clause(
    "OR-RAC-04",
    level=Level.PROCESS,
    hint="insert a runner if it is not there, in the statement that else renews its heartbeat",
)
def a_runner_has_one_creation_time(pynenc_app: Pynenc, pynenc_race: Races) -> None:
    """Whoever gives the first heartbeat creates a runner, and nobody sees another time."""
    runner_ids = [unique_id("runner") for _ in range(3)]
    race = pynenc_race(workers.beat, n=4, args=(runner_ids, 30))
    check_raced(race)
    active = pynenc_app.orchestrator.get_active_runners()
    created = {runner.runner_id: {runner.creation_time} for runner in active}
    assert set(created) == set(runner_ids)
    assert [*race.values] == [created] * 4


@clause(
    "OR-RAC-05",
    level=Level.PROCESS,
    hint="register an invocation only if it does not exist, in one statement",
)
def registering_again_takes_nothing_back(pynenc_race: Races) -> None:
    """Of processes that register and claim the same invocation, one gets it, and keeps it."""
    ids = [unique_id("contended") for _ in range(100)]
    race = pynenc_race(workers.register_and_claim, args=(ids, beats(len(ids))), each=_each_runner())
    check_raced(race)
    winners = Counter(chain.from_iterable(race.values))
    assert winners == dict.fromkeys(ids, 1)


@clause(
    "OR-RAC-06",
    level=Level.PROCESS,
    since="0.2.4",
    hint="look for a RUNNING execution and insert the new one in one transaction",
)
def services_are_admitted_one_at_a_time(pynenc_race: Races) -> None:
    """While a process runs the atomic services, no other process is admitted to them."""
    race = pynenc_race(workers.run_services, each=[(each, 20) for each in _RUNNERS])
    check_raced(race)
    windows = sorted(chain.from_iterable(race.values))
    overlapping = [(one, other) for one, other in pairwise(windows) if other[0] < one[1]]
    assert overlapping == []


def _each_runner() -> list[tuple[str]]:
    return [(runner,) for runner in _RUNNERS]


def check_raced(*races: Race) -> None:
    """Raise what a process raised; leave the clause undecided if no two were at work at once."""
    __tracebackhide__ = True
    for error in chain.from_iterable(race.errors for race in races):
        raise error
    if len(races[0].outcomes) > 1 and not any(race.overlapping for race in races):
        undecided("no two processes were at work at the same time")


def _broken_steps(moves: Sequence[tuple[str, InvocationStatusRecord]]) -> list[str]:
    """The moves that pynenc would have refused, or after which it names another owner.

    :param moves: Who made each, and the record that it left; the first is the registration.
    """
    broken = []
    for (_, before), (runner_id, after) in pairwise(moves):
        try:
            expected = status_record_transition(before, after.status, runner_id)
        except InvocationStatusError as error:
            broken.append(f"{before} -> {after} by {runner_id}: {error}")
        else:
            if expected.runner_id != after.runner_id:
                broken.append(f"{before} -> {after} by {runner_id}")
    return broken
