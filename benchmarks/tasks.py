"""The application of `benchmarks.runs`: each worker imports this module."""

from __future__ import annotations

from pynenc import Pynenc

app = Pynenc()


@app.task
def add(left: int, right: int) -> int:
    """Return the sum."""
    return left + right
