"""Checking all histories of an app against all rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_pynenc_state.history.collecting import collect_facts
from pytest_pynenc_state.history.facts import AppFacts
from pytest_pynenc_state.history.report import Report
from pytest_pynenc_state.history.rules import (
    ENDS_ARE_FINAL,
    EXCEPTION_IFF_FAILED,
    LEGAL_TRANSITIONS,
    ONE_OWNER,
    OWNERSHIP_KEPT,
    RESULT_IFF_SUCCESS,
    RETRIES_COUNTED,
    STATUS_AGREES,
)
from pytest_pynenc_state.history.rules_between import (
    CHILDREN_WITHIN_PARENTS,
    NONE_RUN_AT_ONCE,
    SERVICES_APART,
)
from pytest_pynenc_state.history.verdict import Outcome

if TYPE_CHECKING:
    from pynenc.app import Pynenc

#: Every rule, the most telling first. One cause often breaks several rules of an invocation:
#: a second end is also an illegal transition, and leaves a second result. The narrower rule
#: says more, and what happened says more than what it left in the store.
RULES = (
    ENDS_ARE_FINAL,
    ONE_OWNER,
    LEGAL_TRANSITIONS,
    OWNERSHIP_KEPT,
    NONE_RUN_AT_ONCE,
    CHILDREN_WITHIN_PARENTS,
    STATUS_AGREES,
    RETRIES_COUNTED,
    RESULT_IFF_SUCCESS,
    EXCEPTION_IFF_FAILED,
    SERVICES_APART,
)


def check_histories(app: Pynenc, *, timeout_s: float = 5.0) -> Report:
    """Check the histories of all invocations of *app* against every rule.

    Nothing is written to the store. The app may still be at work; an invocation that has not
    ended is reported as such, and breaks no rule by that.

    :param timeout_s: How long the histories may take to settle, in seconds. One that does not
        is judged as it is: history and status disagree.
    :returns: What is not ok; print it, or call its ``raise_for_violations()``.
    """
    return judge(app.app_id, collect_facts(app, timeout_s))


def judge(app_id: str, facts: AppFacts) -> Report:
    """Judge *facts* by every rule."""
    verdicts = [verdict for rule in RULES for verdict in rule.verdicts(facts)]
    return Report(
        app_id=app_id,
        checked=len(facts.invocations),
        verdicts=tuple(verdict for verdict in verdicts if verdict.outcome != Outcome.OK),
        unfinished=tuple(
            each.history
            for each in facts.invocations
            if not any(record.status.is_final() for record in reversed(each.history.records))
        ),
        statements={rule.name: rule.statement for rule in RULES},
    )
