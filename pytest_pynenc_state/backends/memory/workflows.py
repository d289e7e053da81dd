"""The workflows of an app in the memory of one process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_pynenc_state.backends.state_backend import PytestStateBackend, key_of

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.identifiers.invocation_id import InvocationId
    from pynenc.identifiers.task_id import TaskId
    from pynenc.workflow import WorkflowIdentity


@dataclass
class Workflows:
    """All that is known of workflows; dictionaries with None keep ids in the order they came."""

    values: dict[tuple[str, str], str] = field(default_factory=dict)
    runs: dict[str, WorkflowIdentity] = field(default_factory=dict)
    sub_invocations: dict[str, dict[InvocationId, None]] = field(default_factory=dict)


class PytestMemWorkflows(PytestStateBackend):
    """The part of the state backend that knows workflows.

    Concurrency: each method is atomic between threads.
    """

    def __init__(self, app: Pynenc) -> None:
        super().__init__(app)
        # Protects everything that an instance stores, here and in the subclass, except
        # where a method reads or sets one key of one dictionary: Python does that in
        # one step.
        self._lock = threading.RLock()
        self._workflows = Workflows()

    def set_workflow_data(self, workflow_identity: WorkflowIdentity, key: str, value: Any) -> None:
        """Store *value* under the workflow's id and *key*; the last one wins.

        It is stored as text, by the app's serializer: changing *value* later changes
        nothing in the store, and the types are those that the serializer knows. If it
        refuses *value*, its error is raised and the former value stays.
        """
        serialized = self.app.serializer.serialize(value)
        self._workflows.values[workflow_identity.workflow_id, key] = serialized

    def get_workflow_data(
        self, workflow_identity: WorkflowIdentity, key: str, default: Any = None
    ) -> Any:
        """Return a copy of the value stored under the workflow's id and *key*.

        :returns: *default* only if there is none; a stored None comes back as None.
        """
        serialized = self._workflows.values.get((workflow_identity.workflow_id, key))
        return default if serialized is None else self.app.serializer.deserialize(serialized)

    def store_workflow_run(self, workflow_identity: WorkflowIdentity) -> None:
        """Store one run; another identity of the same id takes its place."""
        with self._lock:
            self._workflows.runs[workflow_identity.workflow_id] = workflow_identity

    def get_all_workflow_types(self) -> Iterator[TaskId]:
        """Return the types of all runs, each once, in the order first stored."""
        return iter(dict.fromkeys(run.workflow_type for run in self.get_all_workflow_runs()))

    def get_all_workflow_runs(self) -> Iterator[WorkflowIdentity]:
        """Return all runs, in the order first stored."""
        with self._lock:
            return iter(list(self._workflows.runs.values()))

    def get_workflow_runs(self, workflow_type: TaskId) -> Iterator[WorkflowIdentity]:
        """Return the runs of exactly *workflow_type*, in the order first stored."""
        wanted_key = key_of(workflow_type)
        runs = self.get_all_workflow_runs()
        return iter([run for run in runs if run.workflow_type.key == wanted_key])

    def store_workflow_sub_invocation(
        self, parent_workflow_id: InvocationId, sub_invocation_id: InvocationId
    ) -> None:
        """Store that an invocation runs inside a workflow; repeating it changes nothing."""
        with self._lock:
            inside = self._workflows.sub_invocations.setdefault(parent_workflow_id, {})
            inside[sub_invocation_id] = None

    def get_workflow_sub_invocations(self, workflow_id: InvocationId) -> Iterator[InvocationId]:
        """Return the ids of the invocations inside a workflow, each once, in storing order."""
        with self._lock:
            return iter(list(self._workflows.sub_invocations.get(workflow_id, ())))
