"""Invocations are filtered by status, listed page by page, and counted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.conformance import tasks
from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import (
    flat,
    moved_to,
    new_invocation,
    registered,
    unique_id,
    wait_for_later_clock,
)

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

PENDING = frozenset({InvocationStatus.PENDING})

# So much later is the next registration where the order matters, whatever clock a store has.
_APART = timedelta(milliseconds=2)


@clause("OR-SEA-10", hint="ask in portions, or pass the ids as one value: parameters have a limit")
def any_number_of_ids_is_filtered(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """However many ids are asked for, those in the statuses are answered."""
    wanted = [moved_to(pynenc_app, InvocationStatus.PENDING) for _ in range(5)]
    many = [f"unknown {number}" for number in range(251_000)]
    # First, last, and on both sides of every likely limit in between.
    asked = [wanted[0], *many[:999], wanted[1], *many[999:32_766], wanted[2]]
    asked += [*many[32_766:], *registered(pynenc_app, 3), *wanted[3:]]
    assert sorted(pynenc_orchestrator.filter_by_status(asked, PENDING)) == sorted(wanted)


@clause("OR-SEA-11", hint="answer [] before the store is asked")
def filtering_by_no_id_or_no_status_gives_nothing(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """No ids, or no statuses, are answered by an empty list."""
    ids = registered(pynenc_app)
    assert pynenc_orchestrator.filter_by_status([], PENDING) == []
    assert pynenc_orchestrator.filter_by_status(ids, frozenset()) == []


@clause("OR-SEA-12", hint="skip ids that are not there")
def unknown_ids_are_filtered_out(pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator) -> None:
    """Filtering by status skips the ids that are unknown."""
    known = registered(pynenc_app, 2)
    asked = [unique_id("unknown"), known[0], unique_id("unknown"), known[1]]
    registered_only = frozenset({InvocationStatus.REGISTERED})
    assert sorted(pynenc_orchestrator.filter_by_status(asked, registered_only)) == sorted(known)
    assert pynenc_orchestrator.filter_by_status([unique_id("unknown")], registered_only) == []


@clause("OR-SEA-13", hint="move an invocation out of its former status in every index")
def an_invocation_is_in_one_status(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """An invocation is filtered, listed and counted under its status, and under no other."""
    ids = {status: moved_to(pynenc_app, status) for status in InvocationStatus}
    for status, invocation_id in ids.items():
        found = (
            pynenc_orchestrator.filter_by_status([*ids.values()], frozenset({status})),
            pynenc_orchestrator.get_invocation_ids_paginated(statuses=[status]),
            pynenc_orchestrator.count_invocations(statuses=[status]),
        )
        assert (status, found) == (status, ([invocation_id], [invocation_id], 1))


@clause("OR-SEA-14", hint="ask the installed pynenc which statuses are final")
def final_invocations_are_filtered(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Of several invocations, those in a final status are filtered."""
    ids = {status: moved_to(pynenc_app, status) for status in InvocationStatus}
    final = sorted(ids[status] for status in InvocationStatus if status.is_final())
    assert sorted(pynenc_orchestrator.filter_final([*ids.values()])) == final


@clause("OR-SEA-15", hint="keep the instant of registration, and order by it, newest first")
def pages_list_everything_once_newest_first(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """The pages together are all invocations, the newest registration first."""
    ids = []
    for _ in range(7):
        ids += registered(pynenc_app)
        wait_for_later_clock(_APART)
    for limit in (1, 2, 3, 7, 100):
        pages = [
            pynenc_orchestrator.get_invocation_ids_paginated(limit=limit, offset=offset)
            for offset in range(0, 7, limit)
        ]
        assert (limit, [each for page in pages for each in page]) == (limit, ids[::-1])


@clause("OR-SEA-16", hint="to some databases a limit of 0 means no limit")
def a_page_may_be_empty(pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator) -> None:
    """A page of at most 0 invocations is empty, and so is one behind the last."""
    registered(pynenc_app, 3)
    for limit, offset in ((0, 0), (0, 1), (5, 3), (1, 99)):
        page = pynenc_orchestrator.get_invocation_ids_paginated(limit=limit, offset=offset)
        assert (limit, offset, page) == (limit, offset, [])


@clause("OR-SEA-17", hint="build both queries from the same filter; None and [] are no filter")
def pages_and_count_agree_under_every_filter(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Task and statuses filter both, and the count is that of all pages together."""
    added = registered(pynenc_app, 2)
    greeted = registered(pynenc_app, 3, function=tasks.greet)
    pending = moved_to(pynenc_app, InvocationStatus.PENDING, function=tasks.greet)
    greet, unknown = (
        new_invocation(pynenc_app, function).call.task.task_id
        for function in (tasks.greet, tasks.keyed)
    )
    for task_id, statuses, expected in (
        (None, None, [*added, *greeted, pending]),
        (greet, None, [*greeted, pending]),
        (None, [*PENDING], [pending]),
        (greet, [InvocationStatus.REGISTERED], greeted),
        (greet, [InvocationStatus.FAILED], []),
        (unknown, None, []),
    ):
        pages = [
            pynenc_orchestrator.get_invocation_ids_paginated(task_id, statuses, 2, offset)
            for offset in (0, 2, 4)
        ]
        found = flat(pages)
        count = pynenc_orchestrator.count_invocations(task_id, statuses)
        case = (task_id, statuses)
        assert (case, sorted(found), count) == (case, sorted(expected), len(expected))
