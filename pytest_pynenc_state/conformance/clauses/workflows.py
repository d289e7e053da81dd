"""Workflows: runs and their types, their data by value, and the invocations inside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from pynenc.identifiers.task_id import TaskId
from pynenc.workflow import WorkflowIdentity

from pytest_pynenc_state.conformance import tasks
from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import new_workflow, read_between, unique_id

if TYPE_CHECKING:
    from pytest_pynenc_state.conformance.making import StateBackend

_VALUES: tuple[Any, ...] = (
    None,
    0,
    False,
    "",
    [],
    {},
    "text",
    "\0\U0001f389'",
    1.5,
    [1, [None, {"key": "ä"}]],
)
_DEFAULT = "the default"


@clause("SB-WFL-01", hint="a stored None, 0 or empty text is a value: do not test for truth")
def a_value_of_a_workflow_comes_back(pynenc_state_backend: StateBackend) -> None:
    """A value stored for a workflow comes back, also one that could be taken for a missing one."""
    workflow = new_workflow()
    for value in _VALUES:
        key = f"key {value!r}"
        pynenc_state_backend.set_workflow_data(workflow, key, value)
        found = pynenc_state_backend.get_workflow_data(workflow, key, _DEFAULT)
        assert (type(found), found) == (type(value), value)


@clause("SB-WFL-02", hint="values are found by workflow id and key, both to the letter")
def the_default_stands_for_what_was_never_stored(pynenc_state_backend: StateBackend) -> None:
    """Reading a key that a workflow has no value of gives the default, and None without one."""
    workflow = new_workflow()
    pynenc_state_backend.set_workflow_data(workflow, "key_1", "value")
    found = {
        key: pynenc_state_backend.get_workflow_data(workflow, key, _DEFAULT)
        for key in ("key_1", "KEY_1", "key-1", "key_10", "other")
    }
    assert found.pop("key_1") == "value"
    assert set(found.values()) == {_DEFAULT}
    assert pynenc_state_backend.get_workflow_data(new_workflow(), "key_1", _DEFAULT) == _DEFAULT
    assert pynenc_state_backend.get_workflow_data(workflow, "other") is None


@clause("SB-WFL-03", hint="write by workflow id and key: replace what is there")
def the_last_value_wins(pynenc_state_backend: StateBackend) -> None:
    """A key of a workflow has one value: the last that was stored, of whatever type."""
    workflow = new_workflow()
    for value in ("first", {"second": 2}, None, "last"):
        pynenc_state_backend.set_workflow_data(workflow, "key", value)
    assert pynenc_state_backend.get_workflow_data(workflow, "key", _DEFAULT) == "last"


@clause("SB-WFL-04", hint="type and parent of the identity are no part of the key")
def values_belong_to_the_id_of_a_workflow(pynenc_state_backend: StateBackend) -> None:
    """A value is found by the workflow's id, whatever type and parent the identity has."""
    workflow = new_workflow("add")
    pynenc_state_backend.set_workflow_data(workflow, "key", "value")
    same_id = new_workflow("greet", "parent", workflow_id=workflow.workflow_id)
    assert pynenc_state_backend.get_workflow_data(same_id, "key", _DEFAULT) == "value"


@clause("SB-WFL-05", hint="serialize the value, or copy it, when it is stored")
def a_stored_value_is_private(pynenc_state_backend: StateBackend) -> None:
    """Changing an object after it was stored for a workflow changes nothing in the store."""
    workflow, value = new_workflow(), {"numbers": [1]}
    pynenc_state_backend.set_workflow_data(workflow, "key", value)
    value["numbers"].append(2)
    assert pynenc_state_backend.get_workflow_data(workflow, "key") == {"numbers": [1]}


@clause("SB-WFL-06", hint="build the value anew, or copy it, for each reader")
def a_returned_value_is_private(pynenc_state_backend: StateBackend) -> None:
    """Changing a value of a workflow that a read returned changes nothing in the store."""
    workflow = new_workflow()
    pynenc_state_backend.set_workflow_data(workflow, "key", {"numbers": [1]})
    pynenc_state_backend.get_workflow_data(workflow, "key")["numbers"].append(2)
    assert pynenc_state_backend.get_workflow_data(workflow, "key") == {"numbers": [1]}


@clause("SB-WFL-07", hint="store parent_workflow_id, and build an identity equal to the stored one")
def a_run_comes_back_with_its_parent(pynenc_state_backend: StateBackend) -> None:
    """A workflow run comes back equal, with its type and its parent, or without a parent."""
    workflows = {new_workflow(), new_workflow(parent_workflow_id="parent")}
    for workflow in workflows:
        pynenc_state_backend.store_workflow_run(workflow)
    assert set(pynenc_state_backend.get_all_workflow_runs()) == workflows


@clause("SB-WFL-08", hint="write by workflow id: replace, do not append")
def a_run_that_is_stored_again_is_one_run(pynenc_state_backend: StateBackend) -> None:
    """Storing an equal workflow run again changes nothing."""
    workflow = new_workflow()
    for _ in range(3):
        pynenc_state_backend.store_workflow_run(workflow)
    found = [
        list(pynenc_state_backend.get_all_workflow_runs()),
        list(pynenc_state_backend.get_workflow_runs(workflow.workflow_type)),
    ]
    assert found == [[workflow], [workflow]]


@clause("SB-WFL-09", hint="return distinct TaskId objects, not their keys")
def each_type_is_listed_once(pynenc_state_backend: StateBackend) -> None:
    """The type of each workflow that ran is listed once, however many runs it has."""
    for name in ("add", "greet", "add"):
        pynenc_state_backend.store_workflow_run(new_workflow(name))
    types = sorted(pynenc_state_backend.get_all_workflow_types(), key=str)
    assert types == [TaskId(tasks.__name__, "add"), TaskId(tasks.__name__, "greet")]


@clause("SB-WFL-10", hint="compare module and function name as they are: no folding, no patterns")
def runs_are_found_by_exactly_their_type(pynenc_state_backend: StateBackend) -> None:
    """The runs of a type are those of that module and function, to the letter."""
    types = [("a.b", "c_d"), ("a.b", "c-d"), ("a.b", "C_d"), ("a.bx", "c_d"), ("a.b", "c_dx")]
    runs = [WorkflowIdentity(unique_id("run"), TaskId(*each)) for each in types]
    for run in runs:
        pynenc_state_backend.store_workflow_run(run)
    for run in runs:
        assert list(pynenc_state_backend.get_workflow_runs(run.workflow_type)) == [run]


@clause("SB-WFL-11", hint="return an iterator that ends at once, not None")
def nothing_stored_is_nothing_listed(pynenc_state_backend: StateBackend) -> None:
    """Without workflow runs there are no types, no runs, and no invocations inside them."""
    found = [
        list(pynenc_state_backend.get_all_workflow_types()),
        list(pynenc_state_backend.get_all_workflow_runs()),
        list(pynenc_state_backend.get_workflow_runs(TaskId("module", "task"))),
        list(pynenc_state_backend.get_workflow_sub_invocations("unknown")),
    ]
    assert found == [[], [], [], []]


@clause("SB-WFL-12", hint="store the pair of workflow and invocation once; compare ids as they are")
def invocations_inside_a_workflow_are_listed_once(pynenc_state_backend: StateBackend) -> None:
    """Each invocation stored for a workflow is listed once there, and for no other workflow."""
    pairs = [("run_1", "one"), ("run_1", "two"), ("run_1", "one"), ("run-1", "one"), ("RUN_1", "3")]
    for workflow_id, invocation_id in pairs:
        pynenc_state_backend.store_workflow_sub_invocation(workflow_id, invocation_id)
    found = {
        workflow_id: sorted(pynenc_state_backend.get_workflow_sub_invocations(workflow_id))
        for workflow_id, _ in pairs
    }
    assert found == {"run_1": ["one", "two"], "run-1": ["one"], "RUN_1": ["3"]}


@clause("SB-WFL-13", hint="take a snapshot before the first item is handed out")
def workflows_can_be_read_while_others_are_stored(pynenc_state_backend: StateBackend) -> None:
    """Who lists runs, types, or invocations of workflows may store more of them meanwhile."""
    backend = pynenc_state_backend
    kind = TaskId("module", "task")

    def store(token: str) -> None:
        backend.store_workflow_run(WorkflowIdentity(f"run of {token}", kind))
        backend.store_workflow_run(WorkflowIdentity(token, TaskId("module", token)))
        backend.store_workflow_sub_invocation("workflow", token)

    listings: dict[str, Callable[[], Iterable[Any]]] = {
        "types": backend.get_all_workflow_types,
        "runs": backend.get_all_workflow_runs,
        "runs of a type": lambda: backend.get_workflow_runs(kind),
        "invocations inside": lambda: backend.get_workflow_sub_invocations("workflow"),
    }
    for token in ("one", "two", "three"):
        store(token)
    for name, listing in listings.items():
        before = sorted(listing(), key=str)
        found = [each for each in read_between(listing(), store) if each in before]
        assert (name, sorted(found, key=str)) == (name, before)
