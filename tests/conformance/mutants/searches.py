"""Faults of how invocations are found: by task, call and arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from pytest_pynenc_state.backends.sqlite.orchestrator import PytestSQLiteOrchestrator
from pytest_pynenc_state.backends.sqlite.schema import OrchestratorTables
from tests.conformance.mutants.mutant import mutant

_TABLE = OrchestratorTables.INVOCATIONS
_OF_MODULE = f"SELECT invocation_id FROM {_TABLE} WHERE app_id = ? AND task_id_key LIKE ?"
_LIKE = (
    f"SELECT invocation_id FROM {OrchestratorTables.INVOCATION_ARGS} "
    "WHERE app_id = ? AND arg_key LIKE ? AND arg_value LIKE ?"
)


@mutant("OR-SEA-01", "OR-SEA-06")
class AnyArgument(PytestSQLiteOrchestrator):
    """It finds what has one of the arguments, and not all."""

    def get_existing_invocations(
        self, task: Any, key_serialized_arguments: Any = None, statuses: Any = None
    ) -> Iterator[Any]:
        found: dict[str, None] = {}
        for name, value in (key_serialized_arguments or {}).items():
            matching = super().get_existing_invocations(task, {name: value}, statuses)
            found |= dict.fromkeys(matching)
        return iter(found)


@mutant("OR-SEA-02")
class NoArgumentsNoMatch(PytestSQLiteOrchestrator):
    """Asked for no arguments, it finds nothing."""

    def get_existing_invocations(
        self, task: Any, key_serialized_arguments: Any = None, statuses: Any = None
    ) -> Iterator[Any]:
        if key_serialized_arguments == {}:
            return iter(())
        return super().get_existing_invocations(task, key_serialized_arguments, statuses)


@mutant("OR-SEA-03")
class ArgumentsLike(PytestSQLiteOrchestrator):
    """It compares arguments with LIKE."""

    def get_existing_invocations(
        self, task: Any, key_serialized_arguments: Any = None, statuses: Any = None
    ) -> Iterator[Any]:
        found = [*super().get_existing_invocations(task, None, statuses)]
        for name, value in (key_serialized_arguments or {}).items():
            rows = self._database.read(_LIKE, (self._app_id, name, value))
            found = [each for each in found if (each,) in rows]
        return iter(found)


class _ChangesArguments(PytestSQLiteOrchestrator):
    """Indexes and looks for something else than the value of an argument."""

    change: Callable[[str], str] = str

    def _changed(self, arguments: Any) -> dict[str, str]:
        return {name: type(self).change(value) for name, value in (arguments or {}).items()}

    def index_arguments_for_concurrency_control(self, invocation: Any) -> None:
        changed = self._changed(invocation.call.serialized_arguments)
        self._search.index_arguments(invocation.invocation_id, changed)

    def get_existing_invocations(
        self, task: Any, key_serialized_arguments: Any = None, statuses: Any = None
    ) -> Iterator[Any]:
        changed = self._changed(key_serialized_arguments)
        return super().get_existing_invocations(task, changed, statuses)


@mutant("OR-SEA-03")
class LongArgumentsCut(_ChangesArguments):
    """It indexes the first 255 characters of an argument."""

    @staticmethod
    def change(value: str) -> str:
        return value[:255]


@mutant("OR-SEA-03")
class ArgumentsEndAtNul(_ChangesArguments):
    """It indexes an argument up to its first NUL."""

    @staticmethod
    def change(value: str) -> str:
        return value.partition("\0")[0]


@mutant("OR-SEA-04")
class IndexedAtOnce(PytestSQLiteOrchestrator):
    """It indexes the arguments of every invocation that is registered."""

    def _register_new_invocations(self, invocations: Any, *args: Any) -> Any:
        record = super()._register_new_invocations(invocations, *args)
        for invocation in invocations:
            self.index_arguments_for_concurrency_control(invocation)
        return record


@mutant("OR-SEA-01", "OR-SEA-05")
class OncePerArgument(PytestSQLiteOrchestrator):
    """It lists an invocation once for each argument that matches."""

    def get_existing_invocations(
        self, task: Any, key_serialized_arguments: Any = None, statuses: Any = None
    ) -> Iterator[Any]:
        arguments = key_serialized_arguments or {}
        for each in super().get_existing_invocations(task, arguments, statuses):
            yield from [each] * max(len(arguments), 1)


@mutant("OR-SEA-05")
class IndexedTwice(PytestSQLiteOrchestrator):
    """It refuses to index what is indexed already."""

    def index_arguments_for_concurrency_control(self, invocation: Any) -> None:
        indexed = self.__dict__.setdefault("_indexed", set())
        if invocation.invocation_id in indexed:
            message = "UNIQUE constraint failed"
            raise ValueError(message)
        indexed.add(invocation.invocation_id)
        super().index_arguments_for_concurrency_control(invocation)


@mutant("OR-SEA-06")
class ArgumentsOfOneStatement(PytestSQLiteOrchestrator):
    """It compares as many arguments as one statement has parameters for."""

    def get_existing_invocations(
        self, task: Any, key_serialized_arguments: Any = None, statuses: Any = None
    ) -> Iterator[Any]:
        first = dict(islice((key_serialized_arguments or {}).items(), 999))
        return super().get_existing_invocations(task, first, statuses)


@mutant("OR-SEA-07", "OR-REG-10", "OR-TRA-17", "OR-TRA-18")
class AnyStatus(PytestSQLiteOrchestrator):
    """It finds invocations in any status, whichever is asked for."""

    def get_existing_invocations(
        self, task: Any, key_serialized_arguments: Any = None, statuses: Any = None
    ) -> Iterator[Any]:
        del statuses
        return super().get_existing_invocations(task, key_serialized_arguments)


@mutant("OR-SEA-07")
class AnyTask(PytestSQLiteOrchestrator):
    """It finds the invocations of all tasks that have the arguments."""

    def get_existing_invocations(
        self, task: Any, key_serialized_arguments: Any = None, statuses: Any = None
    ) -> Iterator[Any]:
        del task
        for each in self.app.tasks.values():
            yield from super().get_existing_invocations(each, key_serialized_arguments, statuses)


@mutant("OR-SEA-08")
class TasksByModule(PytestSQLiteOrchestrator):
    """It finds the invocations of all tasks of a module."""

    def get_task_invocation_ids(self, task_id: Any) -> Iterator[Any]:
        of_module = replace(task_id, func_name="%").key
        rows = self._database.read(_OF_MODULE, (self._app_id, of_module))
        return iter([str(row[0]) for row in rows])


@mutant("OR-SEA-09")
class CallsByTask(PytestSQLiteOrchestrator):
    """It finds the invocations of a call's task, whatever their arguments."""

    def get_call_invocation_ids(self, call_id: Any) -> Iterator[Any]:
        return self.get_task_invocation_ids(call_id.task_id)
