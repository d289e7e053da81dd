"""Plain functions, for tests that make tasks of them."""

from __future__ import annotations

import os


def greet(name: str) -> str:
    """Return a greeting."""
    return f"hello {name}"


def who() -> int:
    """Return the process that runs it."""
    return os.getpid()
