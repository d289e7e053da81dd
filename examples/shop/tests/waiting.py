"""Waiting for what a runner does, with a deadline.

``invocation.result`` needs no help: while a ``pynenc_runner`` runs, the plugin bounds it by
``--pynenc-timeout``. These functions wait for everything else.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from pynenc import Pynenc
from pynenc.invocation import DistributedInvocation
from pynenc.state_backend.base_state_backend import InvocationHistory


def wait_until(condition: Callable[[], object], what: str, within_s: float = 30.0) -> None:
    """Ask *condition* until it is true, or fail and say *what* did not happen."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {within_s:g} s in vain: {what}"
        time.sleep(0.01)


def history_of(app: Pynenc, invocation: DistributedInvocation) -> list[InvocationHistory]:
    """Return the whole history of *invocation*, oldest first.

    pynenc hands out the result a moment before it writes the last record of the history, so this
    waits for that record.
    """

    def history() -> list[InvocationHistory]:
        return app.state_backend.get_history(invocation.invocation_id)

    def has_ended() -> bool:
        return any(record.status_record.status.is_final() for record in history())

    wait_until(has_ended, f"the history of {invocation.task.task_id.key} to end")
    return history()


def statuses_of(app: Pynenc, invocation: DistributedInvocation) -> list[str]:
    """Return every status that *invocation* went through, oldest first."""
    return [record.status_record.status.value for record in history_of(app, invocation)]
