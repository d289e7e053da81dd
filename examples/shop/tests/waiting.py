"""Waiting for what a runner does, never for ever.

``invocation.result`` waits as long as it takes. These functions wait a limited time and then fail
with what they have seen.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from pynenc import Pynenc
    from pynenc.invocation import DistributedInvocation


def wait_until(condition: Callable[[], bool], what: str, within_s: float = 20.0) -> None:
    """Ask *condition* until it is true, or fail and say *what* did not happen."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            message = f"waited {within_s} s in vain: {what}"
            raise AssertionError(message)
        time.sleep(0.01)


def result_of(invocation: DistributedInvocation) -> Any:
    """Return the result of *invocation*, or raise the exception it ended with."""
    wait_until(
        lambda: invocation.status.is_final(),
        f"{invocation.task.task_id.key} to be final; its status is {invocation.status}",
    )
    return invocation.result


def statuses_of(app: Pynenc, invocation: DistributedInvocation) -> list[str]:
    """Return every status that *invocation* went through, oldest first.

    pynenc hands out the result a moment before it writes the last line of the history, so this
    waits for that line.
    """

    def history() -> list[Any]:
        return app.state_backend.get_history(invocation.invocation_id)

    def is_complete() -> bool:
        return bool(history()) and history()[-1].status_record.status.is_final()

    wait_until(is_complete, f"the history of {invocation.task.task_id.key} to end")
    return [line.status_record.status.value for line in history()]
