"""Several processes on one store for a while, and whether any correct one could have answered so.

The variable STRESS_SECONDS says for how long; what came of it is printed: ``pytest -s``. On a
terminal, so is how far it is, every few seconds.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from pytest_pynenc_state import compat
from pytest_pynenc_state.conformance.clauses.races import check_raced
from pytest_pynenc_state.conformance.making import registered, unique_id
from pytest_pynenc_state.conformance.programs import KINDS, Program
from pytest_pynenc_state.history.linearizability import check_linearizable
from pytest_pynenc_state.history.models import MODELS
from pytest_pynenc_state.history.verdict import Outcome
from pytest_pynenc_state.processes.recorder import recorder_of
from tests.published.conformance import recipes

if TYPE_CHECKING:
    from pynenc import Pynenc

    from pytest_pynenc_state.history.linearizability import Linearizability
    from pytest_pynenc_state.processes.racing import Races

STRESS_S = float(os.environ.get("STRESS_SECONDS", "2"))

# Each round is about things of one kind, and is recorded and judged by itself, so that no more
# than one is in memory.
ROUND_S = 0.5
PROCESSES = 4
KEYS = 3

# Nothing is undecided for want of time: a round takes a second or two.
BUDGET_S = 60.0

# On a terminal, so often it is told how far it is.
PAUSE_S = 5.0

# So much of a witness is printed.
SHOWN = 3000

pytestmark = [
    pytest.mark.pynenc_no_history_check,  # its programs write what no app would
    pytest.mark.timeout(STRESS_S * 4 + 120),
]


def run_for_a_round(app: Pynenc, kind: str, keys: list[str], name: str, seed: int) -> None:
    """Take steps of one kind, as many as there is time for."""
    program, end_s = Program(app, keys, name, seed), time.monotonic() + ROUND_S
    while time.monotonic() < end_s:
        program.step(kind)


def judged(app: Pynenc, race: Races, seed: int) -> Linearizability:
    """One round: what became of all that was recorded."""
    kind = KINDS[seed % len(KINDS)]
    app.purge()
    with recorder_of(app) as recorder:
        keys = registered(app, KEYS)
        names = [unique_id("runner") for _ in range(PROCESSES)]
        check_raced(race(run_for_a_round, each=[(kind, keys, name, seed) for name in names]))
        return check_linearizable(recorder.operations, MODELS[kind], budget_s=BUDGET_S)


def stressed(app: Pynenc, race: Races) -> Counter[tuple[str, str]]:
    """Rounds until the time is over; how many came to which outcome, by model."""
    outcomes: Counter[tuple[str, str]] = Counter()
    began_s, operations, witnesses = time.monotonic(), 0, []
    rounds = max(len(KINDS), round(STRESS_S / ROUND_S))
    told_s = began_s
    for seed in range(rounds):
        if sys.stdout.isatty() and time.monotonic() - told_s > PAUSE_S:
            told_s = time.monotonic()
            far = f"{seed} of {rounds} rounds, {operations:,} operations; {told_s - began_s:.0f} s"
            print(f"\n  {far}", end="", flush=True)  # noqa: T201 - as below
        verdict = judged(app, race, seed)
        operations += verdict.checked
        outcomes[verdict.model, verdict.outcome] += 1
        if verdict.outcome != Outcome.OK:
            witnesses.append(str(verdict))
    took_s = time.monotonic() - began_s
    lines = [f"{type(app.orchestrator).__name__}: {operations:,} operations in {rounds} rounds"]
    lines += [
        f"  {model} {outcome}: {count} rounds" for (model, outcome), count in outcomes.items()
    ]
    lines += [f"  {took_s:.0f} s in all", *(each[:SHOWN] for each in witnesses[:1])]
    print("\n".join(["", *lines]))  # noqa: T201 - what this is run for by hand
    return outcomes


@pytest.mark.parametrize("pynenc_backend", ["sqlite", "pynenc-sqlite"], indirect=True)
def test_sqlite_is_linearizable(pynenc_app: Pynenc, pynenc_race: Races) -> None:
    """Ours, and pynenc's own."""
    outcomes = stressed(pynenc_app, pynenc_race)

    assert {model for model, _ in outcomes} == set(KINDS)
    assert {outcome for _, outcome in outcomes} == {Outcome.OK}


@pytest.mark.skipif(
    find_spec("pynenc_redis") is None or compat.HAS_QUEUES,
    reason="there is none for this pynenc, or its broker cannot be built on it",
)
@pytest.mark.parametrize("pynenc_backend", [f"{recipes.__name__}:REDIS"], indirect=True)
def test_redis_lets_several_win(pynenc_app: Pynenc, pynenc_race: Races) -> None:
    """Its statuses are not linearizable; all else is."""
    outcomes = stressed(pynenc_app, pynenc_race)

    violated = {model for model, outcome in outcomes if outcome != Outcome.OK}
    assert violated == {"status"}
