"""What children and racers do, in a module of the application's tests."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from pytest_pynenc_state.waiting import wait_until


def who(app):  # noqa: ANN001, ANN201
    """Return who I am, and which app I have."""
    return os.getpid(), app.app_id


def speak(_):  # noqa: ANN001, ANN201
    """Print."""
    print("a word from elsewhere", flush=True)  # noqa: T201


def fail(_):  # noqa: ANN001, ANN201
    """Raise."""
    message = "wrong elsewhere"
    raise ValueError(message)


def count(app, told=os.devnull):  # noqa: ANN001, ANN201
    """Ask the store for something, and say that it has answered."""
    app.orchestrator.count_invocations()
    Path(told).write_text("yes")


def stay(_, sign_of_life):  # noqa: ANN001, ANN201
    """Say which process this is, and never end, whatever signal asks for it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    unfinished = Path(f"{sign_of_life}.unfinished")
    unfinished.write_text(str(os.getpid()))
    unfinished.rename(sign_of_life)
    wait_until(lambda: False, 3600.0)
