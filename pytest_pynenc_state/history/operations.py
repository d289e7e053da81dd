"""What processes did to a store: one operation is one call, from when to when, and its outcome."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.errors import OperationsUnreadable

#: What an argument or an outcome is made of: what JSON has.
Value: TypeAlias = "str | int | float | bool | list[Value] | None"

#: The statuses of the installed pynenc, by their names.
STATUSES = frozenset(status.value for status in InvocationStatus)

#: The key of an operation that is about all there is.
EVERY_KEY = "*"

# How many arguments a call has besides its key, if it has any.
_COUNTS = {
    "register_new_invocations": 1,
    "atomic_status_transition": 2,
    "set_result": 1,
    "record_atomic_service_execution_start": 1,
    "finalize_atomic_service_execution": 1,
}

# What answers with a status and its owner.
_ANSWER_STATUSES = frozenset({"atomic_status_transition", "get_invocation_status_record"})

_FIELDS = ("process", "key", "name", "arguments", "ending", "value", "start_ns", "end_ns")


class Ending(StrEnum):
    """How a call ended, as far as its caller could tell."""

    OK = "ok"  #: it returned a value
    ERROR = "error"  #: it raised
    UNKNOWN = "unknown"  #: its process was killed, or nobody waited for it


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of one process.

    :ivar process: Who made it, in any words; the operations of one process do not overlap.
    :ivar key: What it is about: an invocation's id. Operations of two keys have nothing to do
        with each other. `EVERY_KEY` if it is about all there is.
    :ivar name: The method, without leading underscores.
    :ivar arguments: What else it was given.
    :ivar value: What it returned; or the name of the error's class; None if unknown.
    :ivar start_ns: When it was called, by one clock for all processes.
    :ivar end_ns: When it had returned or raised; None if unknown: it may take effect at any time
        after its start, or never.
    """

    process: str
    key: str
    name: str
    arguments: tuple[Value, ...]
    ending: Ending
    value: Value
    start_ns: int
    end_ns: int | None

    def __str__(self) -> str:
        given = ", ".join(map(str, self.arguments))
        outcomes = {
            Ending.OK: "" if self.value is None else f" = {_shown(self.value)}",
            Ending.ERROR: f" raised {self.value}",
            Ending.UNKNOWN: f" raised {self.value}" if self.value else " (never returned)",
        }
        return f"{self.name}({given}){outcomes[self.ending]}"

    def to_json(self) -> str:
        """One line, which `from_json` reads."""
        return json.dumps([getattr(self, field) for field in _FIELDS])

    @classmethod
    def from_json(cls, line: str) -> Operation:
        """Read a line that `to_json` wrote.

        :raises ValueError: It is none.
        :raises TypeError: It has values of other types.
        """
        process, key, name, arguments, ending, value, start_ns, end_ns = json.loads(line)
        if not all(isinstance(each, str) for each in (process, key, name)):
            message = "process, key and name are texts"
            raise TypeError(message)
        if not isinstance(start_ns, int) or not isinstance(end_ns, int | None):
            message = "start and end are whole numbers of nanoseconds"
            raise TypeError(message)
        if not isinstance(arguments, list) or len(arguments) != _COUNTS.get(name, len(arguments)):
            message = f"{name} has {_COUNTS.get(name, 'a list of')} arguments"
            raise ValueError(message)
        return cls(process, key, name, tuple(arguments), Ending(ending), value, start_ns, end_ns)


def save_operations(operations: Iterable[Operation], path: Path) -> None:
    """Write operations as lines of JSON, in their order.

    :raises OSError: The file cannot be written.
    """
    path.write_text("".join(f"{operation.to_json()}\n" for operation in operations))


def load_operations(path: Path) -> list[Operation]:
    """Read what `save_operations` wrote.

    :raises OSError: The file cannot be read.
    :raises OperationsUnreadable: A line is no operation, or has a status as it was answered that
        the installed pynenc does not have; the message has its number.
    """
    return list(_operations(path))


def _operations(path: Path) -> Iterator[Operation]:
    try:
        lines = path.read_text().splitlines()
    except UnicodeDecodeError as error:
        message = f"{path} is no text: {error}"
        raise OperationsUnreadable(message, "give a file that was saved by a test") from None
    for number, line in enumerate(lines, 1):
        try:
            operation = Operation.from_json(line)
        except (ValueError, TypeError) as error:
            message = f"{path}, line {number} is no operation: {error}"
            raise OperationsUnreadable(message, "give a file that was saved by a test") from None
        if strange := _strange_status(operation):
            message = f"{path}, line {number}: the installed pynenc has no status {strange!r}"
            raise OperationsUnreadable(message, "judge the file with the pynenc it was saved with")
        yield operation


def _strange_status(operation: Operation) -> str | None:
    """The status in the answer to a move or a reading, if this pynenc does not have it.

    To refuse such a move is right; what became of one that was never answered is unknown.
    """
    if operation.ending != Ending.OK or operation.name not in _ANSWER_STATUSES:
        return None
    answers = operation.value if isinstance(operation.value, list) else []
    return next((str(each) for each in answers[:1] if str(each) not in STATUSES), None)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return " ".join("nobody" if each is None else str(each) for each in value)
    return str(value)
