"""Ends of a FIFO: held by this process alone, never by a child, and asked who has the others."""

from __future__ import annotations

import os
import select
import threading
from pathlib import Path


class _Ends:
    """The ends of FIFOs that this process has open, and that its forked children close."""

    def __init__(self) -> None:
        self._descriptors: set[int] = set()
        # Held by whoever opens or closes an end, and during a fork: a child knows every end
        # that it has inherited. Re-entrant, because a signal handler may fork.
        self._lock = threading.RLock()
        os.register_at_fork(
            before=self._lock.acquire,
            after_in_parent=self._lock.release,
            after_in_child=self._close_all,
        )

    def open(self, fifo: Path, flags: int) -> int:
        """Open an end of *fifo* without waiting for the other; a program run from here lacks it.

        :raises OSError: With `errno.ENXIO`, nobody has it open for reading.
        """
        with self._lock:
            descriptor = os.open(fifo, flags | os.O_NONBLOCK)
            self._descriptors.add(descriptor)
        return descriptor

    def close(self, descriptor: int) -> bool:
        """Close an end; whether it was still open, and this process's own."""
        with self._lock:
            if descriptor not in self._descriptors:
                return False
            self._descriptors.remove(descriptor)
            os.close(descriptor)
        return True

    def _close_all(self) -> None:
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors.clear()
        self._lock.release()


_ends = _Ends()
open_end = _ends.open
close_end = _ends.close


def reader_is_gone(writer: int, timeout_s: float) -> bool:
    """Whether nobody has the FIFO open for reading, now or before *timeout_s* has passed."""
    poll = select.poll()
    poll.register(writer, 0)  # an error is reported unasked
    return bool(poll.poll(timeout_s * 1000))


def is_held(fifo: Path) -> bool:
    """Whether somebody has a writing end of the FIFO; the caller is the only one to join."""
    try:
        reader = open_end(fifo, os.O_RDONLY)
    except FileNotFoundError:  # somebody else has removed the folder
        return False
    try:
        return os.read(reader, 1) != b""
    except BlockingIOError:
        return True
    finally:
        close_end(reader)
