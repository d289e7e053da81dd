"""Faults in how status changes become records of a history."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_pynenc_state.backends.memory.state_backend import PytestMemStateBackend
from pytest_pynenc_state.backends.state_backend import InvocationHistory
from tests.conformance.mutants.mutant import mutant

if TYPE_CHECKING:
    from pynenc.app import Pynenc


@mutant("SB-HIS-15")
class StatusWithoutRecord(PytestMemStateBackend):
    """It keeps the status of a change, and makes up the rest of its record."""

    def add_history(self, invocation_id: Any, status_record: Any, *context: Any) -> None:
        super().add_history(invocation_id, status_record.status, *context)


@mutant("SB-HIS-16")
class ChangeOfTheFirst(PytestMemStateBackend):
    """It adds a status change of several invocations to the first of them."""

    def add_histories(self, invocations: Any, *change: Any) -> None:
        super().add_histories(invocations[:1], *change)


@mutant("SB-HIS-15", "SB-HIS-16", "SB-HIS-17", "SB-HIS-20")
class WrittenWithTheNext(PytestMemStateBackend):
    """It writes a status change together with the one that follows."""

    def __init__(self, app: Pynenc) -> None:
        super().__init__(app)
        self._following: Callable[[], None] = lambda: None

    def add_history(self, *change: Any) -> None:
        self._following()
        self._following = partial(super().add_history, *change)

    def add_histories(self, *change: Any) -> None:
        self._following()
        self._following = partial(super().add_histories, *change)


@mutant("SB-HIS-17", "SB-HIS-20")
class WrittenWhenAllAreAwaited(PytestMemStateBackend):
    """It writes status changes when all of them are awaited, and not when those of one are."""

    def add_history(self, *change: Any) -> None:
        self.__dict__.setdefault("_waiting", []).append(change)

    def wait_for_all_async_operations(self) -> None:
        for change in self.__dict__.pop("_waiting", ()):
            super().add_history(*change)


@mutant("SB-HIS-18")
class ChangeWithoutContext(PytestMemStateBackend):
    """It stores the id of the runner that made a change, and not its context."""

    def add_histories(self, invocations: Any, status_record: Any, runner_context: Any) -> None:
        for each in invocations:
            record = InvocationHistory(each.invocation_id, status_record, runner_context.runner_id)
            self._add_records([record])


@mutant("SB-HIS-18", "SB-CTX-02")
class ParentContextsSkipped(PytestMemStateBackend):
    """It stores the context of a runner, and not those of its parents."""

    def store_runner_context(self, runner_context: Any) -> None:
        self._store_runner_context(runner_context)


@mutant("SB-HIS-19")
class AlwaysRegistered(PytestMemStateBackend):
    """It names an invocation's parent as the registrant at every change of its status."""

    def add_histories(self, invocations: Any, status_record: Any, runner_context: Any) -> None:
        self.store_runner_context(runner_context)
        for each in invocations:
            authors = (runner_context.runner_id, each.parent_invocation_id)
            self._add_records([InvocationHistory(each.invocation_id, status_record, *authors)])
