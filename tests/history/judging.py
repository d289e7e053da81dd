"""What tests of rules ask: the verdict on facts of which all is in order but what is given."""

from __future__ import annotations

from typing import Any

from pynenc.invocation.status import InvocationStatus, InvocationStatusRecord

from pytest_pynenc_state.history.facts import AppFacts, InvocationFacts
from pytest_pynenc_state.history.records import History
from pytest_pynenc_state.history.rule import Rule
from pytest_pynenc_state.history.verdict import Outcome, Verdict

OK, VIOLATED, UNDECIDED = Outcome.OK, Outcome.VIOLATED, Outcome.UNDECIDED


def outcomes(rule: Rule, facts: AppFacts) -> list[Outcome]:
    return [verdict.outcome for verdict in rule.verdicts(facts)]


def judged(rule: Rule, told: History, **facts: Any) -> Verdict:
    """What *rule* says of one invocation, of which all else is in order unless given."""
    (verdict,) = rule.verdicts(AppFacts((facts_in_order(told, **facts),)))
    return verdict


def facts_in_order(told: History, **facts: Any) -> InvocationFacts:
    """Facts that agree with a history: status, retries, result and exception."""
    last = told.records[-1]
    in_order: dict[str, Any] = {
        "status_record": InvocationStatusRecord(last.status, last.owner, last.at),
        "retries": told.statuses.count(InvocationStatus.RETRY),
        "has_result": last.status == "success",
        "has_exception": last.status == "failed",
    }
    return InvocationFacts(told, **{**in_order, **facts})
