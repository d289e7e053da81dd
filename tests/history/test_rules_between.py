"""Rules between invocations: what runs at once, what is registered by what, which clock tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from pytest_pynenc_state.history.facts import AppFacts, InvocationFacts, ServiceWindow
from pytest_pynenc_state.history.rules_between import (
    CHILDREN_WITHIN_PARENTS,
    NONE_RUN_AT_ONCE,
    SERVICES_APART,
)
from pytest_pynenc_state.history.verdict import Outcome
from pytest_pynenc_state.history.windows import Window, overlaps
from tests.history.builders import REGISTERED_AT, context, history, record, records
from tests.history.judging import OK, UNDECIDED, VIOLATED, facts_in_order, judged, outcomes


def run(
    invocation_id: str, start_s: float, end_s: float | None, host: str = "", key: str | None = "key"
) -> InvocationFacts:
    """An invocation that runs from *start_s* to *end_s*, on a host that is known or not."""
    runner = f"runner of {invocation_id}"
    told = context(runner, hostname=host) if host else None
    statuses = [
        record("registered", start_s - 0.02),
        record("pending", start_s - 0.01, runner, runner_context=told),
        record("running", start_s, runner, runner_context=told),
    ]
    if end_s is not None:
        statuses.append(record("success", end_s, None, runner, runner_context=told))
    return facts_in_order(
        history(*statuses, invocation_id=invocation_id), running_key=key, has_result=True
    )


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        pytest.param([run("a", 1, 2, "x"), run("b", 2, 3, "x")], [OK], id="touch"),
        pytest.param([run("a", 1, 2, "x"), run("b", 1.9999, 3, "x")], [VIOLATED], id="one host"),
        pytest.param([run("a", 1, 2), run("b", 1.99, 3)], [UNDECIDED], id="hosts unknown"),
        pytest.param([run("a", 1, 2, "x"), run("b", 1.9, 3, "y")], [VIOLATED], id="by far"),
        pytest.param([run("a", 1, 2, "x"), run("b", 1.001, 1.01, "y")], [UNDECIDED], id="at edge"),
        pytest.param([run("a", 1, None, "x"), run("b", 9, 10, "y")], [VIOLATED], id="still runs"),
        pytest.param([run("a", 1, 2, key=None), run("b", 1, 2, key=None)], [OK], id="no control"),
        pytest.param([run("a", 1, 2), run("b", 1, 2, key="other")], [OK], id="other key"),
        pytest.param(
            # The one that ends last is on another host, and hides nothing.
            [run("a", 1, 2, "x"), run("b", 1.98, 2.005, "y"), run("c", 1.99, 3, "x")],
            [UNDECIDED, VIOLATED],
            id="two hosts",
        ),
        pytest.param(
            [run("a", 1, 9, "x"), run("b", 2, 3, "x"), run("c", 4, 5, "x")],
            [VIOLATED, VIOLATED],
            id="within one",
        ),
    ],
)
def test_what_shares_a_running_key_runs_one_at_a_time(
    runs: list[InvocationFacts], expected: list[Outcome]
) -> None:
    """By one clock any overlap counts, between two clocks one that they cannot make up."""
    assert outcomes(NONE_RUN_AT_ONCE, AppFacts(tuple(runs))) == expected


def test_a_run_that_another_host_ended_is_of_two_clocks() -> None:
    """Whoever recovered it may be ahead of the time."""
    recovery = record("running_recovery", 2, mover="other", runner_context=context(hostname="y"))
    recovered = run("a", 1, None, "x")
    recovered = replace(recovered, history=history(*recovered.history, recovery))
    facts = AppFacts((recovered, run("b", 1.99, 3, "x")))
    assert outcomes(NONE_RUN_AT_ONCE, facts) == [UNDECIDED]


def test_a_retried_invocation_does_not_overlap_itself() -> None:
    """Not even if the clock of its second runner is behind."""
    told = history(
        *records("registered", "pending", "running", "retry"),
        record("pending", 0.02, "runner-2"),
        record("running", 0.025, "runner-2"),
    )
    assert judged(NONE_RUN_AT_ONCE, told, running_key="key").outcome == OK


class CountedEnd(datetime):
    """An end that counts how often a start is compared with it."""

    compared = 0

    def __gt__(self, other: object) -> bool:
        CountedEnd.compared += 1
        return super().__gt__(other)  # type: ignore[operator]


def test_windows_are_compared_a_few_times_each() -> None:
    """Not each with each: thousands of invocations may share a key, and all overlap."""
    count = 2000
    ends = [CountedEnd.fromtimestamp(5e9 + number, REGISTERED_AT.tzinfo) for number in range(count)]
    windows = [
        Window(object(), REGISTERED_AT + timedelta(seconds=number), end, f"host-{number % 2}")
        for number, end in enumerate(ends)
    ]
    assert len(list(overlaps(windows))) == count - 1
    assert CountedEnd.compared < 10 * count


PARENT = ("registered", "pending", "running", "success")  # it runs from 0.02 to 0.03


def child(at_s: float, registered_by: str | None = "parent", **told: Any) -> InvocationFacts:
    """A child of ``parent`` that was registered at *at_s*."""
    first = record("registered", at_s, registered_by=registered_by, **told)
    return facts_in_order(history(first, invocation_id="child"), parent_id="parent")


def family(parent_steps: tuple[str, ...], at_s: float, **told: Any) -> AppFacts:
    parent = facts_in_order(history(*parent_steps, invocation_id="parent"))
    return AppFacts((parent, child(at_s, **told)))


RESUMED = (*PARENT[:3], "running_recovery", "rerouted", *PARENT[1:])


@pytest.mark.parametrize(
    ("steps", "at_s", "outcome"),
    [
        pytest.param(PARENT, 0.02, OK, id="as soon as it runs"),
        pytest.param(PARENT, 0.03, OK, id="just before it ends"),
        pytest.param(PARENT[:3], 9.0, OK, id="while it still runs"),
        pytest.param(PARENT, 0.5, VIOLATED, id="after its end"),
        pytest.param(PARENT, -0.5, VIOLATED, id="before it was registered"),
        pytest.param(PARENT, 0.029, OK, id="while it runs"),
        pytest.param(PARENT[:2], 0.5, UNDECIDED, id="after what was read of it"),
        pytest.param(RESUMED, 0.065, OK, id="in its second attempt"),
        pytest.param(RESUMED, 0.5, UNDECIDED, id="from a first attempt, perhaps"),
    ],
)
def test_a_child_is_registered_while_its_parent_runs(
    steps: tuple[str, ...], at_s: float, outcome: Outcome
) -> None:
    """By the parent's task, in a process that nothing has cut off."""
    assert outcomes(CHILDREN_WITHIN_PARENTS, family(steps, at_s)) == [outcome]


@pytest.mark.parametrize(("hostname", "outcome"), [("host-1", VIOLATED), ("host-2", UNDECIDED)])
def test_the_clocks_of_two_hosts_may_differ(hostname: str, outcome: Outcome) -> None:
    """Those of one host do not."""
    steps = [replace(each, runner_context=context()) for each in records(*PARENT)]
    parent = facts_in_order(history(*steps, invocation_id="parent"))
    registered = child(0.04, runner_context=context("other", hostname=hostname))
    assert outcomes(CHILDREN_WITHIN_PARENTS, AppFacts((parent, registered))) == [outcome]


def test_a_child_whose_parent_is_not_there_is_undecided() -> None:
    """It may have been purged."""
    (verdict,) = CHILDREN_WITHIN_PARENTS.verdicts(AppFacts((child(0.025),)))
    assert (verdict.outcome, verdict.message) == (
        UNDECIDED,
        "its parent parent is not in the store",
    )


def test_a_child_that_its_record_does_not_ascribe_to_its_parent_is_a_violation() -> None:
    """The history and the invocation contradict each other."""
    facts = family(PARENT, 0.025, registered_by=None)
    (verdict,) = CHILDREN_WITHIN_PARENTS.verdicts(facts)
    assert (verdict.outcome, verdict.message) == (
        VIOLATED,
        "it was registered by no task, but its parent is shop.payments.charge parent",
    )


def service(runner_id: str, start_s: float, end_s: float, **more: Any) -> ServiceWindow:
    start, end = (REGISTERED_AT + timedelta(seconds=each) for each in (start_s, end_s))
    return ServiceWindow(runner_id, start, end, **more)


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        pytest.param([service("a", 0, 2), service("b", 1, 3)], [VIOLATED], id="overlap"),
        pytest.param([service("a", 0, 1), service("b", 0.99, 3)], [UNDECIDED], id="clocks"),
        pytest.param([service("a", 0, 2), service("b", 1, 1)], [OK], id="no time"),
        pytest.param(
            [service("a", 0, 2), service("b", 1, 3, is_end_known=False)],
            [VIOLATED],
            id="the one that was abandoned began too early",
        ),
        pytest.param(
            [service("a", 0, 9, is_end_known=False), service("b", 1, 3), service("c", 2, 4)],
            [UNDECIDED, VIOLATED],
            id="an end that is not known hides nothing",
        ),
    ],
)
def test_services_run_one_at_a_time(windows: list[ServiceWindow], expected: list[Outcome]) -> None:
    """What lasted no time did not run; an end that another runner wrote may be too late."""
    assert outcomes(SERVICES_APART, AppFacts((), tuple(windows))) == expected
