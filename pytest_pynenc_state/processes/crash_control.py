"""Crash points: what the fixture ``pynenc_crash`` gives to a test."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pytest_pynenc_state.errors import CrashRefused, PathError
from pytest_pynenc_state.history.status_machine import status_named
from pytest_pynenc_state.option_values import near_match
from pytest_pynenc_state.processes.crash import Crash
from pytest_pynenc_state.processes.crash_delay import (
    IN_OTHER_PROCESSES,
    Delay,
    HasPid,
    is_range,
    pid_of,
)
from pytest_pynenc_state.processes.crash_files import (
    CRASHES_VARIABLE,
    SIGNALS,
    Action,
    CrashFolder,
    Point,
)
from pytest_pynenc_state.processes.crash_methods import (
    TaskOrKey,
    found_method,
    is_about_invocations,
    key_of,
)
from pytest_pynenc_state.processes.surroundings import variable_set

if TYPE_CHECKING:
    from pytest_pynenc_state.backends.backend import Backend
    from pytest_pynenc_state.processes.runner import RunnerControl


class CrashControl:
    """The crashes of one test: what the fixture ``pynenc_crash`` returns.

    Each method arranges one, which happens to one process, once: to whichever process of the
    test comes to the point first. That may be a child, a racer, a worker or a runner, but never
    the pytest process. What may come by must have been started after this.

    :ivar runs_here: Whether a runner runs tasks in the pytest process.
    """

    def __init__(self, folder: CrashFolder, timeout_s: float, seed: int) -> None:
        self.runs_here: Callable[[], bool] = lambda: False
        self._folder = folder
        self._timeout_s = timeout_s
        self._seed = seed
        self._points: list[Point] = []
        self._crashes: list[Crash] = []
        self._delays: list[Delay] = []

    def __repr__(self) -> str:
        return f"<CrashControl: {self._crashes or 'nothing arranged'}>"

    def when(
        self,
        status: str,
        *,
        task: TaskOrKey | None = None,
        nth: int = 1,
        action: Action = "kill",
        recorded: bool = True,
    ) -> Crash:
        """Crash the process that has just moved an invocation to *status*.

        :param task: Only an invocation of this task, or of the one with this key; else of any
            but those that pynenc has of its own.
        :param nth: The how manieth invocation to which that happens, in all processes together.
            Those that come in one batch count each; all of them have the status then.
        :param recorded: Let it write the history record first. Otherwise the store has the
            status, and the history does not: such a test needs the marker
            ``pynenc_no_history_check``. So does code that moves a status without pynenc's
            ``set_invocation_status``, which writes no record.
        :raises CrashRefused: There is no such status, or the pytest process would be hit.
        """
        try:
            name = status_named(status).value
        except PathError as error:
            raise CrashRefused(error.message, *error.remedies) from None
        if recorded:
            calls = ("state_backend", ("add_history", "add_histories"), "after")
        else:
            moving = ("_atomic_status_transition", "_register_new_invocations")
            calls = ("orchestrator", moving, "after")
        where = f"when({name!r}{'' if recorded else ', recorded=False'})"
        return self._armed(self._point(where, calls, task, nth, action, status=name))

    def before(
        self,
        method: str,
        *,
        task: TaskOrKey | None = None,
        nth: int = 1,
        action: Action = "kill",
    ) -> Crash:
        """Crash the process that is about to call *method*.

        :param method: One that pynenc's orchestrator, state backend or broker has, like
            ``"set_invocation_result"``; with its component, ``"state_backend.purge"``, where two
            of them have it.
        :param task: As of `when`; only of methods that have an invocation as argument. A call that
            is given none is not meant then.
        :param nth: The how manieth call, in all processes together.
        :raises CrashRefused: There is no such method, or the pytest process would be hit.
        """
        return self._around("before", method, task, nth, action)

    def after(
        self,
        method: str,
        *,
        task: TaskOrKey | None = None,
        nth: int = 1,
        action: Action = "kill",
    ) -> Crash:
        """Crash the process to which *method* has just returned, without an error; as `before`."""
        return self._around("after", method, task, nth, action)

    def at_random(
        self,
        process: HasPid | RunnerControl | int,
        *,
        within_s: tuple[float, float] = (0.0, 0.5),
        action: Action = "kill",
    ) -> Crash:
        """Crash *process* from outside, after a delay.

        :param process: A runner, or ``pynenc_runner`` if it has one that is alive; a child, or the
            id of one of their workers.
        :param within_s: The shortest and the longest delay in seconds. The seed of the run,
            ``--pynenc-seed``, decides on the delay.
        :raises CrashRefused: It is no process that the test has started, or not one alone; or
            *within_s* is no such pair.
        """
        pid = pid_of(process)
        name = f"at_random({pid}, within_s={within_s!r})"
        if not is_range(within_s):
            message = f"{name}: expected the shortest delay, then the longest, in seconds"
            raise CrashRefused(message, "like within_s=(0.0, 0.5)")
        point = self._point(name, ("", (), ""), action=action)
        choice = random.Random(f"{self._seed}-{point.number}")  # noqa: S311 - no cryptography
        delay_s = choice.uniform(*within_s)
        self._delays.append(Delay(point, self._folder, pid, delay_s))
        return self._crash(point)

    def has_killed(self, pid: int) -> bool:
        """Whether one of the crashes has killed this process, or is about to."""
        hits = [crash.hit for crash in self._crashes]
        return any(hit is not None and (hit.pid, hit.action) == (pid, "kill") for hit in hits)

    def resume(self) -> None:
        """Let all processes go on that were paused."""
        for crash in self._crashes:
            crash.resume()

    def close(self) -> None:
        """Let nothing more happen, and all go on that was paused."""
        for delay in self._delays:
            delay.cancel()
        self._folder.arm([])
        self.resume()

    def _around(
        self, moment: str, method: str, task: TaskOrKey | None, nth: int, action: Action
    ) -> Crash:
        where = f"{moment}({method!r})"
        component, name = found_method(where, method)
        if task is not None and not is_about_invocations(component, name):
            message = f"{where}: no invocation is an argument of {component}.{name}"
            raise CrashRefused(message, "leave out task")
        return self._armed(self._point(where, (component, (name,), moment), task, nth, action))

    def _point(
        self,
        where: str,
        calls: tuple[str, tuple[str, ...], str],
        task: TaskOrKey | None = None,
        nth: int = 1,
        action: Action = "kill",
        *,
        status: str | None = None,
    ) -> Point:
        if action not in SIGNALS:
            message = f"{where}: there is no action {action!r}"
            raise CrashRefused(message, near_match(str(action), list(SIGNALS)))
        if type(nth) is not int or nth < 1:
            message = f"{where}: nth is a whole number from 1 on; got {nth!r}"
            raise CrashRefused(message, "leave it out for the first time")
        key = None if task is None else key_of(where, task)
        details = [f"task {key}"] * (key is not None) + [f"no. {nth}"] * (nth > 1)
        name = ", ".join([where, *details])
        component, methods, moment = calls
        number = len(self._crashes) + 1
        return Point(number, name, component, methods, moment, status, key, nth, action)

    def _armed(self, point: Point) -> Crash:
        if self.runs_here():
            message = (
                f"{point.name}: a runner in the pytest process runs the tasks of this test, and "
                "the pytest process is never hit"
            )
            raise CrashRefused(message, IN_OTHER_PROCESSES)
        self._points.append(point)
        self._folder.arm(self._points)
        return self._crash(point)

    def _crash(self, point: Point) -> Crash:
        crash = Crash(point, self._folder, self._timeout_s, self._has_runner_here)
        self._crashes.append(crash)
        return crash

    def _has_runner_here(self) -> bool:
        return self.runs_here()


@contextmanager
def crash_control_of(
    backend: Backend, timeout_s: float, seed: int, parent: str | None = None
) -> Iterator[CrashControl]:
    """Have the processes that are started from now on look for crash points.

    Afterwards nothing of it is left, and whatever was paused goes on.

    :param seed: Decides on random delays.
    :param parent: The folder for what processes tell each other; by default that of the system.
    :raises NotShared: The backend's state lives in one process.
    """
    backend.require_shared("pynenc_crash")
    with TemporaryDirectory(dir=parent) as directory:
        control = CrashControl(CrashFolder(Path(directory)), timeout_s, seed)
        with variable_set(CRASHES_VARIABLE, f"{os.getpid()}:{directory}"):
            try:
                yield control
            finally:
                control.close()
