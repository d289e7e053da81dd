"""Starting several workers at one instant, and having all their outcomes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Outcome = TypeVar("Outcome")

# A hang guard, not a requirement: workers are done in a fraction of it.
HANG_GUARD_S = 30.0


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
