"""Calls that raised an error which is no refusal: nobody knows whether they took effect."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_pynenc_state.history.linearizability import check_linearizable
from pytest_pynenc_state.history.models import MODELS, REFUSALS, ResultModel
from pytest_pynenc_state.history.operations import Ending, Operation
from pytest_pynenc_state.history.verdict import Outcome
from tests.history.calls import READ, REGISTER, claim, op

START, FINALIZE = "record_atomic_service_execution_start", "finalize_atomic_service_execution"
INCREMENT, RETRIES = "increment_invocation_retries", "get_invocation_retries"


def failed(name: str, *arguments: Any) -> Operation:
    """A call that ended at 3 with an error that says nothing."""
    return op(name, *arguments, at=(2, 3), value="OSError", error=True)


def missing(name: str) -> Operation:
    return op(name, at=(4, 5), value="KeyError", error=True)


def read(name: str, value: Any) -> Operation:
    return op(name, at=(4, 5), value=value)


#: What was done before, the call that failed, and two answers: had it done nothing, or its work.
SEQUENCES: dict[str, tuple[list[Operation], Operation, Operation, Operation]] = {
    "result": (
        [],
        failed("set_result", "text"),
        missing("get_result"),
        read("get_result", "text"),
    ),
    "status": (
        [REGISTER],
        failed("atomic_status_transition", "pending", "a"),
        read(READ, ["registered", "client"]),
        read(READ, ["pending", "a"]),
    ),
    "status, registration": (
        [],
        failed("register_new_invocations", "client"),
        missing(READ),
        read(READ, ["registered", "client"]),
    ),
    "status, purge": (
        [REGISTER],
        failed("orchestrator.purge"),
        read(READ, ["registered", "client"]),
        missing(READ),
    ),
    "retries": ([REGISTER], failed(INCREMENT), read(RETRIES, 0), read(RETRIES, 1)),
    "services": (
        [],
        failed(START, "a"),
        op(START, "b", at=(4, 5), value=True),
        op(START, "b", at=(4, 5), value=False),
    ),
    "services, end": (
        [op(START, "a", at=(0, 1), value=True)],
        failed(FINALIZE, "a"),
        op(START, "b", at=(4, 5), value=False),
        op(START, "b", at=(4, 5), value=True),
    ),
}


@pytest.mark.parametrize("case", SEQUENCES)
def test_what_failed_may_have_been_done_or_not(case: str) -> None:
    """And as with a process that was killed, it may be done later."""
    before, failure, undone, done = SEQUENCES[case]
    model = MODELS[case.partition(",")[0]]
    for answers in ([undone], [done], [undone, replace(done, start_ns=6, end_ns=7)]):
        verdict = check_linearizable([*before, failure, *answers], model)
        assert verdict.outcome == Outcome.OK, str(verdict)


@pytest.mark.parametrize("name", ["get_result", READ, RETRIES])
def test_a_reading_that_failed_proves_nothing(name: str) -> None:
    """Neither that something is there, nor that it is not."""
    (model,) = [each for each in MODELS.values() if name in each.methods]
    for before in ([], [REGISTER, op("set_result", "text", at=(0, 1))]):
        assert check_linearizable([*before, failed(name)], model).outcome == Outcome.OK


def test_what_failed_excuses_nothing_else() -> None:
    """Nobody reads what it was not about, and the witness says how it ended."""
    failure = failed("atomic_status_transition", "pending", "a")
    verdict = check_linearizable(
        [REGISTER, failure, read(READ, ["pending", "b"])], MODELS["status"]
    )
    assert verdict.outcome == Outcome.VIOLATED
    assert "atomic_status_transition(pending, a) raised OSError" in str(verdict)


def test_a_refusal_has_done_nothing() -> None:
    """A correct store does not refuse, and move it all the same."""
    late = replace(claim("b", (4, 5)), value="InvocationStatusTransitionError", ending=Ending.ERROR)
    seen = op(READ, at=(6, 7), value=["pending", "b"])
    verdict = check_linearizable([REGISTER, claim("a", (2, 3)), late, seen], MODELS["status"])
    assert verdict.outcome == Outcome.VIOLATED


@pytest.mark.parametrize("wanted", ["runing", None, 5])
def test_to_refuse_a_status_that_pynenc_does_not_have_is_right(wanted: Any) -> None:
    """And to accept it is not; where nobody knows, it was not accepted."""
    name, untouched = "atomic_status_transition", read(READ, ["registered", "client"])
    refusal = op(name, wanted, "a", at=(2, 3), value="InvocationStatusTransitionError", error=True)
    accepted = op(name, wanted, "a", at=(2, 3), value=[wanted, "a"])
    lost = op(name, wanted, "a", at=(2, None))
    outcomes = [
        check_linearizable([REGISTER, each, untouched], MODELS["status"]).outcome
        for each in (refusal, accepted, lost)
    ]
    assert outcomes == [Outcome.OK, Outcome.VIOLATED, Outcome.OK]


def test_an_unknown_outcome_with_an_end_is_unknown_all_the_same() -> None:
    """Nobody waited for it until then."""
    lost = replace(op("set_result", "text", at=(2, None)), end_ns=3)
    verdict = check_linearizable([lost, missing("get_result")], MODELS["result"])
    assert verdict.outcome == Outcome.OK


def test_an_error_of_a_call_that_is_not_pynencs_is_for_its_model_to_judge() -> None:
    """Such a model knows its own refusals."""

    class Stack(ResultModel):
        methods = frozenset({"pop"})

    popped = op("pop", at=(0, 1), value="IndexError", error=True)
    assert "pop" not in REFUSALS
    assert check_linearizable([popped], Stack()).outcome == Outcome.VIOLATED
