"""What is said of workflows beyond pynenc's contract: empty ids, other identities, keys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pynenc.identifiers.task_id import TaskId

from pytest_pynenc_state.conformance.making import new_workflow

if TYPE_CHECKING:
    from pytest_pynenc_state.backends.state_backend import PytestStateBackend


def test_a_parent_of_an_empty_id_is_not_taken_for_none(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """A run comes back as it was, the empty id in it too."""
    workflow = new_workflow(parent_workflow_id="")
    pynenc_state_backend.store_workflow_run(workflow)
    assert list(pynenc_state_backend.get_all_workflow_runs()) == [workflow]


def test_another_identity_of_an_id_takes_its_place(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """A workflow id has one identity: the last one stored."""
    workflow = new_workflow("add")
    latter = replace(workflow, workflow_type=TaskId("elsewhere", "task"), parent_workflow_id="p")
    for each in (workflow, latter):
        pynenc_state_backend.store_workflow_run(each)
    assert list(pynenc_state_backend.get_all_workflow_runs()) == [latter]


def test_a_type_may_be_given_by_its_key(pynenc_state_backend: PytestStateBackend) -> None:
    """The runs of a type are found by its key too, as they once were."""
    runs = [new_workflow("add"), new_workflow("greet")]
    for run in runs:
        pynenc_state_backend.store_workflow_run(run)
    key: Any = runs[0].workflow_type.key
    assert list(pynenc_state_backend.get_workflow_runs(key)) == [runs[0]]
