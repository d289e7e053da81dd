"""What the processes do whose operations are recorded. Each of them imports this module."""

from __future__ import annotations

import multiprocessing
import threading
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING

from pynenc.exceptions import InvocationStatusError
from pynenc.invocation.status import InvocationStatus

if TYPE_CHECKING:
    from pynenc import Pynenc


def claim(app: Pynenc, invocation_id: str, runner_id: str) -> None:
    """Try to become the owner."""
    with suppress(InvocationStatusError):
        app.orchestrator._atomic_status_transition(
            invocation_id, InvocationStatus.PENDING, runner_id
        )


def retry(app: Pynenc, invocation_id: str, times: int) -> None:
    """Increment a counter, and look at it, so many times."""
    for _ in range(times):
        app.orchestrator.increment_invocation_retries(invocation_id)
        app.orchestrator.get_invocation_retries(invocation_id)


def retry_in_fork(app: Pynenc, invocation_id: str) -> None:
    """Increment it, have both threads of a process that is forked do so, and then once more."""
    retry(app, invocation_id, 1)
    forked = multiprocessing.get_context("fork").Process(
        target=_retry_in_two_threads, args=(app, invocation_id)
    )
    with warnings.catch_warnings():
        # Python warns of a fork beside threads.
        warnings.filterwarnings("ignore", ".*multi-threaded", DeprecationWarning)
        forked.start()
    forked.join()
    retry(app, invocation_id, 1)


def _retry_in_two_threads(app: Pynenc, invocation_id: str) -> None:
    retry(app, invocation_id, 1)
    other = threading.Thread(target=retry, args=(app, invocation_id, 1))
    other.start()
    other.join()
