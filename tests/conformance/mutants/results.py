"""Faults in how results and exceptions are stored and read."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from pytest_pynenc_state.backends.memory.state_backend import PytestMemStateBackend
from tests.conformance.mutants.mutant import mutant

_LARGEST = 2**24
_PIECE = 2**20


@mutant("SB-RES-01")
class ResultUpToNul(PytestMemStateBackend):
    """Its texts end at a NUL, as those of its database do."""

    def _set_result(self, invocation_id: str, serialized_result: str) -> None:
        super()._set_result(invocation_id, serialized_result.partition("\0")[0])


@mutant("SB-RES-01")
class EmptyTextIsMissing(PytestMemStateBackend):
    """It takes an empty text for a missing one."""

    def _get_result(self, invocation_id: str) -> str:
        if text := super()._get_result(invocation_id):
            return text
        raise KeyError(invocation_id)


@mutant("SB-RES-02")
class ExceptionWithoutNul(PytestMemStateBackend):
    """It removes the NUL from exceptions, which its JSON column refuses."""

    def _set_exception(self, invocation_id: str, serialized_exception: str) -> None:
        without = serialized_exception.replace(r"\\u0000", "")
        super()._set_exception(invocation_id, without)


@mutant("SB-RES-03")
class LargeResultCut(PytestMemStateBackend):
    """It stores as much of a result as fits into one document."""

    def _set_result(self, invocation_id: str, serialized_result: str) -> None:
        super()._set_result(invocation_id, serialized_result[:_LARGEST])


@mutant("SB-RES-03")
class LargeExceptionRefused(PytestMemStateBackend):
    """It refuses an exception that does not fit into one document."""

    def _set_exception(self, invocation_id: str, serialized_exception: str) -> None:
        if len(serialized_exception) > _LARGEST:
            message = "document too large"
            raise ValueError(message)
        super()._set_exception(invocation_id, serialized_exception)


@mutant("SB-RES-04")
class PiecesLeftBehind(PytestMemStateBackend):
    """It stores a result in pieces, and leaves those that a smaller one has no use for."""

    def _set_result(self, invocation_id: str, serialized_result: str) -> None:
        for first in range(0, max(len(serialized_result), 1), _PIECE):
            piece = serialized_result[first : first + _PIECE]
            super()._set_result(f"{invocation_id} {first // _PIECE}", piece)

    def _get_result(self, invocation_id: str) -> str:
        pieces = [super()._get_result(f"{invocation_id} 0")]
        with suppress(KeyError):
            while True:
                pieces.append(super()._get_result(f"{invocation_id} {len(pieces)}"))
        return "".join(pieces)


@mutant("SB-RES-05", "SB-RES-04")
class FirstExceptionStays(PytestMemStateBackend):
    """It stores an exception unless there is one."""

    def _set_exception(self, invocation_id: str, serialized_exception: str) -> None:
        self._exceptions.setdefault(invocation_id, serialized_exception)


@mutant("SB-RES-06", "SB-RES-07")
class MissingIsNone(PytestMemStateBackend):
    """It returns None for a result that was never stored."""

    def _get_result(self, invocation_id: str) -> Any:
        return self._results.get(invocation_id)


@mutant("SB-RES-07", "SB-RES-08", "SB-RES-13", stumbles=(TypeError,))
class OneSlot(PytestMemStateBackend):
    """It has one place for the outcome of an invocation, be it a result or an exception."""

    def _set_exception(self, invocation_id: str, serialized_exception: str) -> None:
        self._set_result(invocation_id, serialized_exception)

    def _get_exception(self, invocation_id: str) -> str:
        return self._get_result(invocation_id)


@mutant("SB-RES-08")
class ResultTakesTheException(PytestMemStateBackend):
    """It removes the result of an invocation when an exception is stored."""

    def _set_exception(self, invocation_id: str, serialized_exception: str) -> None:
        super()._set_exception(invocation_id, serialized_exception)
        self._results.pop(invocation_id, None)


@mutant("SB-RES-09")
class ResultIdsFolded(PytestMemStateBackend):
    """Its keys of results do not tell capital letters from small ones."""

    def _set_result(self, invocation_id: str, serialized_result: str) -> None:
        super()._set_result(invocation_id.lower(), serialized_result)

    def _get_result(self, invocation_id: str) -> str:
        return super()._get_result(invocation_id.lower())


@mutant("SB-RES-10")
class FalseResultIsMissing(PytestMemStateBackend):
    """It takes a result that is false for a missing one."""

    def get_result(self, invocation_id: Any) -> Any:
        if result := super().get_result(invocation_id):
            return result
        raise KeyError(invocation_id)


@mutant("SB-RES-11", "SB-RES-12")
class RaisesTheException(PytestMemStateBackend):
    """It raises the exception that it is asked for."""

    def get_exception(self, invocation_id: Any) -> Exception:
        raise super().get_exception(invocation_id)


@mutant("SB-RES-13")
class MissingIsNotFound(PytestMemStateBackend):
    """It reads a missing result as None."""

    def get_result(self, invocation_id: Any) -> Any:
        with suppress(KeyError):
            return super().get_result(invocation_id)
        return None


@mutant("SB-RES-11", "SB-RES-14")
class AnyErrorIsRuntimeError(PytestMemStateBackend):
    """It keeps the text of an exception, and not its type."""

    def deserialize_exception(self, serialized: str) -> Exception:
        return RuntimeError(*super().deserialize_exception(serialized).args)


@mutant("SB-RES-12", "SB-RES-14")
class ErrorWithoutFields(PytestMemStateBackend):
    """It builds an error again from its type and its text alone."""

    def deserialize_exception(self, serialized: str) -> Exception:
        error = super().deserialize_exception(serialized)
        own = type(error).__new__(type(error))
        own.args = (str(error),)
        return own
