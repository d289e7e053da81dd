"""The runners of one test: started, ready by their heartbeats, stopped within bounds."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from pytest_pynenc_state.apps.pointing import touch_components
from pytest_pynenc_state.apps.recipe import AppRecipe
from pytest_pynenc_state.errors import OptionsError
from pytest_pynenc_state.history.reading import wait_for_last_records
from pytest_pynenc_state.processes.base_runner import COMMAND_LINE_KIND, IN_PROCESS_KIND, Runner
from pytest_pynenc_state.processes.client import PytestClientRunner, Watch
from pytest_pynenc_state.processes.command_line_runner import CommandLineRunner
from pytest_pynenc_state.processes.hosted_runner import HostedRunner
from pytest_pynenc_state.processes.stored_failures import StoredFailures
from pytest_pynenc_state.processes.threaded_runner import ThreadedRunner

if TYPE_CHECKING:
    from pynenc.app import Pynenc

    from pytest_pynenc_state.backends.backend import Backend
    from pytest_pynenc_state.processes.guarding import Guard


@dataclass(repr=False)
class RunnerControl:
    """The runners of one test: what the fixture ``pynenc_runner`` returns.

    :param kind: The kind that `start` starts.
    :param lets_record: Whether those in other processes may still write the last records of what
        has ended before they are stopped: a history without one cannot be judged.
    :param runners: Those that were started, also those already stopped.
    :ivar cut_off_since: Since when one of them may have been ended in the middle of its work:
        since the first stop, or since one was made that has died; None if there was no such.
    """

    app: Pynenc
    kind: str
    backend: Backend
    app_path: str | None
    guard: Guard
    timeout_s: float
    lets_record: bool = False
    runners: list[Runner] = field(default_factory=list)
    cut_off_since: datetime | None = field(default=None, init=False)
    _failures: StoredFailures = field(default_factory=StoredFailures)

    def __repr__(self) -> str:
        return f"<RunnerControl: {len(self.runners)} of kind {self.kind}>"

    def start(self, count: int = 1) -> list[Runner]:
        """Start *count* more runners on the same queue, and return them once all are ready.

        :raises OptionsError: *count* is no number of runners.
        :raises NotShared: The kind needs other processes, which would not see the state.
        :raises ProcessNotReady: One gave no sign of life before the timeout.
        :raises AppError: The command line is to run an app that it would not find.
        """
        if not isinstance(count, int) or count < 1:
            message = f"pynenc_runner.start: expected how many runners, got {count!r}"
            raise OptionsError(message, "one or more, as a number")
        if self.kind != IN_PROCESS_KIND:
            self.backend.require_shared(f"the {self.kind} runner")
        # Also threads run tasks, which may start processes.
        self.guard.start()
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
            stack.callback(self._note_cut_off)

    def _note_cut_off(self) -> None:
        elsewhere = [runner for runner in self.runners if runner.kind != IN_PROCESS_KIND]
        moments = [runner.made_at for runner in elsewhere if runner.has_died()]
        if self.lets_record and any(runner.is_alive() for runner in elsewhere):
            moments.append(wait_for_last_records(self.app))
        if self.cut_off_since:
            moments.append(self.cut_off_since)
        self.cut_off_since = min(moments, default=None)

    def run_here(self) -> bool:
        """Whether one of them runs tasks in this process."""
        return any(runner.kind == IN_PROCESS_KIND and runner.is_alive() for runner in self.runners)

    def _why_hopeless(self) -> str:
        if any(runner.is_alive() for runner in self.runners):
            return ""
        fates = "; ".join(runner.fate() for runner in self.runners)
        return f"no runner is alive ({fates})\n{self.logs()}".rstrip()

    def logs(self) -> str:
        """What the runners in other processes printed last."""
        return "\n".join(filter(None, (runner.log() for runner in self.runners)))

    def _new(self) -> Runner:
        if self.kind == IN_PROCESS_KIND:
            return ThreadedRunner(self.app)
        if self.kind == COMMAND_LINE_KIND:
            return CommandLineRunner(self.app, self.app_path, self.guard, self.timeout_s)
        recipe = AppRecipe.of(self.app, self.app_path, self.backend.modules)
        return HostedRunner(self.app, self.kind, recipe, self.guard)
