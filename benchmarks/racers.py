"""What the racers of `benchmarks.races` do: each of their processes imports this module."""

from __future__ import annotations

from pynenc.app import Pynenc


def read(app: Pynenc) -> None:
    """Read from the store once: what is measured is the race around it."""
    app.orchestrator.get_active_runners()
