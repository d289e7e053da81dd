"""Invocations are found by task, call and arguments, exactly and in any number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.conformance import tasks
from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import move, new_invocation, registered

if TYPE_CHECKING:
    from collections.abc import Callable

    from pynenc.app import Pynenc
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

# Arguments that a store which pads, folds, cuts, quotes or pattern-matches text would mix up.
_DIFFICULT = ("", "%", "a_b", "A-B", "\u00e4", "a\0b", "'; --", "x" * 100_000)


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
    """The invocations of `tasks.keyed` that are found, in the order of their ids."""
    task = new_invocation(app, tasks.keyed).task
    return sorted(app.orchestrator.get_existing_invocations(task, arguments, statuses))


@clause("OR-SEA-01", hint="every name-value pair must be there: intersect, do not unite")
def existing_invocations_have_all_the_arguments(pynenc_app: Pynenc) -> None:
    """An invocation is found by some of its arguments, but each that is given has to match."""
    both = _indexed(pynenc_app, {"one": "1", "two": "2"})
    first = _indexed(pynenc_app, {"one": "1", "two": "other"})
    assert _existing(pynenc_app, {"one": "1"}) == sorted([both, first])
    assert _existing(pynenc_app, {"one": "1", "two": "2"}) == [both]
    assert _existing(pynenc_app, {"one": "2", "two": "1"}) == []
    assert _existing(pynenc_app, {"one": "1", "three": "3"}) == []


@clause("OR-SEA-02", hint="without arguments, ask for the task alone: None and {} are no filter")
def no_arguments_do_not_filter(pynenc_app: Pynenc) -> None:
    """Asked without arguments, all invocations of the task are found."""
    expected = sorted(_indexed(pynenc_app, arguments) for arguments in ({"one": "1"}, {}))
    unfiltered: tuple[dict[str, str] | None, ...] = (None, {})
    for arguments in unfiltered:
        assert (arguments, _existing(pynenc_app, arguments)) == (arguments, expected)


@clause("OR-SEA-03", hint="compare names and values as they are: no pattern, no folding, no cut")
def arguments_match_to_the_letter(pynenc_app: Pynenc) -> None:
    """Names and values of arguments are compared exactly, whatever their text and length."""
    for value in _DIFFICULT:
        name = f"name {value[:50]}"
        exact = _indexed(pynenc_app, {name: value})
        _indexed(pynenc_app, {name: value + "x"})
        _indexed(pynenc_app, {name + "x": value})
        assert (name, _existing(pynenc_app, {name: value})) == (name, [exact])


@clause("OR-SEA-04", hint="index in index_arguments_for_concurrency_control, not at registration")
def only_indexed_arguments_are_found(pynenc_app: Pynenc) -> None:
    """Registering alone makes no invocation searchable by its arguments."""
    registered(pynenc_app, function=tasks.keyed, arguments={"one": "1"})
    assert _existing(pynenc_app, {"one": "1"}) == []


@clause("OR-SEA-05", hint="index as an upsert")
def indexing_again_is_harmless(pynenc_app: Pynenc) -> None:
    """An invocation that was indexed twice is found once."""
    invocation = new_invocation(pynenc_app, tasks.keyed, {"one": "1", "two": "2"})
    pynenc_app.orchestrator._register_new_invocations([invocation])
    for _ in range(2):
        pynenc_app.orchestrator.index_arguments_for_concurrency_control(invocation)
    for arguments in ({"one": "1"}, {"one": "1", "two": "2"}):
        assert _existing(pynenc_app, arguments) == [invocation.invocation_id]


@clause("OR-SEA-06", hint="one join or subquery per argument meets the database's limit")
def any_number_of_arguments_is_searched(pynenc_app: Pynenc) -> None:
    """All of many arguments have to match, the first and the last of them too."""
    count = 1000
    arguments = {f"name {number}": str(number) for number in range(count)}
    exact = _indexed(pynenc_app, arguments)
    _indexed(pynenc_app, {**arguments, f"name {count - 1}": "other"})
    _indexed(pynenc_app, {**arguments, "name 0": "other"})
    assert _existing(pynenc_app, arguments) == [exact]


@clause("OR-SEA-07", hint="task AND arguments AND status in the list; None and [] are no filter")
def existing_invocations_are_of_the_task_and_in_a_status(pynenc_app: Pynenc) -> None:
    """Task and statuses filter as the arguments do, and no statuses do not filter."""
    arguments = {"name": "1"}
    waiting, pending = (_indexed(pynenc_app, arguments) for _ in range(2))
    _indexed(pynenc_app, arguments, tasks.greet)
    move(pynenc_app.orchestrator, pending, InvocationStatus.PENDING)
    both = sorted([waiting, pending])
    for statuses, expected in (
        (None, both),
        ([], both),
        ([*InvocationStatus], both),
        ([InvocationStatus.PENDING], [pending]),
        ([InvocationStatus.FAILED], []),
    ):
        for given in (arguments, None):
            found = _existing(pynenc_app, given, statuses)
            assert (given, statuses, found) == (given, statuses, expected)


@clause("OR-SEA-08", hint="compare with task_id.key, which is text")
def invocations_are_found_by_task(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """A task has exactly the invocations that were registered of it, each once."""
    registrations = {
        tasks.add: registered(pynenc_app, 3),
        tasks.greet: registered(pynenc_app, 1, function=tasks.greet),
        tasks.keyed: [],
    }
    for function, ids in registrations.items():
        task_id = new_invocation(pynenc_app, function).call.task.task_id
        found = sorted(pynenc_orchestrator.get_task_invocation_ids(task_id))
        assert (task_id.key, found) == (task_id.key, sorted(ids))


@clause("OR-SEA-09", hint="compare with call_id.key, which is text; the CallId itself is an object")
def invocations_are_found_by_call(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """A call has exactly the invocations of the same task and arguments, each once."""
    registrations = {
        text: registered(pynenc_app, count, arguments={"left": text} if text else {})
        for text, count in (("1", 2), ("2", 1), ("", 1))
    }
    for text, ids in {**registrations, "unknown": []}.items():
        arguments = {"left": text} if text else {}
        call_id = new_invocation(pynenc_app, arguments=arguments).call.call_id
        found = sorted(pynenc_orchestrator.get_call_invocation_ids(call_id))
        assert (text, found) == (text, sorted(ids))
