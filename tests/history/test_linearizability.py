"""The checker agrees with trying all orders, and says where it becomes impossible."""

from __future__ import annotations

import random
import resource
import time
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from pytest_pynenc_state.history.linearizability import assert_linearizable, check_linearizable
from pytest_pynenc_state.history.models import MODELS, Model, RetriesModel
from pytest_pynenc_state.history.operations import (
    Ending,
    Operation,
)
from pytest_pynenc_state.history.verdict import Outcome
from tests.history.calls import READ, REGISTER, claim, op, refused

STATUS, RESULT, SERVICES = (MODELS[name] for name in ("status", "result", "services"))


class RegisteredRetries(RetriesModel):
    """The retries of an invocation that is registered already."""

    initial = 0


RETRIES: Model[Any] = RegisteredRetries()

CASES = 2500


def is_possible(operations: list[Operation], model: Model[Any]) -> bool:
    """Try all orders of all that ended, with any of those of which nobody knows."""
    ended = [each for each in operations if each.end_ns is not None and each.value != "OSError"]
    lost = [
        replace(each, ending=Ending.UNKNOWN, end_ns=None)
        for each in operations
        if each not in ended
    ]
    for number in range(2 ** len(lost)):
        taken = [*ended, *(each for bit, each in enumerate(lost) if number >> bit & 1)]
        if any(_is_legal(order, model) for order in permutations(taken)):
            return True
    return False


def _is_legal(order: tuple[Operation, ...], model: Model[Any]) -> bool:
    state = model.initial
    for position, each in enumerate(order):
        later = order[position + 1 :]
        if any(other.end_ns is not None and other.end_ns < each.start_ns for other in later):
            return False
        state = model.step(state, each)
        if state is None:
            return False
    return True


def _call(model: Model[Any], chooser: random.Random) -> tuple[str, tuple[Any, ...], Any, bool]:
    """A call, and an answer that may be right: names, arguments, value, and whether it raised."""
    name = chooser.choice(sorted(model.methods))
    runner = chooser.choice(["a", "b"])
    statuses = ["registered", "pending", "running", "success"]
    records = [["registered", "a"], ["pending", "a"], ["pending", "b"], ["running", "a"]]
    records.append(["success", None])
    refusals = ["KeyError", "InvocationStatusTransitionError", "InvocationStatusOwnershipError"]
    if name == "register_new_invocations":
        return name, ("a",), None, False
    if model is STATUS:
        arguments = (chooser.choice(statuses[1:]), runner) if "transition" in name else ()
        is_refused = chooser.random() < 0.4
        refusal = chooser.choice(refusals) if arguments else "KeyError"
        return name, arguments, refusal if is_refused else chooser.choice(records), is_refused
    if model is RETRIES:
        return name, (), chooser.randrange(4) if name.startswith("get") else None, False
    if name == "set_result":
        return name, (runner,), None, False
    if model is RESULT:
        value = chooser.choice(["a", "b", None])
        return name, (), value or "KeyError", value is None
    return name, (runner,), chooser.random() < 0.9 if name.startswith("record") else None, False


def random_operations(model: Model[Any], chooser: random.Random) -> list[Operation]:
    """Up to six operations that overlap in many ways; the last ones may never have returned."""
    found = []
    for index in range(chooser.randint(1, 6)):
        start_ns = chooser.randrange(12)
        name, arguments, value, error = _call(model, chooser)
        if chooser.random() < 0.05:
            value, error = "OSError", True
        is_lost = chooser.random() < 0.1
        end_ns = None if is_lost else start_ns + chooser.randrange(7)
        each = op(name, *arguments, at=(start_ns, end_ns), value=value, error=error)
        found.append(replace(each, process=f"p{index}"))
    return found


@pytest.mark.parametrize(
    "model", [STATUS, RETRIES, RESULT, SERVICES], ids=["status", "retries", "result", "services"]
)
def test_the_verdict_is_that_of_trying_all_orders(model: Model[Any]) -> None:
    """On random operations, of which a good part are possible and a good part are not."""
    chooser = random.Random(f"{model.name}-1")  # noqa: S311 - no cryptography
    possible = 0
    for _ in range(CASES):
        operations = random_operations(model, chooser)
        expected = is_possible(operations, model)
        verdict = check_linearizable(operations, model)
        assert (verdict.outcome == Outcome.OK) is expected, str(verdict)
        possible += expected
    assert 0.1 < possible / CASES < 0.9


def test_of_two_claims_one_is_refused() -> None:
    """Whoever was asked first, if they overlap."""
    late = "InvocationStatusTransitionError"
    for winner, loser in (("a", "b"), ("b", "a")):
        operations = [REGISTER, claim(winner, (2, 9)), refused(loser, (3, 8), late)]
        assert check_linearizable(operations, STATUS).outcome == Outcome.OK


def test_two_winners_are_impossible_and_the_witness_says_why() -> None:
    """The longest possible beginning, the first impossible answer, and what it should have been."""
    operations = [REGISTER, claim("a", (2, 9)), claim("b", (3, 8))]

    verdict = check_linearizable(operations, STATUS)

    assert verdict.outcome == Outcome.VIOLATED
    (impossible,) = verdict.impossible
    assert len(impossible.order) == 2
    assert "raising InvocationStatusTransitionError (it was pending of" in str(verdict)
    assert "which may become" in str(verdict)
    assert "  > " in str(verdict)


def test_a_claim_that_is_refused_though_nobody_has_it_is_impossible() -> None:
    """A store must not invent a reason."""
    late = refused("a", (2, 3), "InvocationStatusTransitionError")
    assert check_linearizable([REGISTER, late], STATUS).outcome == Outcome.VIOLATED
    race = refused("a", (2, 3), "InvocationStatusRaceConditionError")
    assert check_linearizable([REGISTER, race], STATUS).outcome == Outcome.OK


def test_a_stale_reading_is_impossible() -> None:
    """After a write has returned, nobody reads what was before it."""
    read = op("get_invocation_status_record", at=(5, 6), value=["registered", "client"])
    assert check_linearizable([REGISTER, claim("a", (2, 4)), read], STATUS).outcome == "violated"
    # Intervals are closed: what touches may come in either order.
    touching = replace(read, start_ns=4)
    assert check_linearizable([REGISTER, claim("a", (2, 4)), touching], STATUS).outcome == "ok"


def test_a_lost_increment_is_impossible() -> None:
    """Two that returned are two."""
    operations = [
        op("increment_invocation_retries", at=(0, 5)),
        op("increment_invocation_retries", at=(1, 6)),
        op("get_invocation_retries", at=(7, 8), value=1),
    ]
    assert check_linearizable(operations, RETRIES).outcome == Outcome.VIOLATED


def test_retries_count_from_the_registration_on() -> None:
    """Before it, and after a purge, pynenc leaves them open; registering again changes nothing."""
    one = op("increment_invocation_retries", at=(2, 3))
    early = op("get_invocation_retries", at=(0, 1), value=7)
    again = replace(REGISTER, start_ns=4, end_ns=5)
    read = op("get_invocation_retries", at=(6, 7), value=1)
    purge = op("orchestrator.purge", at=(8, 9))
    late = op("get_invocation_retries", at=(10, 11), value=7)
    model = MODELS["retries"]
    sound = [early, replace(REGISTER, start_ns=1), one, again, read, purge, late]
    assert check_linearizable(sound, model).outcome == Outcome.OK
    assert check_linearizable([*sound[:-2], late], model).outcome == Outcome.VIOLATED
    wrong = replace(read, value=0)
    assert check_linearizable([REGISTER, one, again, wrong], model).outcome == Outcome.VIOLATED


def test_a_purge_is_of_everything() -> None:
    """Whatever key it is about; but only of its component."""
    text = op("set_result", "text", at=(0, 1))
    gone = op("get_result", at=(4, 5), value="KeyError", error=True)
    purge = replace(op("state_backend.purge", at=(2, 3)), key="*")
    assert check_linearizable([text, purge, gone], RESULT).outcome == Outcome.OK
    other = replace(purge, name="orchestrator.purge")
    assert check_linearizable([text, other, gone], RESULT).outcome == Outcome.VIOLATED


def test_to_refuse_a_service_is_no_error() -> None:
    """A run that has ended is not admitted again; but nobody is admitted beside another one."""
    first = op("record_atomic_service_execution_start", "a", at=(0, 1), value=True)
    again = op("record_atomic_service_execution_start", "a", at=(2, 3), value=False)
    ended = op("finalize_atomic_service_execution", "a", at=(4, 5))
    late = op("record_atomic_service_execution_start", "a", at=(6, 7), value=False)
    assert check_linearizable([first, again, ended, late], SERVICES).outcome == Outcome.OK


@pytest.mark.parametrize("found", [1, 2])
def test_what_a_killed_process_was_doing_may_have_happened_or_not(found: int) -> None:
    """And it may happen at any time after it was begun; but not before."""
    operations = [
        op("increment_invocation_retries", at=(0, 5)),
        op("increment_invocation_retries", at=(1, None)),
        op("get_invocation_retries", at=(70, 80), value=found),
    ]
    assert check_linearizable(operations, RETRIES).outcome == Outcome.OK
    too_early = op("get_invocation_retries", at=(0, 0), value=2)
    assert check_linearizable([*operations[:2], too_early], RETRIES).outcome == Outcome.VIOLATED


def test_an_acknowledged_write_that_is_gone_is_impossible() -> None:
    """Killing its process afterwards is no excuse."""
    operations = [
        op("set_result", "text", at=(0, 1)),
        op("get_result", at=(5, 6), value="KeyError", error=True),
    ]
    assert check_linearizable(operations, RESULT).outcome == Outcome.VIOLATED


def test_two_services_at_once_are_impossible() -> None:
    """The second is admitted once the first is finalized."""
    first = op("record_atomic_service_execution_start", "a", at=(0, 1), value=True)
    ended = op("finalize_atomic_service_execution", "a", at=(2, 3))
    second = op("record_atomic_service_execution_start", "b", at=(4, 5), value=True)
    assert check_linearizable([first, ended, second], SERVICES).outcome == Outcome.OK
    assert check_linearizable([first, second], SERVICES).outcome == Outcome.VIOLATED


def test_things_are_judged_each_by_itself() -> None:
    """One that is impossible is named, and says nothing about the others."""
    good = [replace(each, key="good") for each in (REGISTER, claim("a", (2, 3)))]
    bad = [replace(each, key="bad") for each in (REGISTER, claim("a", (2, 3)), claim("b", (4, 5)))]
    verdict = check_linearizable([*good, *bad], STATUS)
    assert [each.key for each in verdict.impossible] == ["bad"]
    assert verdict.checked == 5


def test_the_order_in_which_operations_are_given_plays_no_part() -> None:
    """The explanation is the same to the letter."""
    chooser = random.Random(7)  # noqa: S311 - no cryptography
    operations = [REGISTER, claim("a", (2, 9)), claim("b", (3, 8)), claim("c", (3, 9))]
    said = set()
    for _ in range(20):
        chooser.shuffle(operations)
        said.add(str(check_linearizable(operations, STATUS)))
    assert len(said) == 1


def test_a_verdict_is_no_truth_value() -> None:
    """Undecided is neither."""
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(check_linearizable([], STATUS))


def test_what_is_undecided_is_no_success() -> None:
    """A search that had no time says so, and the assertion fails."""
    operations = hard_operations(200)
    assert check_linearizable(operations, RETRIES, budget_s=0.0).outcome == Outcome.UNDECIDED
    with pytest.raises(AssertionError, match="not decided within the budget: it"):
        assert_linearizable(operations, RETRIES, budget_s=0.0)


def hard_operations(count: int) -> list[Operation]:
    """Operations that all overlap, and of which the last reading is impossible."""
    half = count // 2
    increments = [op("increment_invocation_retries", at=(n, 10_000)) for n in range(half)]
    reads = [op("get_invocation_retries", at=(n, 9_000 + n), value=n % half) for n in range(half)]
    impossible = op("get_invocation_retries", at=(20_000, 20_001), value=half + 1)
    return [replace(each, process=f"p{n}") for n, each in enumerate([*increments, *reads])] + [
        impossible
    ]


def test_a_hard_search_keeps_to_its_budget_and_to_a_gibibyte() -> None:
    """Two hundred operations on one thing, all at once: too many orders to try them all."""
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started_s = time.monotonic()
    verdict = check_linearizable(hard_operations(200), RETRIES, budget_s=3.0)
    taken_s = time.monotonic() - started_s
    assert verdict.outcome in (Outcome.VIOLATED, Outcome.UNDECIDED)
    assert taken_s < 6.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 1024 * 1024


@pytest.mark.parametrize(
    ("model", "operations"),
    [
        (STATUS, [REGISTER, claim("a", (2, 3)), op("register_new_invocations", "b", at=(4, 5))]),
        (SERVICES, [op("record_atomic_service_execution_start", "a", at=(0, 1), value=True)] * 2),
        (RESULT, [op("set_result", "one", at=(0, 1)), op("set_result", "two", at=(2, 3))]),
    ],
    ids=["register again", "start again", "overwrite"],
)
def test_what_may_be_repeated_is_possible(model: Model[Any], operations: list[Operation]) -> None:
    """It changes nothing, or only what it says."""
    assert check_linearizable(operations, model).outcome == Outcome.OK


@pytest.mark.parametrize(
    ("model", "operations"),
    [
        (STATUS, [op(READ, at=(0, 1), value=["registered", "client"])]),
        (STATUS, [REGISTER, op(READ, at=(2, 3), value=["registered", "another"])]),
        (STATUS, [REGISTER, replace(claim("a", (2, 3)), value=["running", "a"])]),
        (
            STATUS,
            [
                REGISTER,
                claim("a", (2, 3)),
                op("register_new_invocations", "b", at=(4, 5)),
                op(READ, at=(6, 7), value=["registered", "b"]),
            ],
        ),
        (RESULT, [op("get_result", at=(0, 1), value="of nobody")]),
        (
            RESULT,
            [
                op("set_result", "one", at=(0, 1)),
                op("set_result", "two", at=(2, 3)),
                op("get_result", at=(4, 5), value="one"),
            ],
        ),
        (
            SERVICES,
            [
                op("record_atomic_service_execution_start", "a", at=(0, 1), value=True),
                op("finalize_atomic_service_execution", "b", at=(2, 3)),
                op("record_atomic_service_execution_start", "c", at=(4, 5), value=True),
            ],
        ),
    ],
)
def test_what_nobody_has_done_is_impossible(model: Model[Any], operations: list[Operation]) -> None:
    """Reading what was not written, moving where nobody asked, ending what another one runs."""
    assert check_linearizable(operations, model).outcome == Outcome.VIOLATED


def test_the_witness_is_the_longest_possible_beginning() -> None:
    """Also if the search came to an end elsewhere first."""
    operations = [
        op("set_result", "one", at=(0, 10)),
        op("set_result", "two", at=(1, 10)),
        op("get_result", at=(2, 9), value="one"),
        op("get_result", at=(11, 12), value="two"),
        op("get_result", at=(13, 14), value="three"),
    ]
    (impossible,) = check_linearizable(operations, RESULT).impossible
    assert (len(impossible.order), impossible.operation) == (4, operations[-1])
    assert (impossible.state, impossible.allowed) == ("('two',)", "two")


def test_ten_thousand_operations_on_a_hundred_things_take_a_moment() -> None:
    """Four processes at a time: it is what a stress test records in half a minute."""
    operations = []
    for number in range(100):
        for index in range(100):
            name = "get_invocation_retries" if index % 4 == 3 else "increment_invocation_retries"
            value = index - index // 4 if index % 4 == 3 else None
            each = op(name, at=(10 * index, 10 * index + 25), value=value)
            operations.append(replace(each, key=f"invocation-{number}", process=f"p{index % 4}"))
    started_s = time.process_time()
    verdict = check_linearizable(operations, RETRIES)
    assert (verdict.outcome, verdict.checked) == (Outcome.OK, 10_000)
    assert time.process_time() - started_s < 2.0
