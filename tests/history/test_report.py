"""Reports: what is told of many verdicts, in which order, and how much of it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pytest_pynenc_state.history.checking import judge
from pytest_pynenc_state.history.facts import AppFacts, InvocationFacts
from pytest_pynenc_state.history.report import Report
from tests.history.builders import history, record
from tests.history.events import facts_from, lines_of
from tests.history.judging import OK, UNDECIDED, VIOLATED, facts_in_order
from tests.history.tracebacks import files_shown

BOTH_ENDS = ("registered", "pending", "running", "success", record("failed", 0.05))


def report_on(name: str) -> Report:
    return judge("shop", facts_from(lines_of(name)))


def twice_ended(invocation_id: str) -> InvocationFacts:
    return facts_in_order(history(*BOTH_ENDS, invocation_id=invocation_id), has_exception=True)


def without_result(invocation_id: str) -> InvocationFacts:
    told = history("registered", "pending", "running", "success", invocation_id=invocation_id)
    return facts_in_order(told, has_result=False)


def begun(invocation_id: str) -> InvocationFacts:
    return facts_in_order(history("registered", "pending", invocation_id=invocation_id))


def headings(report: Report) -> list[str]:
    """The ids of the invocations whose violations are told in full."""
    lines = str(report).splitlines()
    names = [line for before, line in pairwise(lines) if not before]
    return [line.rpartition(") ")[2] for line in names if line.endswith(tuple("0123456789"))]


@pytest.mark.parametrize(
    ("name", "outcome", "violations", "undecided"),
    [
        ("ends-are-final-ok", OK, 0, 0),
        ("ends-are-final-bad", VIOLATED, 2, 0),
        ("retries-counted-undecided", UNDECIDED, 0, 1),
    ],
)
def test_the_outcome_is_that_of_the_worst_verdict(
    name: str, outcome: str, violations: int, undecided: int
) -> None:
    """Undecided never counts as ok."""
    report = report_on(name)
    assert (report.outcome, len(report.violations), len(report.undecided)) == (
        outcome,
        violations,
        undecided,
    )


def test_a_violation_fails_the_test_with_the_whole_text() -> None:
    """What pytest shows is what the report says."""
    report = report_on("ends-are-final-bad")
    with pytest.raises(AssertionError) as raised:
        report.raise_for_violations()
    assert str(raised.value) == str(report)


@pytest.mark.parametrize("name", ["ends-are-final-ok", "retries-counted-undecided"])
def test_what_is_not_violated_does_not_fail_the_test(name: str) -> None:
    """Whoever wants to be sure demands the outcome "ok"."""
    report_on(name).raise_for_violations()


def test_a_report_is_no_bool() -> None:
    """*Undecided* would read as one of the two."""
    with pytest.raises(TypeError, match="compare its outcome") as caught:
        bool(report_on("ends-are-final-ok"))
    assert files_shown(caught) == ["test_report.py"]


def test_the_text_shows_the_call_the_sentence_and_the_place() -> None:
    """And the other rules that the same event breaks in a line each."""
    assert str(report_on("ends-are-final-bad")).splitlines() == [
        "1 invocation of app 'shop' checked: 2 violations, 0 undecided",
        "",
        "shop.payments.charge(order_number='order-1', amount_cents=1350) charge-1",
        "  runner-2 set success after success, which is final",
        "  ends-are-final: Nothing follows a final status.",
        "    1  +0.000 s  registered  ThreadRunner client-1  pid 4001",
        "    2  +0.010 s  pending     ThreadRunner runner-1  pid 4002",
        "    3  +0.020 s  running     ThreadRunner runner-1  pid 4002",
        "    4  +0.030 s  success     nobody                 pid 4002",
        "  > 5  +0.031 s  success     nobody                 pid 4003",
        "  also legal-transitions: after success pynenc allows nothing, not success",
    ]


def test_the_text_names_the_other_invocation() -> None:
    """Two are needed to run at once."""
    last = str(report_on("none-run-at-once-bad")).splitlines()[-1]
    assert last.startswith("  the other is shop.payments.charge(order_number='order-1', ")


def test_what_is_undecided_and_what_has_not_ended_comes_last() -> None:
    """Neither is a violation."""
    call = "shop.payments.charge(order_number='order-1', amount_cents=1350) charge-1"
    doubt = "the orchestrator counted 0, perhaps not yet the last one"
    assert str(report_on("retries-counted-undecided")).splitlines() == [
        "1 invocation of app 'shop' checked: 0 violations, 1 undecided",
        "",
        "undecided:",
        f"  {call}",
        f"    retries-counted: it was retried once, but {doubt}",
        "",
        f"not ended: {call} (retry)",
    ]


def test_the_most_telling_rule_comes_first() -> None:
    """Whichever invocation was registered first."""
    facts = AppFacts((without_result("charge-1"), twice_ended("charge-2")))
    assert headings(judge("shop", facts)) == ["charge-2", "charge-1"]


def test_so_many_invocations_are_told_and_the_rest_is_counted() -> None:
    """Of violations, of what is undecided, and of what has not ended."""
    doubtful = [
        InvocationFacts(each.history, each.status_record, retries=1)
        for each in map(begun, (f"charge-{number}" for number in range(12, 24)))
    ]
    facts = AppFacts((*(twice_ended(f"charge-{number}") for number in range(12)), *doubtful))
    report = judge("shop", facts)
    text = str(report)
    assert headings(report) == [f"charge-{number}" for number in range(10)]
    assert "... and violations of 2 more invocations\n" in text
    assert "  ... and 2 more invocations\n" in text
    assert text.endswith("charge-21 (pending) and 2 more")


def test_what_has_ended_twice_is_not_called_unfinished() -> None:
    """Whatever its last record says."""
    told = history(*BOTH_ENDS[:4], record("running", 0.05, "runner-2"))
    assert judge("shop", AppFacts((facts_in_order(told),))).unfinished == ()
