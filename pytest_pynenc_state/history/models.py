"""What a correct store answers: one model for each kind of thing that it keeps.

A model is pure: it says what follows from a state and an operation, and changes nothing. What a
status allows comes from the installed pynenc.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeVar

from pynenc.exceptions import (
    InvocationStatusError,
    InvocationStatusRaceConditionError,
    InvocationStatusTransitionError,
)
from pynenc.invocation.status import (
    InvocationStatus,
    InvocationStatusRecord,
    status_record_transition,
)

from pytest_pynenc_state.history.operations import STATUSES, Ending, Operation, Value
from pytest_pynenc_state.history.status_machine import following

State = TypeVar("State", bound=Hashable)


class Model(Protocol[State]):
    """How one kind of thing behaves, for each key by itself.

    :ivar name: What it is about, in words.
    :ivar methods: The operations that it is about, by their names.
    :ivar purge: The operation that leaves nothing of any key.
    :ivar initial: The state before the first operation.
    """

    name: str
    methods: frozenset[str]
    purge: str
    initial: State

    def step(self, state: State, operation: Operation) -> State | None:
        """The state after an operation; None if a correct store could not have answered so.

        Of one whose outcome is unknown: the state if it took effect. An error of a call of
        pynenc's is unknown, too, unless it is in `REFUSALS`.
        """

    def allowed(self, state: State, operation: Operation) -> str:
        """What a correct store would have answered in *state*, in words."""


class Raises(NamedTuple):
    """The answer of a call that raises; the name of the error's class."""

    error: str

    def __str__(self) -> str:
        return f"raising {self.error}"


_MISSING = Raises(KeyError.__name__)

_NOT_REGISTERED = -1

# Either component removes what it keeps.
_ORCHESTRATOR_PURGE = "orchestrator.purge"
_STATE_BACKEND_PURGE = "state_backend.purge"

# What a store may always answer to a move: that somebody else was quicker.
_TOO_LATE = Raises(InvocationStatusRaceConditionError.__name__)


class Status(NamedTuple):
    """The status of an invocation and its owner; both None before it is registered."""

    status: str | None
    runner_id: str | None

    def __str__(self) -> str:
        if self.status is None:
            return "not registered"
        return f"{self.status} of {self.runner_id or 'nobody'}"


class StatusModel:
    """An invocation: registered once, then moved from status to status by its owner."""

    name = "status"
    methods = frozenset(
        {"register_new_invocations", "atomic_status_transition", "get_invocation_status_record"}
    )
    purge = _ORCHESTRATOR_PURGE
    initial = Status(None, None)

    def step(self, state: Status, operation: Operation) -> Status | None:
        """Registering again changes nothing; what a move comes to is pynenc's to say."""
        if operation.name == "register_new_invocations":
            (runner_id,) = operation.arguments
            return state if state.status else _registered(_text(runner_id))
        answer = self._answer(state, operation)
        if operation.name == "get_invocation_status_record":
            return state if _agree(operation, answer) else None
        if operation.ending == Ending.ERROR:
            is_right = _agree(operation, answer) or _agree(operation, _TOO_LATE)
            return state if is_right else None
        if isinstance(answer, Raises):
            return None
        return answer if _agree(operation, answer) else None

    def allowed(self, state: Status, operation: Operation) -> str:
        """The answer, and where the invocation could have gone."""
        answer = self._answer(state, operation)
        if state.status is None:
            return str(answer)
        moves = ", ".join(following(InvocationStatus(state.status))) or "nothing"
        return f"{answer} (it was {state}, which may become {moves})"

    def _answer(self, state: Status, operation: Operation) -> Status | Raises:
        if state.status is None:
            return _MISSING
        if operation.name != "atomic_status_transition":
            return state
        status, runner_id = map(_text, operation.arguments)
        return _moved(state, status or "", runner_id)


class RetriesModel:
    """A retry counter: each increment adds one.

    What becomes of the retries of an invocation that is not registered, pynenc leaves open.
    """

    name = "retries"
    methods = frozenset(
        {
            "register_new_invocations",
            "increment_invocation_retries",
            "get_invocation_retries",
        }
    )
    purge = _ORCHESTRATOR_PURGE
    initial = _NOT_REGISTERED

    def step(self, state: int, operation: Operation) -> int | None:
        """A reading is the number of increments since the registration."""
        if operation.name == "register_new_invocations":
            return max(state, 0)
        if state == _NOT_REGISTERED:
            return state
        if operation.name == "increment_invocation_retries":
            return state + 1
        return state if _agree(operation, state) else None

    def allowed(self, state: int, operation: Operation) -> str:  # noqa: ARG002 - of the protocol
        """The number."""
        return str(state)


class ResultModel:
    """A result: the last text that was written, or a KeyError if there is none."""

    name = "result"
    methods = frozenset({"set_result", "get_result"})
    purge = _STATE_BACKEND_PURGE
    initial: tuple[str, ...] = ()

    def step(self, state: tuple[str, ...], operation: Operation) -> tuple[str, ...] | None:
        """The state is no text, or one."""
        if operation.name == "set_result":
            return (str(operation.arguments[0]),)
        return state if _agree(operation, state[0] if state else _MISSING) else None

    def allowed(self, state: tuple[str, ...], operation: Operation) -> str:  # noqa: ARG002
        """The text."""
        return state[0] if state else str(_MISSING)


class ServicesModel:
    """The atomic services of an app: one execution at a time."""

    name = "services"
    methods = frozenset(
        {"record_atomic_service_execution_start", "finalize_atomic_service_execution"}
    )
    purge = _ORCHESTRATOR_PURGE
    initial = ""

    def step(self, state: str, operation: Operation) -> str | None:
        """Who is admitted runs until it is finalized; nobody else is admitted meanwhile.

        To refuse somebody is no error: a run that has ended is not admitted again.
        """
        run = str(operation.arguments[0])
        if operation.name == "finalize_atomic_service_execution":
            return "" if state == run else state
        is_free = state in ("", run)
        if operation.ending == Ending.UNKNOWN:
            return run if is_free else state
        if operation.value is not True:
            return state if _agree(operation, False) else None
        return run if is_free else None

    def allowed(self, state: str, operation: Operation) -> str:  # noqa: ARG002
        """Whether it would have been admitted."""
        return f"False: {state} was running" if state else "True or False: nothing was running"


#: All models by name.
MODELS: Mapping[str, Model[Any]] = MappingProxyType(
    {each.name: each for each in (StatusModel(), RetriesModel(), ResultModel(), ServicesModel())}
)

_NOTHING_THERE = frozenset({_MISSING.error})
_NOT_MOVED = _NOTHING_THERE | {
    InvocationStatusError.__name__,
    *(each.__name__ for each in InvocationStatusError.__subclasses__()),
}

#: By the calls that models here are about: the errors that say that nothing was done.
REFUSALS: Mapping[str, frozenset[str]] = MappingProxyType(
    {name: frozenset[str]() for each in MODELS.values() for name in (*each.methods, each.purge)}
    | {
        "atomic_status_transition": _NOT_MOVED,
        "get_invocation_status_record": _NOTHING_THERE,
        "get_result": _NOTHING_THERE,
    }
)


def _agree(operation: Operation, answer: object) -> bool:
    """Whether an operation was answered like that, as far as anybody knows."""
    if operation.ending == Ending.UNKNOWN:
        return True
    if isinstance(answer, Raises):
        return operation.ending == Ending.ERROR and operation.value == answer.error
    expected = list(answer) if isinstance(answer, Status) else answer
    return operation.ending == Ending.OK and operation.value == expected


def _text(value: Value) -> str | None:
    return None if value is None else str(value)


def _registered(runner_id: str | None) -> Status:
    # The first record names who registered, although nobody owns the invocation yet.
    return Status(InvocationStatus.REGISTERED.value, runner_id)


@lru_cache(maxsize=4096)
def _moved(state: Status, status: str, runner_id: str | None) -> Status | Raises:
    if status not in STATUSES:
        return Raises(InvocationStatusTransitionError.__name__)  # wherever it was to come from
    current = InvocationStatusRecord(InvocationStatus(state.status or ""), state.runner_id)
    try:
        record = status_record_transition(current, InvocationStatus(status), runner_id)
    except InvocationStatusError as error:
        return Raises(type(error).__name__)
    return Status(record.status.value, record.runner_id)
