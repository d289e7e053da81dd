"""Threads that go on when they should not: they cannot be ended, but they can be named."""

from __future__ import annotations

import sys
import threading
import traceback
import weakref
from collections.abc import Iterable

#: Those that an error has named: no other one needs to.
NAMED: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


def stack_of(thread: threading.Thread) -> str:
    """Where *thread* is, as a traceback shows it; nothing if it has ended."""
    frame = sys._current_frames().get(thread.ident or 0)
    return "".join(traceback.format_stack(frame)) if frame else ""


def name_all(threads: Iterable[threading.Thread]) -> str:
    """Return the names and stacks of threads, and remember that they were named."""
    named = list(threads)
    NAMED.update(named)
    return "\n".join(f"thread {thread.name}:\n{stack_of(thread)}" for thread in named)
