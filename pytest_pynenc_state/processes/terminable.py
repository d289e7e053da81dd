"""Workers that can be terminated from their first instant on.

pynenc's runners handle SIGTERM by stopping their loop, and a worker that a runner forks
inherits that handler until it installs its own: a SIGTERM in between stops the loop of a copy
of the runner, and the worker runs on. Its runner waits ten seconds for it, and then kills it.
"""

from __future__ import annotations

import os
import signal


class _TerminableForks:
    """The hooks around the forks of one process; not those of its forks in turn."""

    def __init__(self) -> None:
        self._pid: int | None = os.getpid()
        os.register_at_fork(
            before=self._hold_back, after_in_parent=self._let_through, after_in_child=self._end
        )

    def _hold_back(self) -> None:
        # What arrives at the child meanwhile waits for its new handler.
        if self._pid == os.getpid():
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def _let_through(self) -> None:
        if self._pid == os.getpid():
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    def _end(self) -> None:
        if self._pid is not None:
            self._pid = None
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def let_forks_be_terminated() -> None:
    """From now on, have each fork of this process end on SIGTERM until it handles it itself."""
    _TerminableForks()
