"""Whether a process lives."""

from __future__ import annotations

import psutil


def lives(pid: int) -> bool:
    """Whether the process exists, and is more than an entry that nobody has asked for yet."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
