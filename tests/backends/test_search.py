"""Invocations are found by task, call, arguments and status, in any number, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.conformance import tasks
from pytest_pynenc_state.conformance.making import (
    move,
    moved_to,
    new_invocation,
    registered,
    unique_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pynenc.app import Pynenc
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

PENDING = frozenset({InvocationStatus.PENDING})


def _indexed(
    app: Pynenc, arguments: dict[str, str], function: Callable[..., object] = tasks.keyed
) -> str:
    """Register and index a new invocation, and return its id."""
    invocation = new_invocation(app, function, arguments)
    app.orchestrator._register_new_invocations([invocation])
    app.orchestrator.index_arguments_for_concurrency_control(invocation)
    return invocation.invocation_id


def _existing(
    app: Pynenc,
    arguments: dict[str, str] | None = None,
    statuses: list[InvocationStatus] | None = None,
) -> list[str]:
    task = new_invocation(app, tasks.keyed).task
    return list(app.orchestrator.get_existing_invocations(task, arguments, statuses))


def test_existing_invocations_have_all_the_arguments(pynenc_app: Pynenc) -> None:
    """An invocation is found by some of its arguments, but every one given has to match."""
    both = _indexed(pynenc_app, {"one": "1", "two": "2"})
    first = _indexed(pynenc_app, {"one": "1", "two": "other"})
    found = [
        _existing(pynenc_app, {"one": "1"}),
        _existing(pynenc_app, {"one": "1", "two": "2"}),
        _existing(pynenc_app, {"one": "2", "two": "1"}),
        _existing(pynenc_app, {"one": "1", "three": "3"}),
    ]
    assert found == [[both, first], [both], [], []]


@pytest.mark.parametrize("arguments", [None, {}], ids=repr)
def test_no_arguments_do_not_filter(pynenc_app: Pynenc, arguments: dict[str, str] | None) -> None:
    """Neither None nor ``{}`` asks for invocations without arguments."""
    ids = [_indexed(pynenc_app, {"one": "1"}), _indexed(pynenc_app, {})]
    assert _existing(pynenc_app, arguments) == ids


@pytest.mark.parametrize(
    "argument",
    ["", "%", "a_b", "A-B", "ä", "a\0b", "'; --", "x" * 100_000],
    ids=lambda argument: argument[:9],
)
def test_arguments_match_to_the_letter(pynenc_app: Pynenc, argument: str) -> None:
    """Name and value are compared exactly, at any length."""
    exact = _indexed(pynenc_app, {argument[:50]: argument})
    _indexed(pynenc_app, {argument[:50]: argument + "x"})
    _indexed(pynenc_app, {argument[:50] + "x": argument})
    assert _existing(pynenc_app, {argument[:50]: argument}) == [exact]


def test_only_indexed_arguments_are_found(pynenc_app: Pynenc) -> None:
    """Registering alone does not make an invocation searchable by its arguments."""
    invocation = new_invocation(pynenc_app, tasks.keyed, {"one": "1"})
    pynenc_app.orchestrator._register_new_invocations([invocation])
    assert _existing(pynenc_app, {"one": "1"}) == []


def test_indexing_again_is_harmless(pynenc_app: Pynenc) -> None:
    """An invocation that was indexed twice is found once."""
    invocation = new_invocation(pynenc_app, tasks.keyed, {"one": "1"})
    pynenc_app.orchestrator._register_new_invocations([invocation])
    for _ in range(2):
        pynenc_app.orchestrator.index_arguments_for_concurrency_control(invocation)
    assert _existing(pynenc_app, {"one": "1"}) == [invocation.invocation_id]


@pytest.mark.parametrize("count", [70, 1000])
def test_any_number_of_arguments_is_searched(pynenc_app: Pynenc, count: int) -> None:
    """All of many arguments have to match, the last of them too."""
    arguments = {f"name {number}": str(number) for number in range(count)}
    exact = _indexed(pynenc_app, arguments)
    _indexed(pynenc_app, {**arguments, f"name {count - 1}": "other"})
    _indexed(pynenc_app, {**arguments, "name 0": "other"})
    assert _existing(pynenc_app, arguments) == [exact]


def test_existing_invocations_are_of_the_task_and_in_a_status(pynenc_app: Pynenc) -> None:
    """Task and status filter as the arguments do; no statuses do not filter."""
    waiting, pending = (_indexed(pynenc_app, {"name": "1"}) for _ in range(2))
    _indexed(pynenc_app, {"name": "1"}, tasks.greet)
    move(pynenc_app.orchestrator, pending, InvocationStatus.PENDING)
    found = [
        _existing(pynenc_app, {"name": "1"}, statuses)
        for statuses in (None, [], [*PENDING], [InvocationStatus.FAILED], [*InvocationStatus])
    ]
    assert found == [[waiting, pending], [waiting, pending], [pending], [], [waiting, pending]]


def test_invocations_are_found_by_task(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Exactly the task's invocations, and nothing for an unknown task."""
    added = registered(pynenc_app, 3)
    greeted = registered(pynenc_app, 1, function=tasks.greet)
    task_ids = [
        new_invocation(pynenc_app, function).call.task.task_id
        for function in (tasks.add, tasks.greet, tasks.keyed)
    ]
    found = [list(pynenc_orchestrator.get_task_invocation_ids(each)) for each in task_ids]
    assert [sorted(ids) for ids in found] == [sorted(added), greeted, []]


def test_invocations_are_found_by_call(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Exactly the invocations with the same task and arguments, and nothing for others."""
    first = registered(pynenc_app, 2, arguments={"left": "1"})
    registered(pynenc_app, 1, arguments={"left": "2"})
    call_ids = [
        new_invocation(pynenc_app, arguments={"left": text}).call.call_id for text in ("1", "3")
    ]
    found = [list(pynenc_orchestrator.get_call_invocation_ids(each)) for each in call_ids]
    assert found == [first, []]


def test_100_000_ids_are_filtered_by_status(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Any number of ids is asked at once; unknown ones are left out."""
    wanted = [moved_to(pynenc_app, InvocationStatus.PENDING) for _ in range(5)]
    unknown = [f"unknown {number}" for number in range(100_000)]
    # First, last, and on both sides of every likely limit in between.
    asked = [wanted[0], *unknown[:999], wanted[1], *unknown[999:32_766], wanted[2]]
    asked += [*unknown[32_766:], *registered(pynenc_app, 3), *wanted[3:]]
    assert pynenc_orchestrator.filter_by_status(asked, PENDING) == wanted


def test_filtering_by_no_id_or_no_status_gives_nothing(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """An empty list of ids, or an empty filter, is answered by ``[]``."""
    ids = registered(pynenc_app)
    found = [
        pynenc_orchestrator.filter_by_status([], PENDING),
        pynenc_orchestrator.filter_by_status(ids, frozenset()),
        pynenc_orchestrator.filter_by_status(ids, PENDING),
    ]
    assert found == [[], [], []]


@pytest.mark.parametrize("status", InvocationStatus)
def test_an_invocation_is_in_one_status(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator, status: InvocationStatus
) -> None:
    """It is filtered, listed and counted under its status, and under no other."""
    invocation_id = moved_to(pynenc_app, status)
    others = [other for other in InvocationStatus if other != status]
    found = [
        (
            pynenc_orchestrator.filter_by_status([invocation_id], frozenset(statuses)),
            pynenc_orchestrator.get_invocation_ids_paginated(statuses=statuses),
            pynenc_orchestrator.count_invocations(statuses=statuses),
        )
        for statuses in ([status], others)
    ]
    assert found == [([invocation_id], [invocation_id], 1), ([], [], 0)]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_list_everything_once_newest_first(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator, limit: int
) -> None:
    """The pages together are all invocations, the newest registration first."""
    ids = registered(pynenc_app, 7)
    pages = [
        pynenc_orchestrator.get_invocation_ids_paginated(limit=limit, offset=offset)
        for offset in range(0, 7, limit)
    ]
    assert [each for page in pages for each in page] == ids[::-1]


def test_a_status_change_moves_nothing_between_pages(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """The order is that of registration: whoever turns pages sees each invocation once."""
    ids = registered(pynenc_app, 6)
    seen: list[str] = []
    for offset in (0, 2, 4):
        seen += pynenc_orchestrator.get_invocation_ids_paginated(limit=2, offset=offset)
        move(pynenc_orchestrator, ids[offset], InvocationStatus.PENDING)
    assert seen == ids[::-1]


@pytest.mark.parametrize(("limit", "offset"), [(0, 0), (0, 1), (5, 3), (1, 99)])
def test_a_page_may_be_empty(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator, limit: int, offset: int
) -> None:
    """A limit of 0 asks for nothing, and behind the last page there is nothing."""
    registered(pynenc_app, 3)
    page = pynenc_orchestrator.get_invocation_ids_paginated(limit=limit, offset=offset)
    assert page == []


def test_pages_and_count_agree_under_every_filter(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Task and status filter both, and the count is that of all pages together."""
    registered(pynenc_app, 2)
    registered(pynenc_app, 3, function=tasks.greet)
    moved_to(pynenc_app, InvocationStatus.PENDING, function=tasks.greet)
    task_id = new_invocation(pynenc_app, tasks.greet).call.task.task_id
    filters = [(None, None), (task_id, None), (None, [*PENDING]), (task_id, [*PENDING])]
    listed = [
        len(pynenc_orchestrator.get_invocation_ids_paginated(*filter_)) for filter_ in filters
    ]
    counted = [pynenc_orchestrator.count_invocations(*filter_) for filter_ in filters]
    assert (listed, counted) == ([6, 4, 1, 1], [6, 4, 1, 1])


def test_nothing_is_found_for_an_unknown_task(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """A task without invocations has an empty page and a count of 0."""
    registered(pynenc_app, 2)
    task_id = new_invocation(pynenc_app, tasks.greet).call.task.task_id
    found = (
        pynenc_orchestrator.get_invocation_ids_paginated(task_id),
        pynenc_orchestrator.count_invocations(task_id),
    )
    assert found == ([], 0)


def test_an_id_that_is_asked_twice_is_no_error(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Repeated and unknown ids may be mixed with known ones."""
    (invocation_id,) = registered(pynenc_app)
    asked = [invocation_id, unique_id("unknown"), invocation_id]
    found = pynenc_orchestrator.filter_by_status(asked, frozenset({InvocationStatus.REGISTERED}))
    assert set(found) == {invocation_id}
