"""What people read when a history does not take its path."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from pytest_pynenc_state.history.explanation import assertion_lines, explain
from pytest_pynenc_state.history.path import Path, one_of, path, repeat, step
from pytest_pynenc_state.history.records import History
from pytest_pynenc_state.history.status_machine import following, status_named
from tests.history.builders import RUNNER, context, history, legal_walks, record

ONCE = ("registered", "pending", "running", "success")
RETRIED = ("registered", "pending", "running", "retry")

RUNNER_ID = "3f2a91c4-5b1e-4d0e-9a68-0c1f6a7be2d1"


def labelled(shown: History, expected: Path, label: str) -> list[str]:
    """What the explanation says behind each *label*."""
    begin = f"  {label}:"
    lines = explain(shown, expected)
    return [line.removeprefix(begin).strip() for line in lines if line.startswith(begin)]


def test_another_status_is_explained_with_place_and_timeline() -> None:
    expected = path("registered", "pending", "running", one_of("success", "failed"))

    assert explain(history(*RETRIED), expected) == [
        "the history leaves the path at the 4th record, 0.030 s after the first",
        "  allowed: success or failed",
        "  came:    retry, owned by nobody",
        "  why:     another status; pynenc allows it after running, this path does not",
        "invocation charge-1:",
        "  1  +0.000 s  registered  nobody    by client-1",
        "  2  +0.010 s  pending     runner-1  by runner-1",
        "  3  +0.020 s  running     runner-1  by runner-1",
        "> 4  +0.030 s  retry       nobody    by runner-1",
    ]


def test_another_status_that_pynenc_does_not_allow_either_is_explained_with_its_rule() -> None:
    """Then it is not the path that has to be mended."""
    shown = history("registered", "pending", record("success", 0.02))
    allowed = ", ".join(following(status_named("pending")))

    assert labelled(shown, path(*ONCE), "why") == [
        (
            "another status; pynenc does not allow it either: "
            f"after pending pynenc allows {allowed}, not success"
        )
    ]


def test_another_status_at_the_start_is_explained_without_one_in_front() -> None:
    assert labelled(history(*ONCE), path("pending", ...), "why") == [
        "another status; pynenc allows it as the first, this path does not"
    ]


def test_who_owned_what_came_is_told_in_short() -> None:
    known = context(RUNNER_ID, "ThreadRunner")
    shown = history("registered", record("pending", 0.01, RUNNER_ID, runner_context=known))

    assert labelled(shown, path("registered", "running"), "came") == [
        "pending, owned by ThreadRunner 3f2a"
    ]


def test_a_wrong_owner_is_named_whole_and_in_short() -> None:
    known = context(RUNNER_ID, "ThreadRunner")
    shown = history("registered", record("pending", 0.01, RUNNER_ID, runner_context=known))
    expected = path("registered", step("pending", owner="runner-2"))

    assert labelled(shown, expected, "allowed") == ["pending owned by 'runner-2'"]
    assert labelled(shown, expected, "why") == [
        f"the status is right, but its owner is '{RUNNER_ID}' (ThreadRunner 3f2a)"
    ]


def test_a_missing_owner_is_explained() -> None:
    shown = history("registered", record("pending", 0.01, None))
    expected = path("registered", step("pending", owner="runner-2"))

    assert labelled(shown, expected, "why") == ["the status is right, but nobody owns it"]


def test_an_owner_where_nobody_should_be_is_explained() -> None:
    expected = path("registered", step("pending", owner=None))

    assert labelled(history(*ONCE), expected, "allowed") == ["pending owned by nobody"]
    assert labelled(history(*ONCE), expected, "why") == [
        "the status is right, but its owner is 'runner-1'"
    ]


def test_a_late_record_is_explained_with_the_time_it_took() -> None:
    shown = history("registered", "pending", record("running", 2.5, RUNNER))
    expected = path("registered", "pending", step("running", within_s=2))

    assert labelled(shown, expected, "allowed") == ["running within 2 s"]
    assert labelled(shown, expected, "why") == [
        "the status is right, but came 2.49 s after pending, not within 2 s"
    ]


def test_an_illegal_step_in_a_gap_is_explained_with_pynencs_rule() -> None:
    shown = history("registered", "pending", record("success", 0.02))
    allowed = ", ".join(following(status_named("pending")))

    assert labelled(shown, path("registered", ..., "success"), "allowed") == [
        "legal steps (...) that lead to success"
    ]
    assert labelled(shown, path("registered", ..., "success"), "why") == [
        f"... stands for legal steps, but after pending pynenc allows {allowed}, not success"
    ]


def test_a_gap_at_the_end_of_a_path_allows_any_legal_step_or_the_end() -> None:
    shown = history("registered", record("success", 0.01))

    assert labelled(shown, path("registered", ...), "allowed") == [
        "any legal step (...) or the end of the history"
    ]


def test_the_most_telling_reasons_come_without_the_others() -> None:
    late_or_other = one_of("failed", step("success", within_s=0.001), step("success", owner="a"))

    assert labelled(history(*ONCE), path(*ONCE[:3], late_or_other), "why") == [
        "the status is right, but came 0.01 s after running, not within 0.001 s",
        "the status is right, but nobody owns it",
    ]


@pytest.mark.parametrize(
    ("expected", "remedy"),
    [
        (path("registered", ..., "success"), 'invocation.result or history.wait_for("success")'),
        (path(*ONCE[:3], path("success")), 'invocation.result or history.wait_for("success")'),
        (path(*ONCE[:3], one_of("success", "failed")), "invocation.result"),
        (path("registered", ..., "retry"), 'history.wait_for("retry")'),
    ],
)
def test_a_history_that_was_read_too_early_says_how_to_wait(expected: Path, remedy: str) -> None:
    shown = history(*ONCE[:3])

    lines = explain(shown, expected)

    assert lines[0] == "the history ends too early, with the 3rd record, 0.020 s after the first"
    assert lines[-1] == "> the history ends here"
    assert labelled(shown, expected, "came") == ["nothing more"]
    assert labelled(shown, expected, "why") == [
        "the invocation has not ended, it was running when this was read",
        f"wait for it before you compare, with {remedy}",
    ]


def test_a_history_that_nobody_has_gone_on_with_asks_for_a_runner() -> None:
    """Otherwise who follows the advice to wait for the result waits for ever."""
    expected = path("registered", ..., "success")

    assert "pynenc_runner" in labelled(history("registered"), expected, "why")[-1]
    assert "pynenc_runner" not in labelled(history(*ONCE[:2]), expected, "why")[-1]


def test_a_history_that_has_ended_does_not_advise_to_wait() -> None:
    shown = history(*ONCE[:3], "failed")

    assert labelled(shown, path("registered", ..., "success"), "why") == [
        "the invocation has ended: failed is final"
    ]


def test_more_records_than_the_path_has_are_counted() -> None:
    assert explain(history(*ONCE), path(*ONCE[:2]))[:4] == [
        "the history leaves the path at the 3rd record, 0.020 s after the first",
        "  allowed: nothing more",
        "  came:    running, owned by runner-1",
        "  why:     the path ends after the 2nd record, pending; the last 2 records are too many",
    ]
    assert labelled(history(*ONCE), path(*ONCE[:3]), "why") == [
        "the path ends after the 3rd record, running; the last record is too many"
    ]


def test_a_path_of_no_records_is_left_at_once() -> None:
    nothing = path(repeat("killed", max=0))

    assert labelled(history("registered"), nothing, "why") == [
        "the path ends after no record; the last record is too many"
    ]


def test_an_empty_history_is_explained() -> None:
    assert explain(history(), path("registered", ...)) == [
        "the history is empty, and the path is not",
        "  allowed: registered",
        "  came:    nothing",
        "  why:     the store has no record of this invocation",
        "invocation charge-1:",
        "  no records",
    ]


@pytest.mark.parametrize(("position", "doubted"), [(1, True), (2, True), (3, False)])
def test_an_order_that_is_unknown_excuses_what_is_next_to_it(
    position: int,
    doubted: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    shown = history(*ONCE, order_unknown=[position])

    assert bool(labelled(shown, path("registered", "running", ...), "but")) == doubted


def test_many_alternatives_are_told_in_part() -> None:
    statuses = ["failed", "retry", "paused", "killed", "running", "pending", "rerouted", "success"]
    expected = path("registered", one_of(*statuses[:5], *statuses[6:], "running_recovery"))

    (allowed,) = labelled(history(*ONCE), expected, "allowed")

    assert allowed == "failed, retry, paused, killed, running, rerouted or 2 others"


@pytest.mark.parametrize(
    ("position", "ordinal"),
    [
        (1, "2nd"),
        (2, "3rd"),
        (10, "11th"),
        (11, "12th"),
        (12, "13th"),
        (20, "21st"),
        (111, "112th"),
    ],
)
def test_positions_are_told_as_people_count(position: int, ordinal: str) -> None:
    long = history("registered", *["pending", "running", "retry"] * 100)

    lines = explain(long, path(*long.statuses[:position]))

    assert lines[0].startswith(f"the history leaves the path at the {ordinal} record, ")


def test_the_first_record_has_no_time_but_its_place() -> None:
    lines = explain(history(*ONCE), path("pending", ...))

    assert lines[0] == "the history leaves the path at the 1st record"


def test_of_a_long_history_only_what_surrounds_the_place_is_shown() -> None:
    long = history("registered", *["pending", "running", "retry"] * 3333)

    lines = explain(long, path(*long.statuses[:5000]))

    assert lines[0].startswith("the history leaves the path at the 5,001st record, ")
    assert len(lines) <= 30


@settings(deadline=None)
@given(legal_walks(), legal_walks())
def test_any_walk_is_explained_against_the_path_of_any_other(walk: History, other: History) -> None:
    lines = explain(walk, path(*other.statuses))

    marked = [line for line in lines if line.startswith("> ")]
    assert len(marked) == (walk.statuses != other.statuses)
    assert all(line.isprintable() for line in lines)


def test_an_assertion_begins_with_the_comparison_and_tells_the_rest_in_what_pytest_shows() -> None:
    lines = assertion_lines("==", history(*RETRIED), path(*ONCE)) or []

    assert lines[0] == (
        "shop.payments.charge() == path('registered', 'pending', 'running', 'success')"
    )
    assert lines[1:] == explain(history(*RETRIED), path(*ONCE))
    assert [line.split(":")[0].strip() for line in lines[2:5]] == ["allowed", "came", "why"]


def test_an_assertion_reads_the_same_from_both_sides() -> None:
    assert assertion_lines("==", path(*ONCE), history(*RETRIED)) == assertion_lines(
        "==", history(*RETRIED), path(*ONCE)
    )


def test_a_long_path_is_cut_in_the_comparison() -> None:
    lines = assertion_lines("==", history(*RETRIED), path(*ONCE * 100)) or []

    assert len(lines[0]) < 250
    assert lines[0].endswith("...)")


def test_a_path_that_should_not_be_taken_is_explained() -> None:
    lines = assertion_lines("!=", history(*ONCE), path(*ONCE)) or []

    assert lines[0].startswith("shop.payments.charge() != path(")
    assert lines[1] == "the history takes the path"


@pytest.mark.parametrize("other", [list(ONCE), ONCE, "registered", None])
def test_what_a_history_or_a_path_cannot_be_compared_with_is_said(other: Any) -> None:
    kind = type(other).__name__

    assert (assertion_lines("==", history(*ONCE), other) or [])[:2] == [
        f"history of shop.payments.charge() == {kind} object",
        "a history is compared with a path, or its statuses with a tuple:",
    ]
    assert (assertion_lines("==", other, path(*ONCE)) or [])[:2] == [
        f"{kind} object == path(...)",
        "a path is compared with a history:",
    ]


def test_two_histories_are_shown_where_they_differ() -> None:
    one, other = history(*ONCE), history(*RETRIED)

    assert assertion_lines("==", one, other) == [
        "shop.payments.charge() == shop.payments.charge()",
        "they differ from the 4th record on",
        "invocation charge-1:",
        "  1  +0.000 s  registered  nobody    by client-1",
        "  2  +0.010 s  pending     runner-1  by runner-1",
        "  3  +0.020 s  running     runner-1  by runner-1",
        "> 4  +0.030 s  success     nobody    by runner-1",
        "invocation charge-1:",
        "  1  +0.000 s  registered  nobody    by client-1",
        "  2  +0.010 s  pending     runner-1  by runner-1",
        "  3  +0.020 s  running     runner-1  by runner-1",
        "> 4  +0.030 s  retry       nobody    by runner-1",
    ]


def test_histories_of_two_invocations_are_told_apart() -> None:
    one, other = history(*ONCE), history(*ONCE, invocation_id="charge-2")

    lines = assertion_lines("==", one, other) or []

    assert lines[1] == "the histories are of two invocations"
    assert "they differ" not in "\n".join(lines)


@pytest.mark.parametrize(
    ("op", "left", "right"),
    [
        ("==", 1, 2),
        ("==", path("registered"), path("running")),
        ("in", "running", history(*ONCE)),
        ("is", history(*ONCE), path(*ONCE)),
    ],
)
def test_the_rest_is_left_to_pytest(op: str, left: Any, right: Any) -> None:
    assert assertion_lines(op, left, right) is None


@pytest.mark.parametrize(
    ("attempts", "last_line"),
    [(1, "*> 4  +0.030 s  retry       nobody    by runner-1"), (5, "*Full output truncated*")],
)
def test_a_failing_test_prints_what_is_wrong_also_where_pytest_cuts_the_timeline(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, attempts: int, last_line: str
) -> None:
    """It cuts long explanations unless it runs on a build server."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("BUILD_NUMBER", raising=False)
    pytester.makeconftest("""
        from pytest_pynenc_state.history.explanation import assertion_lines

        def pytest_assertrepr_compare(op, left, right):
            return assertion_lines(op, left, right)
    """)
    pytester.makepyfile(f"""
        from pytest_pynenc_state.history.path import path
        from tests.history.builders import history

        def test_charge():
            charge = history("registered", *["pending", "running", "retry"] * {attempts})
            assert charge == path("registered", "pending", "running", "success")
    """)

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E   *assert shop.payments.charge() == path('registered', *, 'success')",
            "E   *the history leaves the path at the 4th record, 0.030 s after the first",
            "E   *allowed: success",
            "E   *came:    retry, owned by nobody",
            "E   *why:     another status; pynenc allows it after running, *",
            f"E   {last_line}",
        ]
    )
