"""Faults in how invocations are stored and replaced."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pynenc.workflow import WorkflowIdentity

from pytest_pynenc_state.backends.memory.state_backend import PytestMemStateBackend
from tests.conformance.mutants.mutant import mutant

_LONGEST_TEXT = 2**16 - 1


class _Written(PytestMemStateBackend):
    """Changes each pair of transfer objects before it is stored."""

    def _upsert_invocations(self, entries: Any) -> None:
        super()._upsert_invocations([self._changed(*entry) for entry in entries])

    def _changed(self, invocation: Any, call: Any) -> tuple[Any, Any]:
        raise NotImplementedError


@mutant("SB-INV-01", "SB-INV-15")
class ParentLost(_Written):
    """It has no column for the parent of an invocation."""

    def _changed(self, invocation: Any, call: Any) -> tuple[Any, Any]:
        return replace(invocation, parent_invocation_id=None), call


@mutant("SB-INV-01")
class ParentOfWorkflowLost(_Written):
    """It stores the id and the type of a workflow, and not its parent."""

    def _changed(self, invocation: Any, call: Any) -> tuple[Any, Any]:
        former = invocation.workflow
        workflow = former and WorkflowIdentity(former.workflow_id, former.workflow_type)
        return replace(invocation, workflow=workflow), call


@mutant("SB-INV-02", "SB-INV-18")
class EventLost(_Written):
    """It knows nothing of events, which invocations did not always have."""

    def _changed(self, invocation: Any, call: Any) -> tuple[Any, Any]:
        return replace(invocation, parent_event_id=None), call


@mutant("SB-INV-03")
class WorkflowMadeUp(_Written):
    """It takes an invocation outside any workflow for a workflow of its own."""

    def _changed(self, invocation: Any, call: Any) -> tuple[Any, Any]:
        own = WorkflowIdentity(invocation.invocation_id, call.call_id.task_id)
        return replace(invocation, workflow=invocation.workflow or own), call


@mutant("SB-INV-04")
class ArgumentsCut(_Written):
    """Its column for an argument ends after 64 KiB, and what is longer is cut."""

    def _changed(self, invocation: Any, call: Any) -> tuple[Any, Any]:
        arguments = call.serialized_arguments
        cut = {name: value[:_LONGEST_TEXT] for name, value in arguments.items()}
        return invocation, replace(call, serialized_arguments=cut)


@mutant("SB-INV-05")
class NoArgumentsAreNone(PytestMemStateBackend):
    """It reads the arguments of a call without any as None."""

    def _get_invocation(self, invocation_id: Any) -> Any:
        found = super()._get_invocation(invocation_id)
        if found and not found[1].serialized_arguments:
            return found[0], replace(found[1], serialized_arguments=None)  # type: ignore[arg-type]
        return found


@mutant("SB-INV-06", "SB-INV-15", "SB-INV-20")
class InvocationsWaitForOthers(PytestMemStateBackend):
    """It keeps invocations until there are ten of them, and then stores them together."""

    def upsert_invocations(self, invocations: Any) -> None:
        waiting = self.__dict__.setdefault("_waiting", [])
        waiting.extend(invocations)
        if len(waiting) >= 10:
            super().upsert_invocations(waiting)
            waiting.clear()


@mutant("SB-INV-07", "SB-INV-08")
class UnknownIsKeyError(PytestMemStateBackend):
    """It raises KeyError when it is asked for an invocation that it does not know."""

    def _get_invocation(self, invocation_id: Any) -> Any:
        found = super()._get_invocation(invocation_id)
        if found is None:
            raise KeyError(invocation_id)
        return found


@mutant("SB-INV-10", "SB-INV-17", "SB-INV-19", "SB-INV-21")
class InsertOrIgnore(PytestMemStateBackend):
    """It stores an invocation unless it is there already."""

    def _upsert_invocations(self, entries: Any) -> None:
        new = [pair for pair in entries if self._get_invocation(pair[0].invocation_id) is None]
        super()._upsert_invocations(new)


@mutant("SB-INV-10")
class ArgumentsMerged(PytestMemStateBackend):
    """It adds the arguments of an upsert to those that an invocation had."""

    def _upsert_invocations(self, entries: Any) -> None:
        for invocation, call in entries:
            found = self._get_invocation(invocation.invocation_id)
            former = found[1].serialized_arguments if found else {}
            merged = {**former, **call.serialized_arguments}
            super()._upsert_invocations([(invocation, replace(call, serialized_arguments=merged))])


@mutant("SB-INV-11")
class BatchCut(PytestMemStateBackend):
    """It stores the first hundred invocations of a batch."""

    def _upsert_invocations(self, entries: Any) -> None:
        super()._upsert_invocations(entries[:100])


@mutant("SB-INV-12")
class EmptyBatchRefused(PytestMemStateBackend):
    """It refuses a batch without invocations, as its driver does."""

    def _upsert_invocations(self, entries: Any) -> None:
        if not entries:
            message = "documents must be a non-empty list"
            raise ValueError(message)
        super()._upsert_invocations(entries)


@mutant("SB-INV-13", "SB-INV-14")
class ArgumentsAliased(PytestMemStateBackend):
    """It keeps the transfer objects that it is given, and hands them out again."""

    def _upsert_invocations(self, entries: Any) -> None:
        super()._upsert_invocations(entries)
        kept = self.__dict__.setdefault("_kept", {})
        kept.update({pair[0].invocation_id: pair for pair in entries})

    def _get_invocation(self, invocation_id: Any) -> Any:
        return self.__dict__.get("_kept", {}).get(invocation_id)


@mutant("SB-INV-13")
class ArgumentsHandedOut(ArgumentsAliased):
    """It copies what it is given, and hands out what it has."""

    def _upsert_invocations(self, entries: Any) -> None:
        copies = [
            (each, replace(call, serialized_arguments=dict(call.serialized_arguments)))
            for each, call in entries
        ]
        super()._upsert_invocations(copies)
