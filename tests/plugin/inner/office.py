"""The application under test of the inner runs."""

from __future__ import annotations

import multiprocessing.util
import os
import subprocess
import sys
import time
from pathlib import Path

from pynenc import Pynenc, context
from pynenc.trigger import TriggerBuilder

from pytest_pynenc_state.waiting import wait_until

# Hang guard: two runners that are ready only have to take what is there.
MEET_S = 30.0

app = Pynenc(config_values={"app_id": "office"})


@app.task
def add(first: int, second: int) -> int:
    """Return the sum."""
    return first + second


@app.task(triggers=TriggerBuilder().on_event("nobody_emits_this"))
def never() -> None:
    """Declare a trigger, which pynenc registers when a runner starts."""


@app.task
def process_id() -> int:
    """Return the process that runs tasks."""
    return os.getpid()


@app.task
def prints_arguments() -> bool:
    """Return what a boolean field of the app's configuration is where tasks run."""
    return app.conf.print_arguments


@app.task
def block(sign_of_life: str) -> None:
    """Say which process this is, and never end."""
    show_and_block(sign_of_life)


@app.task
def last_words(path: str) -> None:
    """Have the worker take its time when it ends, and then say so."""

    def speak() -> None:
        time.sleep(0.3)
        Path(path).touch()

    multiprocessing.util.Finalize(None, speak, exitpriority=0)


@app.task
def meet(folder: str) -> str:
    """Return the id of the runner that runs this, once another runner runs this, too."""
    runner_id = context.get_or_create_runner_context(app.app_id).root_runner_id
    Path(folder, runner_id).touch()
    assert wait_until(lambda: len(list(Path(folder).iterdir())) > 1, MEET_S)
    return runner_id


@app.task
def leave_daemon(sign_of_life: str) -> None:
    """Start a program that leaves its family, and never end."""
    subprocess.run([sys.executable, "daemon.py", sign_of_life], check=True)
    show_and_block(f"{sign_of_life}.worker")


def show_and_block(sign_of_life: str) -> None:
    """No task: calling one from a task would only queue it."""
    print("about to block", flush=True)  # noqa: T201 - for the log of the runner
    unfinished = Path(f"{sign_of_life}.unfinished")
    unfinished.write_text(str(os.getpid()))
    unfinished.rename(sign_of_life)
    while True:
        time.sleep(0.05)


@app.task
def leave_hermit(sign_of_life: str) -> int:
    """Start a process that outlives whoever runs this task, and return its id."""
    return subprocess.Popen([sys.executable, "hermit.py", sign_of_life]).pid
