"""A gate that keeps forks and SQLite apart: while a thread is inside, no process forks.

A child that is forked while another thread is inside SQLite inherits SQLite's locks as
they are at that instant, and nobody is there to release them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from types import TracebackType


class ForkGate:
    """A context manager for whoever enters SQLite; re-entrant.

    :param prepare: Called before each fork of this process, when nobody is inside.

    Concurrency: any number of threads may be inside at once. A fork waits until all have
    left, and meanwhile lets none in.
    """

    def __init__(self, prepare: Callable[[], None]) -> None:
        self._prepare = prepare
        # Protects the count. Held during a fork, so that its owner is the one thread that
        # the child has. Re-entrant, because the garbage collector may close a connection
        # at any instant, also while this thread holds it.
        self._lock = threading.RLock()
        self._condition = threading.Condition(self._lock)
        self._inside = 0
        # The thread that is about to fork, for which all others wait outside.
        self._forking: int | None = None
        self._own = _Depth()
        os.register_at_fork(
            before=self._close, after_in_parent=self._open, after_in_child=self._open
        )

    def __enter__(self) -> None:
        own = self._own
        if own.depth == 0:
            # Every use of a store comes by here, and hardly ever meets a fork.
            with self._lock:
                if self._forking is not None:
                    self._condition.wait_for(self._is_open)
                self._inside += 1
        own.depth += 1

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        own = self._own
        own.depth -= 1
        if own.depth == 0:
            with self._lock:
                self._inside -= 1
                if self._forking is not None:
                    self._condition.notify_all()

    def _is_open(self) -> bool:
        return self._forking in (None, threading.get_ident())

    def _close(self) -> None:
        self._condition.acquire()
        self._condition.wait_for(self._is_open)  # another thread may be forking
        self._forking = threading.get_ident()
        # A thread that forks from inside is not waited for by itself.
        own = 1 if self._own.depth else 0
        self._condition.wait_for(lambda: self._inside == own)
        self._prepare()

    def _open(self) -> None:
        self._forking = None
        self._condition.notify_all()
        self._condition.release()


class _Depth(threading.local):
    """How often this thread is inside."""

    depth = 0
