"""Waiting for what a runner does, with a deadline.

``invocation.result`` and ``pynenc_history(invocation).wait_for(...)`` need no help: the plugin
bounds them by ``--pynenc-timeout``. This is for everything else.
"""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], what: str, within_s: float = 30.0) -> None:
    """Ask *condition* until it is true, or fail and say *what* did not happen."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {within_s:g} s in vain: {what}"
        time.sleep(0.01)
