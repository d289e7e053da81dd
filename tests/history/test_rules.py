"""Rules: each keeps still about a legal history, and names the one event that breaks it."""

from __future__ import annotations

from datetime import timedelta
from difflib import SequenceMatcher
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pynenc.invocation.status import InvocationStatusRecord

from pytest_pynenc_state.history.checking import RULES
from pytest_pynenc_state.history.facts import AppFacts, InvocationFacts
from pytest_pynenc_state.history.records import History
from pytest_pynenc_state.history.rule import Rule
from pytest_pynenc_state.history.rules import (
    EXCEPTION_IFF_FAILED,
    LEGAL_TRANSITIONS,
    ONE_OWNER,
    OWNERSHIP_KEPT,
    RESULT_IFF_SUCCESS,
    RETRIES_COUNTED,
    STATUS_AGREES,
)
from pytest_pynenc_state.history.verdict import Outcome
from tests.history.builders import REGISTERED_AT, RUNNER, history, legal_walks, record
from tests.history.events import DATA, facts_from, lines_of
from tests.history.judging import OK, UNDECIDED, VIOLATED, facts_in_order, judged, outcomes

#: What each rule says of its bad file: invocation, position, message.
WITNESSES: dict[str, tuple[str | None, int | None, str]] = {
    "ends-are-final": ("charge-1", 4, "runner-2 set success after success, which is final"),
    "one-owner": (
        "charge-1",
        2,
        "running belongs to runner-2, but runner-1 had not released it",
    ),
    "legal-transitions": ("charge-1", 2, "after pending pynenc allows *, not success"),
    "ownership-kept": ("charge-1", 3, "retry releases ownership, but runner-1 owns it"),
    "none-run-at-once": (
        "charge-2",
        2,
        "it began to run 5.000 ms before charge-1 stopped, though running_concurrency allows *",
    ),
    "children-within-parents": (
        "charge-1",
        0,
        "it was registered when the status of its parent order-1 was success",
    ),
    "status-agrees": (
        "charge-1",
        3,
        "the orchestrator has running owned by runner-1, but the history ends with success *",
    ),
    "retries-counted": ("charge-1", 3, "it was retried once, but the orchestrator counted 0"),
    "result-iff-success": ("charge-1", 3, "it ended as success, but no result is stored"),
    "exception-iff-failed": ("charge-1", 3, "it ended as success, but an exception is stored"),
    "services-apart": (
        None,
        None,
        "runner-2 began atomic services at *, 100.000 ms before runner-1 ended them",
    ),
}

#: What each rule cannot tell in its undecided file, and why.
DOUBTS = {
    "ends-are-final": "two clocks do not tell",
    "one-owner": "two clocks do not tell",
    "legal-transitions": "two clocks do not tell",
    "ownership-kept": "two clocks do not tell",
    "none-run-at-once": "unless the clocks of their hosts mislead",
    "children-within-parents": "an attempt that was cut off may have gone on",
    "status-agrees": "the orchestrator knows no status of any invocation: was it purged?",
    "retries-counted": "perhaps not yet the last one",
    "result-iff-success": "perhaps by the attempt that was cut off here",
    "exception-iff-failed": "perhaps by the attempt that was cut off here",
    "services-apart": "as far as another runner could tell",
}

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


@every_rule
def test_no_rule_objects_to_its_ok_file(rule: Rule) -> None:
    """Nor does any other: the history is legal."""
    facts = facts_from(lines_of(f"{rule.name}-ok"))
    assert {each.name: outcomes(each, facts) for each in RULES} == {
        each.name: [OK] for each in RULES
    }


@every_rule
def test_the_two_files_of_a_rule_differ_by_one_event(rule: Rule) -> None:
    """One line is changed, added or removed; so what the rule objects to is that event."""
    fine, broken = (lines_of(f"{rule.name}-{kind}") for kind in ("ok", "bad"))
    changes = [
        (last - first, other_last - other_first)
        for kind, first, last, other_first, other_last in SequenceMatcher(
            None, fine, broken, autojunk=False
        ).get_opcodes()
        if kind != "equal"
    ]
    assert len(changes) == 1
    assert max(changes[0]) == 1


@every_rule
def test_the_one_event_is_found_where_it_is(rule: Rule) -> None:
    """The witness is the invocation and the record, the message says what is wrong."""
    (verdict,) = rule.verdicts(facts_from(lines_of(f"{rule.name}-bad")))
    invocation_id, position, message = WITNESSES[rule.name]
    found = verdict.witness
    place = (found.history.invocation_id, found.position) if found else (None, None)
    assert (verdict.rule, verdict.outcome, place, fnmatchcase(verdict.message, message)) == (
        rule.name,
        VIOLATED,
        (invocation_id, position),
        True,
    ), verdict.message


@every_rule
def test_what_the_store_does_not_tell_is_undecided(rule: Rule) -> None:
    """It is neither ok nor a violation, and the message says why."""
    (verdict,) = rule.verdicts(facts_from(lines_of(f"{rule.name}-undecided")))
    assert (verdict.outcome, DOUBTS[rule.name] in verdict.message) == (UNDECIDED, True)


def test_each_file_is_that_of_a_rule() -> None:
    """And each rule has its three."""
    kinds = ("ok", "bad", "undecided")
    expected = {f"{rule.name}-{kind}" for rule in RULES for kind in kinds}
    assert {path.stem for path in DATA.iterdir()} == expected


@every_rule
def test_a_rule_is_one_sentence_with_a_source(rule: Rule) -> None:
    """It is shown to whoever breaks it."""
    assert (rule.statement[-1], rule.statement.count(". "), rule.source[:7]) == (".", 0, "pynenc:")


@given(st.lists(legal_walks(), max_size=4))
def test_no_rule_objects_to_what_pynenc_allows(walks: list[History]) -> None:
    """Whatever legal steps some invocations took, ended or not."""
    facts = AppFacts(
        tuple(
            facts_in_order(History(f"charge-{number}", walk.records))
            for number, walk in enumerate(walks)
        )
    )
    assert {rule.name: outcomes(rule, facts) for rule in RULES} == {
        rule.name: [OK] for rule in RULES
    }


def test_only_the_owner_leaves_an_owned_status() -> None:
    """Also if the status it is left to belongs to nobody."""
    told = history("registered", "pending", "running", record("success", 0.03, mover="runner-2"))
    verdict = judged(ONE_OWNER, told)
    assert (verdict.outcome, verdict.message) == (
        VIOLATED,
        "running was left by runner-2, but owned by runner-1",
    )


def test_a_recovery_may_leave_what_another_runner_owns() -> None:
    """That is what it is for."""
    told = history("registered", "pending", "running", ("running_recovery", "runner-2"))
    assert judged(ONE_OWNER, told).outcome == OK


def test_the_one_who_registers_does_not_own() -> None:
    """The first record names it, and any runner may take the invocation."""
    told = history(record("registered", 0.0, owner="client-1"), ("pending", "runner-2"))
    rules = (ONE_OWNER, OWNERSHIP_KEPT, LEGAL_TRANSITIONS)
    assert [judged(rule, told).outcome for rule in rules] == [OK, OK, OK]


def test_an_acquired_status_needs_an_owner() -> None:
    """PENDING of nobody could be run by everybody."""
    told = history("registered", record("pending", 0.01, mover=RUNNER))
    verdict = judged(OWNERSHIP_KEPT, told)
    assert (verdict.outcome, verdict.message) == (
        VIOLATED,
        "pending belongs to who sets it, runner-1, not to nobody",
    )


def test_an_owner_that_changes_is_told_by_one_rule() -> None:
    """The rule that says more."""
    told = history("registered", "pending", record("running", 0.02, "runner-2"))
    rules = (ONE_OWNER, OWNERSHIP_KEPT)
    assert [judged(rule, told).outcome for rule in rules] == [VIOLATED, OK]


def test_a_history_begins_with_registration() -> None:
    """Whatever is in front of the first record that is left."""
    verdict = judged(LEGAL_TRANSITIONS, history(record("pending", 0.0, owner=RUNNER)))
    assert (verdict.outcome, verdict.message) == (
        VIOLATED,
        "a history begins with registered, not with pending",
    )


RETRIED = ("registered", "pending", "running", "retry", "pending", "running", "retry")


def test_a_tie_that_no_order_makes_legal_is_a_violation() -> None:
    """Two runners that both run it do so in either order."""
    told = history(
        *("registered", "pending", "running", record("running", 0.02, "runner-2")),
        order_unknown=(3,),
    )
    rules = (ONE_OWNER, LEGAL_TRANSITIONS)
    assert [judged(rule, told).outcome for rule in rules] == [VIOLATED, VIOLATED]


def test_the_order_of_a_tie_must_suit_what_follows() -> None:
    """RUNNING before SUCCESS would be legal, were it not for the retry."""
    told = history(
        *("registered", "pending"),
        record("success", 0.02, mover=RUNNER),
        record("running", 0.02, RUNNER),
        record("retry", 0.03, mover=RUNNER),
        order_unknown=(3,),
    )
    assert judged(LEGAL_TRANSITIONS, told).outcome == VIOLATED


def test_more_orders_than_can_be_tried_are_undecided() -> None:
    """Of dozens of records at one instant, each of two dozen runners knows the order of its own."""
    told = history(
        record("registered"),
        *(
            record(status, 0.01 + later_s, owner, f"runner-{number}")
            for number in range(25)
            for status, later_s, owner in (
                ("pending", 0.0, f"runner-{number}"),
                ("rerouted", 0.001, None),
            )
        ),
        record("success", 0.02, mover="runner-0"),
    )
    assert judged(LEGAL_TRANSITIONS, told).outcome == UNDECIDED


def test_more_retries_than_the_task_allows_are_a_violation() -> None:
    """At the first one too many; without the task, nobody knows how many it allows."""
    told = history(*RETRIED)
    verdict = judged(RETRIES_COUNTED, told, max_retries=1)
    assert verdict.witness is not None
    assert (verdict.outcome, verdict.witness.position, verdict.message) == (
        VIOLATED,
        6,
        "it was retried 2 times, but its task has max_retries=1",
    )
    assert judged(RETRIES_COUNTED, told, max_retries=2).outcome == OK
    assert judged(RETRIES_COUNTED, told, max_retries=None).outcome == OK


@pytest.mark.parametrize(("counted", "outcome"), [(0, VIOLATED), (1, UNDECIDED), (3, UNDECIDED)])
def test_the_count_may_differ_while_it_moves(counted: int, outcome: Outcome) -> None:
    """One less just after the status, more after the history was read, never two less."""
    assert judged(RETRIES_COUNTED, history(*RETRIED), retries=counted).outcome == outcome


def test_the_count_of_an_ended_invocation_does_not_move() -> None:
    """Then more is as wrong as less."""
    told = history(*RETRIED, "pending", "running", "success")
    found = [judged(RETRIES_COUNTED, told, retries=count).outcome for count in (1, 2, 3)]
    assert found == [VIOLATED, OK, VIOLATED]


@pytest.mark.parametrize("has_result", [False, True])
def test_a_result_before_the_end_is_no_violation(*, has_result: bool) -> None:
    """It is stored before the status is set."""
    told = history("registered", "pending", "running")
    assert judged(RESULT_IFF_SUCCESS, told, has_result=has_result).outcome == OK


def test_a_result_of_a_failure_and_an_exception_that_is_missing_are_violations() -> None:
    """Of an invocation that nothing has cut off."""
    told = history("registered", "pending", "running", "failed")
    assert judged(RESULT_IFF_SUCCESS, told, has_result=True).outcome == VIOLATED
    assert judged(EXCEPTION_IFF_FAILED, told, has_exception=False).outcome == VIOLATED


def test_what_must_be_stored_is_missed_even_after_a_recovery() -> None:
    """An earlier attempt may leave too much, never too little."""
    told = history(
        *("registered", "pending", "running", "running_recovery", "rerouted"),
        *("pending", "running", "success"),
    )
    assert judged(RESULT_IFF_SUCCESS, told, has_result=False).outcome == VIOLATED


def test_a_runner_that_gave_back_what_it_had_not_begun_leaves_nothing() -> None:
    """Rerouted before it ran: nobody can have stored that exception but the last attempt."""
    told = history(
        *("registered", "pending", "rerouted", "pending", "running", "success"),
    )
    assert judged(EXCEPTION_IFF_FAILED, told, has_exception=True).outcome == VIOLATED


@pytest.mark.parametrize(("off_us", "outcome"), [(-1000, OK), (1000, OK), (1001, VIOLATED)])
def test_a_status_may_be_rounded_to_milliseconds(off_us: int, outcome: Outcome) -> None:
    """As MongoDB does; and a naive instant is UTC."""
    told = history("registered", "pending")
    last = told[-1]
    moment = (last.at + timedelta(microseconds=off_us)).replace(tzinfo=None)
    status_record = InvocationStatusRecord(last.status, last.owner, moment)
    assert judged(STATUS_AGREES, told, status_record=status_record).outcome == outcome


def test_another_owner_in_the_status_is_a_violation() -> None:
    """The runner that the orchestrator would let move it is not the one that has it."""
    told = history("registered", "pending")
    status_record = InvocationStatusRecord(told[-1].status, "runner-2", told[-1].at)
    verdict = judged(STATUS_AGREES, told, status_record=status_record)
    difference = "pending owned by runner-2, but the history ends with pending owned by runner-1"
    assert (verdict.outcome, verdict.message) == (VIOLATED, f"the orchestrator has {difference}")


def test_a_status_without_a_history_is_a_violation() -> None:
    """Somebody moved it, and nothing says who or when."""
    status_record = InvocationStatusRecord(history("registered")[0].status, None, REGISTERED_AT)
    facts = AppFacts((InvocationFacts(History("charge-1", ()), status_record),))
    (verdict,) = STATUS_AGREES.verdicts(facts)
    assert (verdict.outcome, verdict.message) == (
        VIOLATED,
        "the orchestrator has registered owned by nobody, but there is no history",
    )


def test_a_history_without_a_status_is_a_violation() -> None:
    """Nobody will ever run it, and no ``result`` will ever come."""
    lost = facts_in_order(history("registered", invocation_id="lost"), status_record=None)
    other = facts_in_order(history("registered"))
    (verdict,) = STATUS_AGREES.verdicts(AppFacts((lost, other)))
    assert (verdict.outcome, verdict.message) == (
        VIOLATED,
        "it has a history, but the orchestrator does not know its status",
    )


def test_an_ended_invocation_may_be_forgotten_once_it_is_old() -> None:
    """The orchestrator's automatic purge takes it; one that has not ended is not purged."""
    ended, begun, known = (
        facts_in_order(history(*steps, invocation_id=str(number)), status_record=None)
        for number, steps in enumerate(
            [("registered", "pending", "running", "success"), ("registered",), ("registered",)]
        )
    )
    known = facts_in_order(known.history)
    later = REGISTERED_AT + timedelta(days=1)
    assert outcomes(STATUS_AGREES, AppFacts((ended, begun, known), (), later)) == [
        UNDECIDED,
        VIOLATED,
    ]


def test_a_verdict_is_no_bool() -> None:
    """*Undecided* would read as one of the two."""
    with pytest.raises(TypeError, match="compare its outcome"):
        bool(judged(LEGAL_TRANSITIONS, history("registered")))
