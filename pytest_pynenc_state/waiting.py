"""Waiting for a condition until a deadline: the one place that sleeps between two looks."""

from __future__ import annotations

import time
from collections.abc import Callable

# A condition in another process is looked at after this pause, then after longer ones.
_FIRST_PAUSE_S = 0.001
_LONGEST_PAUSE_S = 0.05

# The kernel may wake a sleeper that much too late; the rest is waited for awake.
_OVERSLEEP_NS = 100_000


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


def wait_for_instant(instant_ns: int) -> None:
    """Return at an instant of `time.monotonic_ns`, within microseconds if a core is free.

    That clock is the same for all processes of the machine. Return at once if it is over.
    """
    asleep_ns = instant_ns - time.monotonic_ns() - _OVERSLEEP_NS
    if asleep_ns > 0:
        time.sleep(asleep_ns / 1e9)
    while time.monotonic_ns() < instant_ns:
        time.sleep(0)  # lets other threads of this process look at the clock, too
