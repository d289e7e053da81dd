"""Every error this package raises itself. pynenc's own errors pass through untouched.

::

    PynencStateError
    ├── OptionsError (ValueError)        an option, ini value, variable or marker is unusable
    ├── AppError                         the application to test cannot be used
    ├── BackendError
    │   ├── BackendUnavailable           what the backend needs is missing on this machine
    │   ├── BackendTimeout (TimeoutError) somebody else held the store longer than the timeout
    │   ├── NotShared                    a second process was asked of a one-process backend
    │   ├── StoreFull                    no room left; the transaction was rolled back
    │   └── StoreUnusable                the store's file cannot be used as it is
    ├── ConformanceError (ValueError)    exclusions from the conformance suite say nothing
    ├── HistoryError
    │   ├── PathError (ValueError)       a path or rule names what pynenc does not have
    │   ├── OperationsUnreadable (ValueError) a file of recorded operations is none
    │   ├── HistoryNotSettled (TimeoutError) the store's history and status did not agree in time
    │   └── StatusNotReached (TimeoutError) the awaited status did not come, or never can
    └── ProcessError
        ├── CrashNotReached (TimeoutError) no process came to a crash point in time
        ├── CrashRefused (ValueError)    there is no such crash point, or it would hit pytest
        ├── NotSendable (TypeError)      a function or a value cannot go to another process
        ├── ProcessDied                  a child ended without an answer
        ├── ProcessLeaked                something outlived its test
        ├── ProcessNotReady (TimeoutError)
        ├── ProcessTimeout (TimeoutError) a child, or a thread of a race, did not answer in time
        ├── RecorderTooLate (ValueError) there are invocations already
        └── ResultTimeout (TimeoutError) a runner died, or took longer than the timeout

Each message says what failed, on which object, what was got and expected, and
what to do. Fields stay available after pickling, so an error raised in a child
process arrives whole.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "AppError",
    "BackendError",
    "BackendTimeout",
    "BackendUnavailable",
    "ConformanceError",
    "CrashNotReached",
    "CrashRefused",
    "HistoryError",
    "HistoryNotSettled",
    "NotSendable",
    "NotShared",
    "OperationsUnreadable",
    "OptionsError",
    "PathError",
    "ProcessDied",
    "ProcessError",
    "ProcessLeaked",
    "ProcessNotReady",
    "ProcessTimeout",
    "PynencStateError",
    "RecorderTooLate",
    "ResultTimeout",
    "StatusNotReached",
    "StoreFull",
    "StoreUnusable",
]


class PynencStateError(Exception):
    """Base class: a message in sentences, and remedies printed as a list below it.

    :param message: What failed, on which object, what was got and expected.
    :param remedies: What the reader can do, one sentence each.
    """

    def __init__(self, message: str, *remedies: str) -> None:
        super().__init__(message, *remedies)
        self.message = message
        self.remedies = remedies

    def __str__(self) -> str:
        return "\n".join([self.message, *(f"- {remedy}" for remedy in self.remedies)])

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, *self.remedies), self.__dict__


class OptionsError(PynencStateError, ValueError):
    """A command-line option, ini value, environment variable or marker cannot be used."""


class AppError(PynencStateError):
    """The application under test cannot be imported, or is not a ``pynenc.Pynenc``."""


class BackendError(PynencStateError):
    """A backend could not do what was asked of it."""


class BackendUnavailable(BackendError):
    """A service or library that the backend needs is missing; the test may be skipped."""


class BackendTimeout(BackendError, TimeoutError):
    """The store stayed locked by somebody else; nothing of this operation was written."""


class ConformanceError(PynencStateError, ValueError):
    """What a subclass of `StateConformance` leaves out is no clause, or is left out anyway."""


class NotShared(BackendError):
    """A second process was asked of a backend whose state lives in one process."""


class StoreFull(BackendError):
    """The store has no room left; this operation was rolled back, all before it is kept."""


class StoreUnusable(BackendError):
    """The store's file is missing, no database, damaged, unwritable or of another schema.

    Nothing was overwritten.
    """


class HistoryError(PynencStateError):
    """A status history cannot be read, or cannot be asked that."""


class PathError(HistoryError, ValueError):
    """A path was written with a status that pynenc does not have, or with impossible bounds."""


class OperationsUnreadable(HistoryError, ValueError):
    """A file of recorded operations has a line that is none."""


class HistoryNotSettled(HistoryError, TimeoutError):
    """The last record of a history did not agree with the invocation's status in time."""


class StatusNotReached(HistoryError, TimeoutError):
    """An invocation did not come to the awaited status in time, or has ended without it."""


class ProcessError(PynencStateError):
    """A child process or runner did not do what was asked of it."""


class CrashRefused(ProcessError, ValueError):
    """A crash point names what pynenc does not have, or would hit the pytest process."""


class CrashNotReached(ProcessError, TimeoutError):
    """No process came to a crash point in time; the message has what was seen there."""


class RecorderTooLate(ProcessError, ValueError):
    """Operations were to be recorded of an app that has invocations already."""


class NotSendable(ProcessError, TypeError):
    """A function, an argument, a result or an exception cannot go to another process.

    If it was on its way back, the message has what the child would have sent, as text.
    """


class ProcessDied(ProcessError):
    """A child was killed, crashed or exited before it had answered."""


class ProcessTimeout(ProcessError, TimeoutError):
    """A child, or a thread of a race, did not answer within the timeout."""


class ProcessNotReady(ProcessError, TimeoutError):
    """A runner gave no sign of life in the store before the deadline."""


class ProcessLeaked(ProcessError):
    """A process or thread outlived its test; the process has been ended."""


class ResultTimeout(ProcessError, TimeoutError):
    """No result came: a runner died, or nothing came for as long as the timeout allows."""
