"""Quiet about exceptions of tasks, which pynenc has stored before their thread ends with them.

pynenc's thread runner gives each task a thread, in which the task's exception is raised
again once it is stored. pytest would report it as unhandled, and fail the test where
warnings are errors, although the test may be about that very exception.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable

from pynenc.invocation.dist_invocation import DistributedInvocation
from pynenc.invocation.status import InvocationStatus

_Hook = Callable[[threading.ExceptHookArgs], object]


class StoredFailures:
    """Installs itself in front of the hook for exceptions that no thread caught."""

    def __init__(self) -> None:
        self._former: _Hook | None = None

    def install(self) -> None:
        """Begin; repeating it changes nothing."""
        if self._former is None:
            self._former, threading.excepthook = threading.excepthook, self._report

    def remove(self) -> None:
        """Put the former hook back."""
        if self._former is not None:
            threading.excepthook, self._former = self._former, None

    def _report(self, failure: threading.ExceptHookArgs) -> None:
        if self._former is not None and not _is_stored(failure):
            self._former(failure)


def _is_stored(failure: threading.ExceptHookArgs) -> bool:
    """Whether *failure* ended an invocation that has failed for everybody to see."""
    for frame, _ in traceback.walk_tb(failure.exc_traceback):
        if frame.f_code is DistributedInvocation.run.__code__:
            invocation: DistributedInvocation[..., object] = frame.f_locals["self"]
            orchestrator = invocation.app.orchestrator
            status = orchestrator.get_invocation_status(invocation.invocation_id)
            return status == InvocationStatus.FAILED
    return False
