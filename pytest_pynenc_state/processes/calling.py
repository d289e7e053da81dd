"""A call on its way to another process, and its answer on the way back.

What crosses is pickled here and nowhere else, so that what cannot cross is refused with
its name, instead of failing somewhere in the other process.
"""

from __future__ import annotations

import inspect
import io
import os
import pickle
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import FunctionType
from typing import Any

from pytest_pynenc_state.errors import NotSendable, OptionsError

_MAIN = "__main__"
_FUNCTION_REMEDIES = (
    "define it at the top level of a module, and give what it needs as arguments",
    "in a test module, with pytest's usual --import-mode=prepend, is good enough",
)
_IMPORT_REMEDIES = (
    "put the function into a module that is found through sys.path",
    "with --import-mode=importlib, test modules are not",
)

# What a call of such a function returns at once, and leaves to others to run.
_NOT_RUN: dict[str, Callable[[Any], bool]] = {
    "a coroutine function": inspect.iscoroutinefunction,
    "a generator function": inspect.isgeneratorfunction,
    "an asynchronous generator function": inspect.isasyncgenfunction,
}

_VALUE_REMEDY = "use plain data, and objects of classes at the top level of a module"


class _Pickler(pickle.Pickler):
    """Refuses what only this process can find: its main module is not the child's."""

    def reducer_override(self, item: Any) -> Any:
        """Look at each class and function before it is pickled by its name."""
        if isinstance(item, type | FunctionType) and item.__module__ == _MAIN:
            message = f"{item.__qualname__} is in {_MAIN}, which another process has another one of"
            raise pickle.PicklingError(message)
        return NotImplemented


def name_of(function: Any) -> str:
    """How messages call *function*: module and name, as far as it has them."""
    if isinstance(function, partial):
        return f"partial of {name_of(function.func)}"
    name = getattr(function, "__qualname__", None)
    return f"{function.__module__}.{name}" if name else repr(function)


def check_runs(where: str, function: Any) -> None:
    """Refuse what only makes something to be run later, of which nothing ever would be.

    :param where: What was asked to call it.
    :raises OptionsError: It is a coroutine function, or a generator function.
    """
    for kind, is_of_kind in _NOT_RUN.items():
        if is_of_kind(function) or is_of_kind(type(function).__call__):
            message = (
                f"{where}: {name_of(function)} is {kind}: when it is called, nothing of it runs"
            )
            raise OptionsError(
                message, "give a plain function that runs it, with asyncio.run() or list()"
            )


def packed_call(function: Any, arguments: tuple[Any, ...]) -> bytes:
    """Pack a function, to be called with an app and *arguments* in another process.

    :raises NotSendable: The other process could not import the function, as is the case for
        a lambda or one inside another function; or an argument cannot be pickled.
    """
    name = name_of(function)
    if not callable(function):
        message = f"{name} cannot be called in another process: it is no function"
        raise NotSendable(message, *_FUNCTION_REMEDIES)
    try:
        _packed(function)
    except Exception as error:
        message = f"{name} cannot be called in another process: {error}"
        raise NotSendable(message, *_FUNCTION_REMEDIES) from error
    try:
        return _packed((function, arguments))
    except Exception as error:
        message = f"an argument of {name} cannot be sent to another process: {error}"
        raise NotSendable(message, _VALUE_REMEDY) from error


def unpacked_call(packed: bytes) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Return the function and the arguments that were packed in another process.

    :raises NotSendable: This process cannot import one of them.
    """
    try:
        call: tuple[Callable[..., Any], tuple[Any, ...]] = pickle.loads(packed)  # noqa: S301 - ours
    except Exception as error:
        message = f"the child process cannot import what it was sent: {error!r}"
        raise NotSendable(message, *_IMPORT_REMEDIES) from error
    return call


def _packed(item: Any) -> bytes:
    stream = io.BytesIO()
    _Pickler(stream, pickle.HIGHEST_PROTOCOL).dump(item)
    return stream.getvalue()


@dataclass(frozen=True)
class Done:
    """What came of a call: a value or an error, and when, by `time.monotonic_ns`."""

    value: Any
    error: BaseException | None
    started_ns: int
    ended_ns: int


def done(function: Callable[..., Any], *arguments: Any) -> Done:
    """Call *function*. Only what is to end the process is raised."""
    value, failure = None, None
    started_ns = time.monotonic_ns()
    try:
        value = function(*arguments)
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001 - pytest's own outcomes are no Exception
        failure = error
    return Done(value, failure, started_ns, time.monotonic_ns())


@dataclass(frozen=True)
class Answer:
    """What came of a call in another process, packed.

    :param is_error: Whether *packed* is an exception that was raised.
    :param text: The exception's traceback there; or why *packed* is empty, and a value is
        missing.
    """

    packed: bytes
    is_error: bool
    text: str
    pid: int
    started_ns: int
    ended_ns: int

    @classmethod
    def of(cls, outcome: Done) -> Answer:
        """Pack what came of a call, in the process that made it."""
        pack = _packed_error if outcome.error is not None else _packed_value
        packed, text = pack(outcome)
        is_error = outcome.error is not None
        return cls(packed, is_error, text, os.getpid(), outcome.started_ns, outcome.ended_ns)

    def unpacked(self) -> Done:
        """What came of the call; the error has a note with its traceback there.

        What cannot be pickled there, or not be unpickled here, is a `NotSendable` that has
        it as text.
        """
        value, error = self._restored()
        return Done(value, error, self.started_ns, self.ended_ns)

    def _restored(self) -> tuple[Any, BaseException | None]:
        if not self.packed:
            return None, self._lost("it cannot be pickled")
        try:
            restored = pickle.loads(self.packed)  # noqa: S301 - our child pickled it
        except Exception as failure:  # noqa: BLE001 - whatever a class does when it is restored
            return None, self._lost(f"it cannot be unpickled here: {failure!r}")
        if not self.is_error:
            return restored, None
        restored.add_note(f"raised in child process {self.pid}:\n{self.text}")
        return None, restored

    def _lost(self, reason: str) -> NotSendable:
        what = "an exception was raised" if self.is_error else "a value was returned"
        message = f"{what} in child process {self.pid}, but {reason}\n{self.text}".rstrip()
        return NotSendable(message, _VALUE_REMEDY)


def _packed_value(outcome: Done) -> tuple[bytes, str]:
    try:
        return _packed(outcome.value), ""
    except Exception as failure:  # noqa: BLE001 - whatever a class does when it is pickled
        return b"", f"{failure}\n{_shown(outcome.value)}"


def _packed_error(outcome: Done) -> tuple[bytes, str]:
    assert outcome.error is not None
    text = "".join(traceback.format_exception(outcome.error)).rstrip()
    try:
        return _restorable(outcome.error), text
    except Exception as failure:  # noqa: BLE001 - as above
        return b"", f"{failure!r}\n{text}"


def _restorable(error: BaseException) -> bytes:
    try:
        packed = _packed(error)
        pickle.loads(packed)  # noqa: S301 - pickled above
    except Exception:  # noqa: BLE001 - as above
        # Many exceptions, pynenc's too, can be pickled and not be restored, because their
        # `__init__` takes other arguments than it gives to its base class.
        packed = _packed(_Likeness(error))
        pickle.loads(packed)  # noqa: S301 - pickled above
    return packed


class _Likeness:
    """Is pickled in place of an exception, and unpickled as one that was not initialized."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __reduce__(self) -> tuple[Any, ...]:
        return _revived, (type(self._error), self._error.args, self._error.__dict__)


def _revived(kind: type[BaseException], args: tuple[Any, ...], state: dict[str, Any]) -> Any:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


def _shown(value: Any) -> str:
    try:
        return f"it was {value!r}"
    except Exception as failure:  # noqa: BLE001 - of a broken object, its type must do
        return f"it was a {type(value).__name__}, which cannot be shown: {failure!r}"
