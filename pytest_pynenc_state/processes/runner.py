"""Real runners on a test's app: started, ready by their heartbeat, stopped within bounds."""

from __future__ import annotations

import subprocess
import sys
import threading
import traceback
import uuid
import warnings
from abc import ABC, abstractmethod
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pynenc.runner.runner_context import RunnerContext

from pytest_pynenc_state.apps.pointing import touch_components
from pytest_pynenc_state.apps.recipe import AppRecipe
from pytest_pynenc_state.errors import ProcessLeaked, ProcessNotReady
from pytest_pynenc_state.processes import host
from pytest_pynenc_state.processes.client import PytestClientRunner, PytestThreadRunner, Watch
from pytest_pynenc_state.processes.output import Output
from pytest_pynenc_state.processes.stored_failures import StoredFailures
from pytest_pynenc_state.processes.tree import (
    described,
    gone_within,
    kill_session,
    session_members,
)
from pytest_pynenc_state.waiting import wait_until

if TYPE_CHECKING:
    from pynenc.app import Pynenc

    from pytest_pynenc_state.backends.backend import Backend
    from pytest_pynenc_state.processes.guarding import Guard

#: Runner kind to pynenc's class. The first one runs in threads of the test process.
RUNNER_CLASSES = {
    "thread": "ThreadRunner",
    "multi-thread": "MultiThreadRunner",
    "process": "ProcessRunner",
    "persistent-process": "PersistentProcessRunner",
}
IN_PROCESS_KIND = "thread"

# After a runner has ended, its helpers (a manager, a resource tracker) see their pipes
# close and end by themselves; nothing else is left that could take time.
_HELPERS_END_S = 2.0

# Hang guard: a thread runner only reads its configuration before it begins.
_BEGIN_S = 10.0


class Runner(ABC):
    """One runner that was started for a test."""

    def __init__(self, app: Pynenc, kind: str) -> None:
        self.app = app
        self.kind = kind
        self.runner_id = str(uuid.uuid4())

    @abstractmethod
    def start(self) -> None:
        """Start it; it need not be ready yet."""

    @abstractmethod
    def is_alive(self) -> bool:
        """Whether it still runs."""

    @abstractmethod
    def stop(self, timeout_s: float) -> None:
        """End it, and all that it started, within *timeout_s* and some; do nothing if it has.

        :raises ProcessLeaked: Something outlived it. Processes have been killed by now.
        """

    def why_not_ready(self) -> str:
        """What is known about a runner that gave no sign of life."""
        return ""

    def fate(self) -> str:
        """What became of a runner that is not alive."""
        return f"the {self.kind} runner has stopped"

    def wait_until_ready(self, timeout_s: float) -> None:
        """Return once the runner's heartbeat is in the store.

        :raises ProcessNotReady: It ended, or gave no sign of life before *timeout_s*.
        """
        wait_until(lambda: self._has_heartbeat() or not self.is_alive(), timeout_s)
        if self.is_alive() and self._has_heartbeat():
            return
        fate = f"gave no heartbeat within {timeout_s:g} s" if self.is_alive() else "ended at once"
        message = f"the {self.kind} runner {fate}\n{self.why_not_ready()}".rstrip()
        raise ProcessNotReady(message, "see its log above", "or raise --pynenc-timeout")

    def _has_heartbeat(self) -> bool:
        active = self.app.orchestrator.get_active_runners()
        return any(runner.runner_id == self.runner_id for runner in active)


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
            message = (
                f"the thread runner did not stop within {timeout_s:g} s; "
                f"a thread cannot be ended\n{_stacks()}"
            )
            raise ProcessLeaked(message, "let the task that is still running come to an end")


class HostedRunner(Runner):
    """A runner that starts processes, alone in a child process that leads a session."""

    def __init__(self, app: Pynenc, kind: str, recipe: AppRecipe, guard: Guard) -> None:
        super().__init__(app, kind)
        self.output = Output()
        self._recipe = recipe
        self._guard = guard
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process that runs the runner; also the id of the session of all it starts."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process and tell it what to run."""
        self._process = subprocess.Popen(
            host.COMMAND,
            stdin=subprocess.PIPE,
            stdout=self.output.fileno(),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._guard.watch(self._process.pid)
        assert self._process.stdin is not None
        order = host.Order(self._recipe, RUNNER_CLASSES[self.kind], self.runner_id)
        host.send(order, self._process.stdin)

    def is_alive(self) -> bool:
        """Whether the process that runs the runner still does."""
        return self._process is not None and self._process.poll() is None

    def why_not_ready(self) -> str:
        """What it printed."""
        return self.output.tail()

    def fate(self) -> str:
        """How its process ended."""
        if self._process is None:
            return super().fate()
        return f"the {self.kind} runner, pid {self.pid}, ended with {self._process.poll()}"

    def stop(self, timeout_s: float) -> None:
        """Terminate the process, then kill what is left of its session."""
        if self._process is None:
            self.output.close()
            return
        # One that was killed could not end its helpers; that is no leak of the test's.
        had_ended = not self.is_alive()
        process, self._process = self._process, None
        process.terminate()
        try:
            process.wait(timeout_s)
            gone_within(process.pid, 0 if had_ended else _HELPERS_END_S)
            outcome = "outlived it"
        except subprocess.TimeoutExpired:
            outcome = f"outlived its test, which gave it {timeout_s:g} s,"
        survivors = [] if had_ended else session_members(process.pid)
        names = described(survivors)
        kill_session(process.pid, timeout_s)
        process.wait(timeout_s)
        self._guard.forget(process.pid)
        self.output.close()
        if survivors:
            message = (
                f"processes of the {self.kind} runner {outcome} and were killed:\n"
                f"{names}\n{self.output.tail()}"
            )
            raise ProcessLeaked(message, "let the tasks that are still running come to an end")


@dataclass
class RunnerControl:
    """The runners of one test: what the fixture ``pynenc_runner`` returns.

    :param kind: The kind that `start` starts.
    :param runners: Those that were started, also those already stopped.
    """

    app: Pynenc
    kind: str
    backend: Backend
    app_path: str | None
    guard: Guard
    timeout_s: float
    runners: list[Runner] = field(default_factory=list)
    _failures: StoredFailures = field(default_factory=StoredFailures)

    def start(self, count: int = 1) -> list[Runner]:
        """Start *count* more runners on the same queue, and return them once all are ready.

        :raises NotShared: The kind needs other processes, which would not see the state.
        :raises ProcessNotReady: One gave no sign of life before the timeout.
        """
        if self.kind != IN_PROCESS_KIND:
            self.backend.require_shared(f"the {self.kind} runner")
        touch_components(self.app)
        started = [self._new() for _ in range(count)]
        self.runners += started
        if self.kind == IN_PROCESS_KIND:
            self._failures.install()
        else:
            self.app.runner = PytestClientRunner(self.app)
        # A runner of one of the two classes that look at it: the line above, or `_new`.
        self.app.runner.watch = Watch(self.timeout_s, self._why_hopeless)  # type: ignore[attr-defined]
        for runner in started:
            runner.start()
        for runner in started:
            runner.wait_until_ready(self.timeout_s)
        return started

    def stop(self) -> None:
        """Stop all runners, in the order they were started.

        :raises ProcessLeaked: Something outlived one of them; all have been stopped.
        """
        # Each is called, whatever another one raises; the last one pushed is the first.
        with ExitStack() as stack:
            stack.callback(self._failures.remove)
            for runner in reversed(self.runners):
                stack.callback(runner.stop, self.timeout_s)

    def _why_hopeless(self) -> str:
        if any(runner.is_alive() for runner in self.runners):
            return ""
        fates = "; ".join(runner.fate() for runner in self.runners)
        return f"no runner is alive ({fates})\n{self.logs()}".rstrip()

    def logs(self) -> str:
        """What the runners in other processes printed last."""
        hosted = [runner for runner in self.runners if isinstance(runner, HostedRunner)]
        return "\n".join(filter(None, (runner.output.tail() for runner in hosted)))

    def _new(self) -> Runner:
        if self.kind == IN_PROCESS_KIND:
            return ThreadedRunner(self.app)
        recipe = AppRecipe.of(self.app, self.app_path, self.backend.modules)
        return HostedRunner(self.app, self.kind, recipe, self.guard)


def _stacks() -> str:
    """Where every other thread is."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return "\n".join(
        f"thread {names.get(ident, ident)}:\n{''.join(traceback.format_stack(frame))}"
        for ident, frame in sys._current_frames().items()
        if ident != threading.get_ident()
    )
