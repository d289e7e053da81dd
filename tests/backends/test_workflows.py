"""Workflows: runs and their types, their data by value, and the invocations inside them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from pynenc.identifiers.task_id import TaskId
from pynenc.workflow import WorkflowIdentity

from pytest_pynenc_state.conformance import tasks
from pytest_pynenc_state.conformance.making import new_workflow

if TYPE_CHECKING:
    from pytest_pynenc_state.backends.state_backend import PytestStateBackend

DEFAULT = "the default"


def _typed(workflow_id: str, module: str, function_name: str) -> WorkflowIdentity:
    return WorkflowIdentity(workflow_id, TaskId(module, function_name))


@pytest.mark.parametrize(
    "value",
    [None, 0, False, "", [], {}, "text", "\0\U0001f389'", 1.5, [1, [None, {"key": "ä"}]]],
    ids=repr,
)
def test_a_value_comes_back(pynenc_state_backend: PytestStateBackend, value: Any) -> None:
    """Any value of the serializer comes back; a falsy one is not taken for a missing one."""
    workflow = new_workflow()
    pynenc_state_backend.set_workflow_data(workflow, "key", value)
    assert pynenc_state_backend.get_workflow_data(workflow, "key", DEFAULT) == value


def test_the_default_stands_for_what_was_never_stored(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """Another key, another workflow, and no default at all: each has its answer."""
    workflow = new_workflow()
    pynenc_state_backend.set_workflow_data(workflow, "key", "value")
    answers = [
        pynenc_state_backend.get_workflow_data(workflow, "KEY", DEFAULT),
        pynenc_state_backend.get_workflow_data(new_workflow(), "key", DEFAULT),
        pynenc_state_backend.get_workflow_data(workflow, "other"),
    ]
    assert answers == [DEFAULT, DEFAULT, None]


def test_the_last_value_wins(pynenc_state_backend: PytestStateBackend) -> None:
    """A key holds one value, whatever its type was before."""
    workflow = new_workflow()
    for value in ("first", {"second": 2}, None, "last"):
        pynenc_state_backend.set_workflow_data(workflow, "key", value)
    assert pynenc_state_backend.get_workflow_data(workflow, "key", DEFAULT) == "last"


def test_values_belong_to_the_id_of_a_workflow(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """Type and parent of the identity play no part in where a value is kept."""
    workflow = new_workflow("add")
    pynenc_state_backend.set_workflow_data(workflow, "key", "value")
    same_id = new_workflow("greet", "parent", workflow_id=workflow.workflow_id)
    assert pynenc_state_backend.get_workflow_data(same_id, "key", DEFAULT) == "value"


def test_a_value_that_was_stored_is_private(pynenc_state_backend: PytestStateBackend) -> None:
    """Changing an object after it was stored changes nothing in the store."""
    workflow, value = new_workflow(), {"numbers": [1]}
    pynenc_state_backend.set_workflow_data(workflow, "key", value)
    value["numbers"].append(2)
    assert pynenc_state_backend.get_workflow_data(workflow, "key") == {"numbers": [1]}


def test_a_value_that_was_returned_is_private(pynenc_state_backend: PytestStateBackend) -> None:
    """Changing an object that a read returned changes nothing in the store."""
    workflow = new_workflow()
    pynenc_state_backend.set_workflow_data(workflow, "key", {"numbers": [1]})
    pynenc_state_backend.get_workflow_data(workflow, "key")["numbers"].append(2)
    assert pynenc_state_backend.get_workflow_data(workflow, "key") == {"numbers": [1]}


@pytest.mark.parametrize("parent", [None, "", "parent"])
def test_a_run_comes_back_with_its_parent(
    pynenc_state_backend: PytestStateBackend, parent: str | None
) -> None:
    """A run equals what was stored; no parent and a parent of an empty id differ."""
    workflow = new_workflow(parent_workflow_id=parent)
    pynenc_state_backend.store_workflow_run(workflow)
    assert list(pynenc_state_backend.get_all_workflow_runs()) == [workflow]


def test_a_run_that_is_stored_again_is_one_run(pynenc_state_backend: PytestStateBackend) -> None:
    """Repeating an equal identity changes nothing."""
    workflow = new_workflow()
    for _ in range(3):
        pynenc_state_backend.store_workflow_run(workflow)
    runs = list(pynenc_state_backend.get_workflow_runs(workflow.workflow_type))
    assert runs == [workflow]


def test_another_identity_of_an_id_takes_its_place(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """A workflow id has one identity: the last one stored."""
    workflow = new_workflow("add")
    latter = replace(workflow, workflow_type=TaskId("elsewhere", "task"), parent_workflow_id="p")
    for each in (workflow, latter):
        pynenc_state_backend.store_workflow_run(each)
    assert list(pynenc_state_backend.get_all_workflow_runs()) == [latter]


def test_all_runs_and_their_distinct_types_are_listed(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """Every run is listed once, and every type once, as a ``TaskId``."""
    workflows = [new_workflow(name) for name in ("add", "greet", "add")]
    for workflow in workflows:
        pynenc_state_backend.store_workflow_run(workflow)
    types = sorted(pynenc_state_backend.get_all_workflow_types(), key=str)
    runs = set(pynenc_state_backend.get_all_workflow_runs())
    expected_types = [TaskId(tasks.__name__, "add"), TaskId(tasks.__name__, "greet")]
    assert (types, runs) == (expected_types, set(workflows))


@pytest.mark.parametrize("as_key", [False, True], ids=["task id", "key"])
def test_runs_are_found_by_exactly_their_type(
    pynenc_state_backend: PytestStateBackend,
    as_key: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Types that look alike stay apart; a type may be given by its key, as it once was."""
    types = [("a.b", "c_d"), ("a.b", "c-d"), ("a.b", "C_d"), ("a.bx", "c_d"), ("a.b", "c_dx")]
    runs = [_typed(f"{module}.{name}", module, name) for module, name in types]
    for run in runs:
        pynenc_state_backend.store_workflow_run(run)
    wanted: Any = runs[0].workflow_type.key if as_key else runs[0].workflow_type
    assert list(pynenc_state_backend.get_workflow_runs(wanted)) == [runs[0]]


def test_nothing_stored_is_nothing_listed(pynenc_state_backend: PytestStateBackend) -> None:
    """Without runs there are no types, no runs, and no invocations inside them."""
    listed = [
        list(pynenc_state_backend.get_all_workflow_types()),
        list(pynenc_state_backend.get_all_workflow_runs()),
        list(pynenc_state_backend.get_workflow_runs(TaskId("module", "task"))),
        list(pynenc_state_backend.get_workflow_sub_invocations("unknown")),
    ]
    assert listed == [[], [], [], []]


def test_invocations_inside_a_workflow_are_listed_once(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """A pair that is stored again is one pair, and other workflows have their own."""
    for invocation_id in ("one", "two", "one"):
        pynenc_state_backend.store_workflow_sub_invocation("workflow", invocation_id)
    pynenc_state_backend.store_workflow_sub_invocation("workflow_", "one")
    pynenc_state_backend.store_workflow_sub_invocation("WORKFLOW", "three")
    inside = list(pynenc_state_backend.get_workflow_sub_invocations("workflow"))
    assert sorted(inside) == ["one", "two"]
