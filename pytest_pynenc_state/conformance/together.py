"""Starting several workers at one instant, and having all their outcomes."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Outcome = TypeVar("Outcome")

# A hang guard, not a requirement: workers are done in a fraction of it.
HANG_GUARD_S = 30.0

_STRETCH = 10


def in_threads(workers: Sequence[Callable[[], Outcome]]) -> list[Outcome]:
    """Run each worker in a thread of its own, all released by one barrier.

    :returns: What they returned, in their order.
    :raises Exception: What the first of them raised that raised at all.
    """
    barrier = threading.Barrier(len(workers))

    def released(worker: Callable[[], Outcome]) -> Outcome:
        barrier.wait(HANG_GUARD_S)
        return worker()

    with ThreadPoolExecutor(len(workers)) as pool:
        futures = [pool.submit(released, worker) for worker in workers]
        return [future.result(HANG_GUARD_S) for future in futures]


@contextmanager
def eager_switching() -> Iterator[None]:
    """Let threads take turns so often that a race that is possible also happens."""
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(usual_s)


def for_a_while(action: Callable[[], object], duration_s: float, least: int = 1) -> int:
    """Do something at least so many times, and on for a while; return how often.

    :param duration_s: How long, in this process's own processor time: on a busy machine, that is
        longer by the clock. It is no longer than `_STRETCH` times that for who waits for a server.
    """
    count = 0
    end_s, latest_s = time.process_time() + duration_s, time.monotonic() + _STRETCH * duration_s
    while count < least or (time.process_time() < end_s and time.monotonic() < latest_s):
        action()
        count += 1
    return count
