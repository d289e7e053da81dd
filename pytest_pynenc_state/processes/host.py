"""The child process that a runner lives in: alone, in the main thread, as in production.

Because nothing else runs here, a runner may fork without finding a lock taken, replace
signal handlers and set the start method without disturbing pytest.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import pickle
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pytest_pynenc_state.apps.recipe import AppRecipe
from pytest_pynenc_state.processes.serving import STACK_SIGNAL
from pytest_pynenc_state.processes.terminable import let_forks_be_terminated

#: What a child runs: without a file as its main module, so that what it spawns in turn
#: does not import it again.
COMMAND = (sys.executable, "-u", "-c", f"from {__name__} import main; main()")


# Their workers handle SIGTERM themselves, as soon as they have come so far.
_OF_LASTING_WORKERS = ("MultiThreadRunner", "PersistentProcessRunner")

# How long a worker that has done its task may take to end when its runner is stopped.
_ENDING_S = 2.0


@dataclass(frozen=True)
class Order:
    """What a host is told to run.

    :param sockets: A folder for those of multiprocessing, which the guard removes.
    """

    recipe: AppRecipe
    runner_class: str
    runner_id: str
    sockets: str


def send(order: Order, stream: IO[bytes]) -> None:
    """Write *order* for the `main` of a child."""
    # First the path: the order itself may refer to classes that only it leads to.
    pickle.dump(sys.path, stream)
    pickle.dump(order, stream)
    stream.close()


def main() -> None:
    """Read an order from standard input and run its runner until SIGTERM or SIGINT."""
    # Of workers, too, that the runner forks.
    faulthandler.register(STACK_SIGNAL)
    sys.path[:] = pickle.load(sys.stdin.buffer)  # noqa: S301 - our parent wrote it
    order: Order = pickle.load(sys.stdin.buffer)  # noqa: S301 - our parent wrote it
    # By itself it would make a folder, and nobody would remove that if this process is killed.
    multiprocessing.current_process()._config["tempdir"] = order.sockets  # type: ignore[attr-defined]
    if order.runner_class in _OF_LASTING_WORKERS:
        let_forks_be_terminated()
    # Nothing below is to wait for, or inherit, the parent's end of the pipe.
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    run(order)


def run(order: Order) -> None:
    """Build the app and run its runner; returns when the runner was stopped."""
    from pynenc import runner as _  # noqa: F401 - defines the runner classes
    from pynenc.runner.base_runner import BaseRunner
    from pynenc.runner.runner_context import RunnerContext
    from pynenc.util.subclasses import get_subclass

    from pytest_pynenc_state.apps.pointing import touch_components

    app = order.recipe.build()
    if order.recipe.path is None:
        # Workers that the runner spawns build the app from its values alone, which a
        # pyproject.toml would beat; this process has one app only.
        os.environ["PYNENC__APP_ID"] = order.recipe.app_id
    touch_components(app)
    runner_class = get_subclass(BaseRunner, order.runner_class)  # type: ignore[type-abstract]
    runner = runner_class(app, runner_context=RunnerContext(order.runner_class, order.runner_id))
    if order.runner_class == "ProcessRunner":
        _let_workers_end(runner)
    runner.run()


def _let_workers_end(runner: Any) -> None:
    """Let *runner*, which kills all its workers when it stops, wait for those that are done.

    A worker stores the result of its task, and ends a moment later: what it writes then, like a
    measurement of coverage, would be lost.
    """
    stop = runner._on_stop

    def stop_after_them() -> None:
        workers = {each.invocation_id: each.process for each in runner.child_runner_ids.values()}
        try:
            for invocation_id in runner.app.orchestrator.filter_final([*workers]):
                workers[invocation_id].join(_ENDING_S)
        finally:
            stop()

    runner._on_stop = stop_after_them
