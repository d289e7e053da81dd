"""Workers that can be terminated from their first instant on.

pynenc's runners handle SIGTERM by stopping their loop, and a worker that a runner forks
inherits that handler until it installs its own: a SIGTERM in between stops the loop of a copy
of the runner, and the worker runs on. Its runner waits ten seconds for it, and then kills it.
"""

from __future__ import annotations

import os
import signal


def let_forks_be_terminated() -> None:
    """From now on, have each fork of this process end on SIGTERM until it handles it itself."""
    os.register_at_fork(
        before=_hold_back, after_in_parent=_let_through, after_in_child=_end_on_sigterm
    )


def _hold_back() -> None:
    # What arrives at the child meanwhile waits for its new handler.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _let_through() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _end_on_sigterm() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _let_through()
