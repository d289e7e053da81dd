"""Waiting for a condition until a deadline: the one place that sleeps between two looks."""

from __future__ import annotations

import time
from collections.abc import Callable

# A condition in another process is looked at after this pause, then after longer ones.
_FIRST_PAUSE_S = 0.001
_LONGEST_PAUSE_S = 0.05


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Return True as soon as *condition* holds, or False once *timeout_s* has passed."""
    deadline_s = time.monotonic() + timeout_s
    pause_s = _FIRST_PAUSE_S
    while not condition():
        if time.monotonic() >= deadline_s:
            return False
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
    return True
