"""A runner in threads of the test process."""

from __future__ import annotations

import threading
import warnings
from typing import TYPE_CHECKING

from pynenc.runner.runner_context import RunnerContext

from pytest_pynenc_state.errors import ProcessLeaked
from pytest_pynenc_state.processes.base_runner import IN_PROCESS_KIND, RUNNER_CLASSES, Runner
from pytest_pynenc_state.processes.client import PytestThreadRunner
from pytest_pynenc_state.processes.threads import name_all
from pytest_pynenc_state.waiting import wait_until

if TYPE_CHECKING:
    from pynenc.app import Pynenc

# Hang guard: a thread runner only reads its configuration before it begins.
_BEGIN_S = 10.0


class ThreadedRunner(Runner):
    """pynenc's ThreadRunner, run by a thread of this process."""

    def __init__(self, app: Pynenc) -> None:
        super().__init__(app, IN_PROCESS_KIND)
        context = RunnerContext(RUNNER_CLASSES[self.kind], self.runner_id)
        # From now on it is the app's runner, also for the thread that waits for results.
        self._runner = PytestThreadRunner(app, runner_context=context)
        self._thread = threading.Thread(
            target=self._runner.run, name=f"pynenc-runner-{self.runner_id}", daemon=True
        )
        self._others = set(threading.enumerate())

    def start(self) -> None:
        """Start the thread."""
        with warnings.catch_warnings():
            # Where warnings are errors, this one would end the runner before it begins.
            warnings.filterwarnings("ignore", message="Running in a secondary thread")
            self._thread.start()
            wait_until(lambda: self._runner.running or not self.is_alive(), _BEGIN_S)

    def is_alive(self) -> bool:
        """Whether the thread still runs."""
        return self._thread.is_alive()

    def stop(self, timeout_s: float) -> None:
        """Stop the loop and join its threads; a thread that goes on cannot be ended."""
        if not self.is_alive():
            return
        self._runner.stop_runner_loop()
        self._thread.join(timeout_s)
        if self.is_alive():
            started = set(threading.enumerate()) - self._others
            message = (
                f"the thread runner did not stop within {timeout_s:g} s; a thread cannot be "
                f"ended\n{name_all(sorted(started, key=lambda thread: thread.name))}"
            )
            raise ProcessLeaked(message, "let the task that is still running come to an end")
