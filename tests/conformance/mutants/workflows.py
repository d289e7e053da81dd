"""Faults in how workflows, their data and what runs inside them are stored and found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pytest_pynenc_state.backends.memory.state_backend import PytestMemStateBackend
from tests.conformance.mutants.mutant import mutant


@mutant("SB-WFL-01")
class FalseValueIsMissing(PytestMemStateBackend):
    """It gives the default for a value that is false."""

    def get_workflow_data(self, workflow_identity: Any, key: str, default: Any = None) -> Any:
        return super().get_workflow_data(workflow_identity, key) or default


class _Keyed(PytestMemStateBackend):
    """Stores values of workflows under other keys."""

    def set_workflow_data(self, workflow_identity: Any, key: str, value: Any) -> None:
        super().set_workflow_data(workflow_identity, self._key(workflow_identity, key), value)

    def get_workflow_data(self, workflow_identity: Any, key: str, default: Any = None) -> Any:
        return super().get_workflow_data(
            workflow_identity, self._key(workflow_identity, key), default
        )

    def _key(self, workflow: Any, key: str) -> str:
        raise NotImplementedError


@mutant("SB-WFL-02")
class DataKeysFolded(_Keyed):
    """Its keys of workflow data do not tell capital letters from small ones."""

    def _key(self, workflow: Any, key: str) -> str:  # noqa: ARG002 - the same for all
        return key.lower()


@mutant("SB-WFL-04")
class DataByType(_Keyed):
    """It looks for a value under the type of its workflow too."""

    def _key(self, workflow: Any, key: str) -> str:
        return f"{workflow.workflow_type.key} {key}"


@mutant("SB-WFL-02")
class NoDefault(PytestMemStateBackend):
    """It returns None for what was never stored, whatever the default is."""

    def get_workflow_data(
        self,
        workflow_identity: Any,
        key: str,
        default: Any = None,  # noqa: ARG002 - is ignored
    ) -> Any:
        return super().get_workflow_data(workflow_identity, key)


@mutant("SB-WFL-03")
class FirstValueStays(PytestMemStateBackend):
    """It stores a value of a workflow unless there is one."""

    def set_workflow_data(self, workflow_identity: Any, key: str, value: Any) -> None:
        if (workflow_identity.workflow_id, key) not in self._workflows.values:
            super().set_workflow_data(workflow_identity, key, value)


@mutant("SB-WFL-05", "SB-WFL-06")
class ValuesAliased(PytestMemStateBackend):
    """It keeps the objects that it is given as values, and hands them out again."""

    def set_workflow_data(self, workflow_identity: Any, key: str, value: Any) -> None:
        kept = self.__dict__.setdefault("_kept", {})
        kept[workflow_identity.workflow_id, key] = value

    def get_workflow_data(self, workflow_identity: Any, key: str, default: Any = None) -> Any:
        return self.__dict__.get("_kept", {}).get((workflow_identity.workflow_id, key), default)


@mutant("SB-WFL-07")
class ParentOfRunLost(PytestMemStateBackend):
    """It has no column for the parent of a workflow run."""

    def store_workflow_run(self, workflow_identity: Any) -> None:
        super().store_workflow_run(replace(workflow_identity, parent_workflow_id=None))


@mutant("SB-WFL-08")
class RunsAppended(PytestMemStateBackend):
    """It appends to a list of runs each time that one is stored."""

    def store_workflow_run(self, workflow_identity: Any) -> None:
        self.__dict__.setdefault("_runs", []).append(workflow_identity)

    def get_all_workflow_runs(self) -> Iterator[Any]:
        return iter(list(self.__dict__.get("_runs", ())))


@mutant("SB-WFL-09")
class TypeOfEachRun(PytestMemStateBackend):
    """It lists the type of each run, and so a type as often as it ran."""

    def get_all_workflow_types(self) -> Iterator[Any]:
        return (run.workflow_type for run in self.get_all_workflow_runs())


@mutant("SB-WFL-10")
class TypesByPrefix(PytestMemStateBackend):
    """It looks for the runs of a type by how the key begins, as a scan of keys does."""

    def get_workflow_runs(self, workflow_type: Any) -> Iterator[Any]:
        for run in self.get_all_workflow_runs():
            if run.workflow_type.key.startswith(workflow_type.key):
                yield run


@mutant("SB-WFL-11", stumbles=(TypeError,))
class NothingInsideIsNone(PytestMemStateBackend):
    """It returns None for a workflow that nothing runs inside."""

    def get_workflow_sub_invocations(self, workflow_id: Any) -> Any:
        return list(super().get_workflow_sub_invocations(workflow_id)) or None


@mutant("SB-WFL-12")
class SubInvocationsAppended(PytestMemStateBackend):
    """It appends to a list of what runs inside a workflow, and tells nothing apart."""

    def store_workflow_sub_invocation(self, parent_workflow_id: Any, *inside: Any) -> None:
        lists = self.__dict__.setdefault("_inside", {})
        lists.setdefault(parent_workflow_id, []).extend(inside)

    def get_workflow_sub_invocations(self, workflow_id: Any) -> Iterator[Any]:
        return iter(list(self.__dict__.get("_inside", {}).get(workflow_id, ())))


@mutant("SB-WFL-12")
class WorkflowIdsFolded(PytestMemStateBackend):
    """It takes workflows for the same whose ids differ in case only."""

    def store_workflow_sub_invocation(self, parent_workflow_id: Any, *inside: Any) -> None:
        super().store_workflow_sub_invocation(parent_workflow_id.lower(), *inside)

    def get_workflow_sub_invocations(self, workflow_id: Any) -> Iterator[Any]:
        return super().get_workflow_sub_invocations(workflow_id.lower())


@mutant("SB-WFL-13", "SB-THR-04")
class LiveRuns(PytestMemStateBackend):
    """It goes over its own dictionary of runs while others write to it."""

    def get_all_workflow_runs(self) -> Iterator[Any]:
        yield from self._workflows.runs.values()


@mutant("SB-WFL-13", "SB-THR-04")
class LiveSubInvocations(PytestMemStateBackend):
    """It goes over its own dictionary of what runs inside a workflow while others write to it."""

    def get_workflow_sub_invocations(self, workflow_id: Any) -> Iterator[Any]:
        yield from self._workflows.sub_invocations.get(workflow_id, ())
