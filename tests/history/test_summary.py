"""All invocations of an app on a page."""

from __future__ import annotations

from pytest_pynenc_state.history.facts import InvocationFacts
from pytest_pynenc_state.history.summary import summary
from tests.history.builders import history

SUCCEEDED = ("registered", "pending", "running", "success")
FAILED = ("registered", "pending", "running", "failed")


def facts(
    name: str, *steps: str, parent_id: str | None = None, arguments: dict[str, str] | None = None
) -> InvocationFacts:
    """An invocation whose task is called like its id."""
    told = history(*steps, invocation_id=name, task=name, arguments=arguments)
    return InvocationFacts(told, parent_id=parent_id)


def names(page: str) -> list[str]:
    """What each line begins with, indented as it is."""
    return [line.split("(")[0] for line in page.splitlines()]


def test_a_line_tells_call_statuses_owner_and_times() -> None:
    invocation = facts("charge", *SUCCEEDED, arguments={"cents": "1350"})

    assert summary([invocation]) == (
        "charge(cents=1350): registered > pending +0.010 runner-1 > running +0.020 > success +0.030"
    )


def test_what_has_not_ended_is_called_so() -> None:
    """Whoever registers and does not wait may be surprised by it."""
    page = summary([facts("charge", *SUCCEEDED[:2]), facts("order", *FAILED)])

    assert [line.endswith(" (not ended)") for line in page.splitlines()] == [False, True]


def test_children_are_indented_below_their_parent_in_the_order_of_registration() -> None:
    family = [
        facts("order", *SUCCEEDED),
        facts("another", *SUCCEEDED),
        facts("charge", *SUCCEEDED, parent_id="order"),
        facts("ask", *SUCCEEDED, parent_id="charge"),
        facts("ship", *SUCCEEDED, parent_id="order"),
    ]

    assert names(summary(family)) == ["order", "  charge", "    ask", "  ship", "another"]


def test_a_child_whose_parent_is_not_there_stands_for_itself() -> None:
    assert names(summary([facts("charge", *SUCCEEDED, parent_id="gone")])) == ["charge"]


def test_broken_ones_come_first_then_failed_then_unfinished_then_others_then_pynencs_own() -> None:
    """A tree is as urgent as the most urgent invocation in it."""
    invocations = [
        facts("pynenc.core_tasks.recover", *SUCCEEDED[:2]),
        facts("fine", *SUCCEEDED),
        facts("unfinished", *SUCCEEDED[:2]),
        facts("parent", *SUCCEEDED),
        facts("failed", *FAILED, parent_id="parent"),
        facts("broken", *SUCCEEDED),
    ]

    page = summary(invocations, frozenset({"broken"}))

    assert names(page) == [
        *("broken", "parent", "  failed", "unfinished", "fine"),
        "pynenc.core_tasks.recover",
    ]


def test_only_so_many_are_shown_and_the_rest_is_counted() -> None:
    page = summary([facts(f"task-{number}", *SUCCEEDED) for number in range(1234)])

    assert len(page.splitlines()) == 31
    assert page.endswith("... and 1,204 more")


def test_a_failed_child_is_shown_however_many_siblings_it_has() -> None:
    """Whoever looks at a failed test looks for it."""
    siblings = [facts(f"task-{number}", *SUCCEEDED, parent_id="parent") for number in range(100)]
    failed = facts("failed", *FAILED, parent_id="parent")

    page = summary([facts("parent", *SUCCEEDED), *siblings, failed])

    assert names(page)[:3] == ["parent", "  failed", "  task-0"]
    assert page.endswith("... and 72 more")


def test_what_has_failed_is_shown_however_many_come_before_it() -> None:
    """With its parents, but not beside them all: the least urgent are left out."""
    siblings = [facts(f"task-{number}", *SUCCEEDED, parent_id="broken") for number in range(100)]
    family = [facts("parent", *SUCCEEDED), facts("failed", *FAILED, parent_id="parent")]

    page = summary([facts("broken", *SUCCEEDED), *siblings, *family], frozenset({"broken"}))

    assert names(page)[:2] + names(page)[-4:-1] == [
        *("broken", "  task-0", "  task-26"),
        *("parent", "  failed"),
    ]


def test_a_chain_of_any_depth_is_told() -> None:
    """Deeper than Python's recursion."""
    chain = [
        facts(f"task-{depth}", *SUCCEEDED, parent_id=f"task-{depth - 1}") for depth in range(3000)
    ]

    assert summary(chain).endswith("... and 2,970 more")


def test_no_invocation_at_all_is_an_empty_page() -> None:
    assert summary([]) == ""
