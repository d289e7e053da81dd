"""What is said of workflows beyond pynenc's contract: empty ids, other identities, keys."""

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


def test_another_identity_of_an_id_takes_its_place(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """A workflow id has one identity: the last one stored."""
    workflow = new_workflow("add")
    latter = replace(workflow, workflow_type=TaskId("elsewhere", "task"), parent_workflow_id="p")
    for each in (workflow, latter):
        pynenc_state_backend.store_workflow_run(each)
    assert list(pynenc_state_backend.get_all_workflow_runs()) == [latter]


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
