"""Whatever processes do at once, the store answers as if they had done it one after the other.

Herlihy and Wing, "Linearizability" (1990). Processes run random programs on a few invocations;
all their calls are recorded, and judged by a model of what pynenc keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_pynenc_state.conformance.accounting import undecided
from pytest_pynenc_state.conformance.clause import Level, clause
from pytest_pynenc_state.conformance.clauses.races import beats, check_raced
from pytest_pynenc_state.conformance.making import registered, unique_id
from pytest_pynenc_state.conformance.programs import run_past_a_kill, run_steps, run_until_killed
from pytest_pynenc_state.errors import ProcessDied
from pytest_pynenc_state.history.linearizability import NotLinearizable
from pytest_pynenc_state.history.verdict import Outcome
from pytest_pynenc_state.processes.child import Child, Children
from pytest_pynenc_state.processes.racing import Races
from pytest_pynenc_state.processes.recorder import Recorder
from pytest_pynenc_state.session import state_of
from pytest_pynenc_state.waiting import wait_until

if TYPE_CHECKING:
    from pynenc.app import Pynenc

_ROUNDS = 8

# So many steps a process takes in a round, each at an instant that is the same for all: also one
# that is held up for a while meets the others again.
_STEPS = 60
_BEAT_NS = 500_000

# So many things that the processes collide, and more than one, as each is judged by itself.
_KEYS = 2

# Hang guard: a process starts in half a second.
_START_S = 60.0


def _raced(request: pytest.FixtureRequest, kind: str, rounds: int = _ROUNDS) -> None:
    """Let processes run random programs of one kind, and judge after each round."""
    __tracebackhide__ = True
    app: Pynenc = request.getfixturevalue("pynenc_app")
    recorder: Recorder = request.getfixturevalue("pynenc_recorder")
    race: Races = request.getfixturevalue("pynenc_race")
    state = state_of(request.config)
    races = []
    for number in range(rounds):
        keys, seed = registered(app, _KEYS), state.seed + number
        names = [unique_id("runner") for _ in range(state.options.processes)]
        each = [(kind, keys, name, seed) for name in names]
        races.append(race(run_steps, args=(beats(_STEPS, _BEAT_NS),), each=each))
        _judge(recorder)
    check_raced(*races)


@clause(
    "OR-LIN-01",
    level=Level.PROCESS,
    hint="read, validate and write in one transaction, and read from where it is written",
)
def statuses_are_linearizable(request: pytest.FixtureRequest) -> None:
    """Registrations, transitions and readings of a status by several processes are linearizable."""
    _raced(request, "status")


@clause(
    "OR-LIN-02",
    level=Level.PROCESS,
    hint="let the store add one, and read the number from where it is written",
)
def retries_are_linearizable(request: pytest.FixtureRequest) -> None:
    """Increments and readings of a retry counter by several processes are linearizable."""
    _raced(request, "retries")


@clause(
    "OR-LIN-03",
    level=Level.PROCESS,
    since="0.2.4",
    hint="look for a RUNNING execution and insert the new one in one transaction",
)
def admission_is_linearizable(request: pytest.FixtureRequest) -> None:
    """Admissions to the atomic services, and their ends, are linearizable."""
    # All of an app are one thing, and what was done before makes each further admission slower.
    _raced(request, "services", rounds=1)


@clause(
    "SB-LIN-01",
    level=Level.PROCESS,
    hint="read a result from where it is written, without a cache or a buffer",
)
def results_are_linearizable(request: pytest.FixtureRequest) -> None:
    """Writes and readings of a result by several processes are linearizable."""
    _raced(request, "result")


@clause(
    "BE-LIN-01",
    level=Level.PROCESS,
    hint="what a call has returned for must be in the store, and what it has not, whole or not",
)
def a_kill_undoes_nothing(
    request: pytest.FixtureRequest,
    pynenc_app: Pynenc,
    pynenc_recorder: Recorder,
    pynenc_process: Children,
    pynenc_race: Races,
    tmp_path: Path,
) -> None:
    """All of it stays linearizable if one of the processes is killed, whatever it was doing."""
    state, keys = state_of(request.config), registered(pynenc_app, _KEYS)
    others = [unique_id("runner") for _ in range(max(1, state.options.processes - 1))]
    pipes = [str(tmp_path / name) for name in others]
    each = [(keys, name, state.seed, pipe) for name, pipe in zip(others, pipes, strict=True)]
    victim = pynenc_process(run_until_killed, keys, unique_id("runner"), state.seed, pipes)
    try:
        _wait_for_pipes(victim, pipes)
        check_raced(pynenc_race(run_past_a_kill, each=each))
    finally:
        victim.kill()
    with pytest.raises(ProcessDied, match="SIGKILL"):
        victim.result()
    _judge(pynenc_recorder)


def _judge(recorder: Recorder) -> None:
    """Fail if anything is impossible; leave the clause undecided if that took too long to see."""
    __tracebackhide__ = True
    verdicts = recorder.check_linearizable()
    if broken := [each for each in verdicts if each.outcome == Outcome.VIOLATED]:
        raise NotLinearizable(broken)
    if late := [each.model for each in verdicts if each.outcome == Outcome.UNDECIDED]:
        undecided(f"no verdict on {', '.join(late)} in time")


def _wait_for_pipes(child: Child, pipes: Sequence[str]) -> None:
    """Wait until a child has made them, one after the other.

    :raises Exception: What has ended it.
    """
    last = Path(pipes[-1])
    wait_until(lambda: last.exists() or not child.is_alive(), _START_S)
    if not child.is_alive():
        child.result()
    assert last.exists(), f"in {_START_S:g} s it did not even start"
