"""Races: made at one instant, seen on one clock, won by one."""

from __future__ import annotations

import os
import sys
import threading
import time
from itertools import combinations
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from pynenc.exceptions import InvocationStatusError, InvocationStatusTransitionError
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.conformance.making import new_invocation, registered
from pytest_pynenc_state.errors import (
    NotSendable,
    NotShared,
    OptionsError,
    ProcessDied,
    ProcessTimeout,
)
from pytest_pynenc_state.processes import racing
from pytest_pynenc_state.processes.pool import Pool
from pytest_pynenc_state.processes.race import Outcome, Race
from pytest_pynenc_state.processes.racing import Races, Rules, jitters_ns
from pytest_pynenc_state.processes.visiting import Destination
from tests.processes import functions

if TYPE_CHECKING:
    from pynenc.app import Pynenc

pytestmark = [
    pytest.mark.pynenc_backends("sqlite"),
    # Statuses are moved without the records that pynenc would write.
    pytest.mark.pynenc_no_history_check,
]
on_all_shared_backends = pytest.mark.pynenc_backends("sqlite", "mongomock")
on_memory = pytest.mark.pynenc_backends("memory")

DEADLINE_S = 20.0

ROUNDS = 1000

# The time of a round for each racer: some more than an attempt takes.
PERIODS_NS = {"sqlite": 400_000, "mongomock": 750_000}


def many_registered(app: Pynenc, count: int) -> list[str]:
    invocations = [new_invocation(app) for _ in range(count)]
    app.orchestrator._register_new_invocations(invocations)
    return [invocation.invocation_id for invocation in invocations]


def overlap(one: tuple[bool, int, int], other: tuple[bool, int, int]) -> bool:
    return one[1] < other[2] and other[1] < one[2]


@on_all_shared_backends
@pytest.mark.parametrize("racers", [2, 4, 8])
def test_each_of_many_invocations_is_won_by_one_process(
    pynenc_race: Races, pynenc_app: Pynenc, pynenc_backend: Any, racers: int
) -> None:
    """A thousand rounds, each begun by all at one instant; in many, attempts overlap."""
    ids = many_registered(pynenc_app, ROUNDS)
    pynenc_race(functions.who, racers)  # so that all processes are there
    period_ns = PERIODS_NS[pynenc_backend.name] * racers
    first_ns = time.monotonic_ns() + 20_000_000

    race = pynenc_race(functions.attempts, racers, args=(ids, first_ns, period_ns))

    rounds = list(zip(*race.values, strict=True))
    wins = [sum(has_won for has_won, _, _ in attempts) for attempts in rounds]
    overlapping = [
        any(overlap(one, other) for one, other in combinations(attempts, 2)) for attempts in rounds
    ]
    assert wins == [1] * ROUNDS
    # Half of them, or all, unless the processes have to share their cores with others.
    assert sum(overlapping) > ROUNDS / 100


@on_all_shared_backends
def test_the_winner_owns_the_invocation_and_the_others_are_refused(
    pynenc_race: Races, pynenc_app: Pynenc
) -> None:
    """With the errors that pynenc raises, each with its traceback there."""
    (invocation_id,) = registered(pynenc_app)

    race = pynenc_race(functions.move_to_pending, 4, args=(invocation_id,))

    record = pynenc_app.orchestrator.get_invocation_status_record(invocation_id)
    assert (record.status, record.runner_id) == (InvocationStatus.PENDING, *race.values)
    assert [type(error) for error in race.errors] == [InvocationStatusTransitionError] * 3
    assert all("in move_to_pending" in error.__notes__[0] for error in race.errors)


def test_each_racer_is_a_process_of_its_own_with_the_tests_app(
    pynenc_race: Races, pynenc_app: Pynenc
) -> None:
    """The default number comes from the options."""
    race = pynenc_race(functions.who)

    pids = [outcome.pid for outcome in race.outcomes]
    assert len({os.getpid(), *pids}) == 5
    assert race.values == tuple((pid, pynenc_app.app_id) for pid in pids)
    assert [outcome.index for outcome in race.outcomes] == [0, 1, 2, 3]


@pytest.mark.pynenc(app="tests.processes.tasks:app")
def test_racers_have_the_authors_app(pynenc_race: Races) -> None:
    """As it is imported there, with the tasks of its module."""
    race = pynenc_race(functions.task_names, 2)
    assert race.values == (["own_process_id"], ["own_process_id"])


@pytest.mark.parametrize("threads", [False, True])
def test_arguments_are_those_of_all_then_those_of_each(
    pynenc_race: Races, *, threads: bool
) -> None:
    """As many racers as there are arguments."""
    race = pynenc_race(functions.echo, args=("all",), each=[(1,), (2, 3), ()], threads=threads)
    assert race.values == (("all", 1), ("all", 2, 3), ("all",))


def test_nobody_starts_before_all_are_ready(pynenc_race: Races) -> None:
    """Not even if one of them takes long to be."""
    race = pynenc_race(functions.echo, each=[(0,), (functions.Slow(0.3),), (0,)])
    assert race.values == ((0,), (0.3,), (0,))
    starts_ns = [outcome.started_ns for outcome in race.outcomes]
    assert max(starts_ns) - min(starts_ns) < 250_000_000


@pytest.mark.parametrize("threads", [False, True])
def test_each_racer_pauses_as_it_was_drawn(
    pynenc_race: Races, monkeypatch: pytest.MonkeyPatch, *, threads: bool
) -> None:
    """On one clock, which is the one of this process, too."""
    monkeypatch.setattr(racing, "jitters_ns", lambda *_: [60_000_000, 0, 30_000_000])
    pynenc_race(functions.echo, 3, threads=threads)  # so that all are there
    before_ns = time.monotonic_ns()

    race = pynenc_race(functions.echo, 3, threads=threads)

    third, first, second = race.outcomes
    assert before_ns < first.started_ns
    assert second.started_ns - first.started_ns > 20_000_000
    assert third.started_ns - first.started_ns > 50_000_000
    assert third.ended_ns < time.monotonic_ns()
    assert all(outcome.started_ns < outcome.ended_ns for outcome in race.outcomes)


def test_pauses_are_the_same_for_the_same_seed_and_no_others() -> None:
    """Each race of a test has its own, as has each racer; none is longer than 200 us."""
    drawn = [jitters_ns(seed, number, 8) for seed in (1, 2) for number in range(50)]
    again = [jitters_ns(seed, number, 8) for seed in (1, 2) for number in range(50)]
    assert drawn == again
    assert len({pause_ns for pauses_ns in drawn for pause_ns in pauses_ns}) > 700
    assert all(0 <= pause_ns < 200_000 for pauses_ns in drawn for pause_ns in pauses_ns)
    assert jitters_ns(1, 0, 2) == jitters_ns(1, 0, 8)[:2]


def test_races_of_a_test_are_numbered(pynenc_race: Races) -> None:
    """With the seed, the number says which pauses there were."""
    races = [pynenc_race(functions.who, 2) for _ in range(3)]
    assert [(race.number, race.seed) for race in races] == [(0, 7), (1, 7), (2, 7)]


class TestFailures:
    def test_a_racer_that_dies_is_named_and_replaced(
        self, pynenc_race: Races, pynenc_pool: Pool
    ) -> None:
        """The race is void; the next one has all its racers."""
        pynenc_race(functions.who, 3)
        racers = pynenc_pool.pids[:3]
        with pytest.raises(
            ProcessDied, match=rf"die_if, race 1, racer 1 in child process {racers[1]} was killed"
        ):
            pynenc_race(functions.die_if, each=[(False,), (True,), (False,)])
        assert not set(racers) & set(pynenc_pool.pids)
        assert len(pynenc_race(functions.who, 3).winners) == 3

    def test_a_racer_that_never_becomes_ready_is_named_and_replaced(
        self, destination: Destination, pynenc_pool: Pool
    ) -> None:
        """After the timeout, with where it is; nobody has started."""
        races = Races(destination, pynenc_pool, Rules(3, 7, 10.0))
        (pid, *_) = (outcome.pid for outcome in races(functions.who).outcomes)
        hasty = Races(destination, pynenc_pool, Rules(3, 7, 0.2))
        each = [(functions.Slow(60.0),), (0,), (0,)]
        with pytest.raises(ProcessTimeout, match=f"race 0, racer 0 in child .* {pid}:") as caught:
            hasty(functions.echo, each=each)
        assert "in after" in str(caught.value)
        assert "racer 1" not in str(caught.value)
        assert len(races(functions.who).winners) == 3

    def test_a_racer_that_never_ends_is_named_and_replaced(
        self, destination: Destination, pynenc_pool: Pool, tmp_path: Any
    ) -> None:
        """After the timeout, with where it is."""
        races = Races(destination, pynenc_pool, Rules(2, 7, 10.0))
        racers = [outcome.pid for outcome in races(functions.who).outcomes]
        hasty = Races(destination, pynenc_pool, Rules(2, 7, 0.2))
        each = [(str(tmp_path / "life"),), (str(tmp_path / "life"),)]
        with pytest.raises(ProcessTimeout, match=r"block, race 0, racer 1 in child") as caught:
            hasty(functions.block, each=each)
        assert "in block" in str(caught.value)
        assert [psutil.pid_exists(pid) for pid in racers] == [False, False]

    def test_a_function_that_no_racer_could_import_is_refused(self, pynenc_race: Races) -> None:
        """Before any process is asked."""
        with pytest.raises(NotSendable, match="<lambda> cannot be called"):
            pynenc_race(lambda _: None, 2)

    @pytest.mark.parametrize("threads", [False, True])
    def test_a_function_of_which_nothing_would_run_is_refused(
        self, pynenc_race: Races, *, threads: bool
    ) -> None:
        """All racers would win."""
        for name, function in functions.NEVER_RUN.items():
            with pytest.raises(OptionsError, match=f"pynenc_race: .*{name} function"):
                pynenc_race(function, 2, threads=threads)

    @on_memory
    def test_processes_on_a_backend_in_one_process_are_refused(self, pynenc_race: Races) -> None:
        """Threads are a remedy."""
        with pytest.raises(NotShared, match="pynenc_race needs a second process") as caught:
            pynenc_race(functions.who)
        assert "threads=True" in caught.value.remedies[0]

    def test_an_impossible_number_of_racers_is_refused(self, pynenc_race: Races) -> None:
        """Both of them are told."""
        with pytest.raises(OptionsError, match="there are 0 racers"):
            pynenc_race(functions.who, 0)
        with pytest.raises(OptionsError, match="n=3, but each has arguments for 2 racers"):
            pynenc_race(functions.echo, 3, each=[(1,), (2,)])

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"n": "2"}, "n is a whole number of racers; got '2'"),
            ({"n": 2.0}, "n is a whole number of racers; got 2.0"),
            ({"n": True}, "n is a whole number of racers; got True"),
            ({"args": "an id"}, r"args is a sequence; got 'an id'\n- .* args=\(1,\)"),
            ({"args": 5}, "args is a sequence; got 5"),
            ({"args": {"a": 1}}, "args is a sequence; got {'a': 1}"),
            ({"each": 5}, "each is a sequence; got 5"),
            ({"each": [(1,), 2]}, r"each\[1\] is a sequence; got 2\n- .* each=\[\(1,\), \(2,\)\]"),
            ({"each": ["ann", "bob"]}, r"each\[0\] is a sequence; got 'ann'"),
        ],
    )
    def test_arguments_of_another_kind_are_refused(
        self, pynenc_race: Races, options: dict[str, Any], said: str
    ) -> None:
        """With what was likely meant; a comma is easily forgotten."""
        with pytest.raises(OptionsError, match=f"pynenc_race: {said}"):
            pynenc_race(functions.echo, **options)


@on_memory
class TestThreads:
    def test_each_of_many_invocations_is_won_by_one_thread(
        self, pynenc_race: Races, pynenc_app: Pynenc
    ) -> None:
        """They are switched between often enough for their attempts to overlap."""
        races: list[Race] = []
        # Without the switches no attempts overlap at all; with them some do, unless the machine
        # has no core to spare for a second thread.
        for each in many_registered(pynenc_app, 3000):
            races.append(pynenc_race(functions.move_to_pending, 4, args=(each,), threads=True))
            if len(races) >= 200 and sum(race.overlapping for race in races) > 5:
                break
        assert {len(race.winners) for race in races} == {1}
        assert sum(race.overlapping for race in races) > 5
        assert all(isinstance(error, InvocationStatusError) for error in races[0].errors)

    def test_threads_have_the_app_itself_and_any_function(
        self, pynenc_race: Races, pynenc_app: Pynenc
    ) -> None:
        """Nothing has to go to another process."""
        race = pynenc_race(lambda app, *args: (app, args), 2, args=(1,), threads=True)
        assert race.values == ((pynenc_app, (1,)), (pynenc_app, (1,)))
        assert [outcome.pid for outcome in race.outcomes] == [os.getpid()] * 2

    def test_python_switches_as_before_once_no_race_is_underway(self, pynenc_race: Races) -> None:
        """Races of several threads may overlap, and end in any order."""
        before_s = sys.getswitchinterval()
        starts, ends = ([threading.Event(), threading.Event()] for _ in range(2))

        def run(_: Pynenc, number: int) -> None:
            starts[number].set()
            ends[number].wait(DEADLINE_S)

        def race(number: int) -> None:
            pynenc_race(run, 1, args=(number,), threads=True)

        threads = [threading.Thread(target=race, args=(number,)) for number in range(2)]
        seen_s = []
        for thread, start in zip(threads, starts, strict=True):
            thread.start()
            assert start.wait(DEADLINE_S)
        for thread, end in zip(threads, ends, strict=True):
            end.set()
            thread.join(DEADLINE_S)
            seen_s.append(sys.getswitchinterval())

        assert seen_s == [pytest.approx(1e-6), before_s]

    def test_an_exit_of_a_thread_is_its_error(self, pynenc_race: Races) -> None:
        """It ends neither the test nor the others."""
        race = pynenc_race(functions.leave, 2, args=(3,), threads=True)
        assert [type(error) for error in race.errors] == [SystemExit, SystemExit]

    def test_a_thread_that_never_ends_is_named(
        self, destination: Destination, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With where it is; it cannot be ended."""
        monkeypatch.setattr(functions, "FOREVER_S", 1.0)
        races = Races(destination, Pool(None), Rules(2, 7, 0.1))  # type: ignore[arg-type]
        with pytest.raises(ProcessTimeout, match="block, race 0, racer 0 has not ended") as caught:
            races(functions.block, args=(os.devnull,), threads=True)
        assert "in block" in str(caught.value)


def outcome(index: int, started_us: int, ended_us: int, error: Exception | None = None) -> Outcome:
    value = None if error else f"value {index}"
    return Outcome(index, 100 + index, value, error, started_us * 1000, ended_us * 1000)


class TestReport:
    def test_calls_overlap_if_one_begins_before_the_other_has_ended(self) -> None:
        """Each pair counts once; to touch is not to overlap."""
        calls = [(30, 40), (0, 10), (5, 20), (10, 12)]
        outcomes = tuple(outcome(index, *times) for index, times in enumerate(calls))
        assert Race(0, 7, outcomes).overlapping == 2
        assert Race(0, 7, outcomes[::-1]).overlapping == 2

    def test_winners_are_those_that_returned_whatever_it_was(self) -> None:
        """A value of None or False is one, too."""
        nothing = Outcome(1, 101, None, None, 0, 1)
        lost = outcome(2, 0, 1, ValueError("no"))
        race = Race(0, 7, (outcome(0, 0, 1), nothing, lost))
        assert race.winners == (outcome(0, 0, 1), nothing)
        assert race.values == ("value 0", None)
        assert race.errors == (lost.error,)

    def test_a_race_is_shown_with_a_line_for_each_racer(self) -> None:
        """Times count from the first call; an assertion shows the short form."""
        race = Race(3, 7, (outcome(0, 1000, 1250), outcome(1, 1200, 1300, ValueError("no\nmore"))))
        assert str(race).splitlines() == [
            "race 3, seed 7: <Race of 2: 1 returned, 1 raised, 1 of 1 pairs overlapped>",
            "  0  pid 100         0.0 to      250.0 us  returned 'value 0'",
            "  1  pid 101       200.0 to      300.0 us  raised ValueError: no",
        ]
        assert repr(race.winners) == "(<racer 0: returned 'value 0'>,)"

    def test_a_race_in_which_nothing_overlapped_says_that_it_proves_nothing(self) -> None:
        """A reader must not take it for a race."""
        race = Race(0, 7, (outcome(0, 0, 1), outcome(1, 2, 3)))
        assert str(race).endswith("no two calls overlapped, so this race proves nothing")

    def test_the_report_has_the_last_race_its_seed_and_what_was_printed(
        self, pynenc_race: Races
    ) -> None:
        """It is what a failed test shows."""
        assert pynenc_race.report() == ""
        pynenc_race(functions.who, 2)
        pynenc_race(functions.speak, 2)
        report = pynenc_race.report()
        assert report.startswith("race 1, seed 7: <Race of 2")
        assert "--pynenc-seed 7" in report
        assert report.count("to one\nto the other") == 2
