"""`Child`: one function that runs in another process; `Children`: all those of a test."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from pytest_pynenc_state.errors import ProcessDied, ProcessLeaked, ProcessTimeout
from pytest_pynenc_state.processes.calling import Done, check_runs, name_of, packed_call
from pytest_pynenc_state.processes.child_process import ChildProcess, answers
from pytest_pynenc_state.processes.guarding import Guard
from pytest_pynenc_state.processes.serving import Call, End
from pytest_pynenc_state.processes.spawning import ForkServer, Method
from pytest_pynenc_state.processes.tree import described, session_members
from pytest_pynenc_state.processes.visiting import Destination
from pytest_pynenc_state.waiting import wait_until

# How long children that nobody waited for, and what they have started, may take to end after
# the test: they may have done their work, and be about to. A child starts in a tenth of it.
_GRACE_S = 5.0


class Child:
    """A process that calls one function with the app of the test, and then ends.

    :ivar pid: The process's id, and that of the session it leads.
    """

    def __init__(self, process: ChildProcess, name: str, timeout_s: float) -> None:
        self.pid = process.pid
        self._process = process
        self._name = name
        self._timeout_s = timeout_s
        self._outcome: Done | None = None
        self._is_asked = False
        self._is_closed = False
        # The test has ended or stopped it, or has been told that it does not answer.
        self._is_accounted_for = False

    def __repr__(self) -> str:
        state = "running" if self.is_alive() else "ended"
        return f"<Child {self._name}, pid {self.pid}, {'paused' if self._is_paused else state}>"

    @property
    def stdout(self) -> str:
        """What it has printed so far; after the test, the last lines."""
        return self._process.stdout.text()

    @property
    def stderr(self) -> str:
        """What it has printed to standard error so far; after the test, the last lines."""
        return self._process.stderr.text()

    def log(self) -> str:
        """What it printed last, with a heading; nothing if it printed nothing."""
        text = self._process.printed()
        return f"{self!r}:\n{text}" if text else ""

    def result(self, timeout_s: float | None = None) -> Any:
        """Return what the function returned, as soon as it has; asked again, return it again.

        :param timeout_s: How long to wait; by default ``--pynenc-timeout``.
        :raises Exception: What the function raised, with a note that has its traceback there.
        :raises ProcessDied: The child ended without an answer; the message says how.
        :raises ProcessTimeout: It has not answered yet, or not all of its answer has come; the
            message says where it is. It can be asked again.
        :raises NotSendable: What was returned or raised cannot be pickled.
        """
        try:
            outcome = self._awaited(self._timeout_s if timeout_s is None else timeout_s)
        except ProcessTimeout:
            self._is_accounted_for = True
            raise
        self._is_asked = True
        if outcome.error is not None:
            raise outcome.error
        return outcome.value

    def is_alive(self) -> bool:
        """Whether the process has not ended; one that is paused is alive."""
        return self._process.is_alive()

    def kill(self) -> None:
        """Kill it (-9), and the children it has started, and return once it has ended."""
        self._is_accounted_for = True
        self._process.kill()

    def terminate(self) -> None:
        """Ask it to end (SIGTERM); do nothing if it has. It need not have ended on return."""
        self._is_accounted_for = True
        self._process.signal(signal.SIGTERM)

    def pause(self) -> None:
        """Stop it (SIGSTOP), and return once it is stopped. Its children go on."""
        self._process.pause()

    def resume(self) -> None:
        """Let it go on (SIGCONT) after `pause`."""
        self._process.resume()

    def close(self, deadline_s: float, *, was_crashed: Callable[[int], bool]) -> None:
        """End the process and all it has started; do nothing if that was done.

        :param deadline_s: Until when it may come to its end, by `time.monotonic`.
        :param was_crashed: Whether the test had the process with this id killed.
        :raises Exception: What `result` would have raised, if nobody asked for it.
        :raises ProcessLeaked: It was still running; see `Children.close`.
        """
        if self._is_closed:
            return
        self._is_closed = True
        with ExitStack() as stack:
            stack.callback(self._process.dispose)
            if not self._is_accounted_for and not self._is_paused:
                self._check(deadline_s, was_crashed)

    def _check(self, deadline_s: float, was_crashed: Callable[[int], bool]) -> None:
        try:
            outcome = self._awaited(deadline_s - time.monotonic())
        except ProcessTimeout as error:
            outcome = Done(None, _outlived(error), 0, 0)
        if isinstance(outcome.error, ProcessDied) and was_crashed(self.pid):
            return
        if outcome.error is not None and not self._is_asked:
            raise outcome.error
        if not isinstance(outcome.error, ProcessDied | ProcessLeaked):
            self._check_session(deadline_s)

    def _check_session(self, deadline_s: float) -> None:
        """Refuse what the function has left behind, though it has returned."""
        if wait_until(self._has_ended, deadline_s - time.monotonic()):
            return
        survivors = described(session_members(self.pid))
        message = (
            f"processes of {self._name} in child process {self.pid} outlived their test "
            f"and were killed:\n{survivors}"
        )
        raise _leak(message)

    def _has_ended(self) -> bool:
        return not self.is_alive() and not session_members(self.pid)

    @property
    def _is_paused(self) -> bool:
        return self.is_alive() and self._process.is_paused

    def _awaited(self, timeout_s: float) -> Done:
        if self._outcome is None:
            try:
                [(_, answer)] = answers({self._process: self._name}, timeout_s)
                self._outcome = answer.unpacked()
            except ProcessDied as error:
                self._outcome = Done(None, error, 0, 0)
        return self._outcome


def _outlived(late: ProcessTimeout) -> ProcessLeaked:
    _, _, where = late.message.partition("\n")
    return _leak(f"a child outlived its test and was killed: {where}")


def _leak(message: str) -> ProcessLeaked:
    return ProcessLeaked(message, "wait for its result(), or end it with kill() or terminate()")


class Children:
    """What the fixture ``pynenc_process`` returns: a function that starts children.

    :ivar was_crashed: Whether the test had the process with this id killed at a crash point.
    """

    def __init__(self, destination: Destination, guard: Guard, timeout_s: float) -> None:
        self.was_crashed: Callable[[int], bool] = lambda _: False
        self._destination = destination
        self._guard = guard
        self._timeout_s = timeout_s
        self._children: list[Child] = []
        self._fork_server: ForkServer | None = None

    def __repr__(self) -> str:
        return f"<Children: {self._children or 'none'}>"

    def __call__(self, function: Callable[..., Any], *args: Any, method: Method = "spawn") -> Child:
        """Start a process that calls ``function(app, *args)``, and return it at once.

        The app is that of the test, on the same place; it is built there from plain data.

        :param function: It must be importable: at the top level of a module.
        :param args: They, and what the function returns, must be picklable.
        :param method: A fresh interpreter; or a fork by multiprocessing's fork server, or of
            this process, which gets neither its app nor its connections.
        :raises NotShared: The backend's state lives in one process.
        :raises NotSendable: The function or an argument cannot go to another process.
        :raises OptionsError: There is no such method; or the function is a coroutine function or
            a generator function, of which nothing would run.
        :raises ProcessError: The working directory has been removed.
        """
        self._destination.backend.require_shared("pynenc_process")
        check_runs("pynenc_process", function)
        call = Call(self._destination.visit(), packed_call(function, args))
        if method == "forkserver" and self._fork_server is None:
            self._fork_server = ForkServer()
        process = ChildProcess(self._guard, method)
        child = Child(process, name_of(function), self._timeout_s)
        self._children.append(child)
        process.send(call, End())
        return child

    def logs(self) -> str:
        """What the children printed last."""
        return "\n".join(log for child in self._children if (log := child.log()))

    def close(self) -> None:
        """End all children, and what they have started, when the test ends.

        One that the test has killed, terminated or paused, or whose `Child.result` has timed
        out, is killed, and that is all; so it is if a crash point has killed it. All others get
        five seconds to come to their end; what a function raised, if the test has not asked for
        its result, is then raised here.

        :raises ProcessLeaked: One was still running after that time, or a process that it
            had started. All have been killed.
        :raises BaseExceptionGroup: What is to be raised of several children.
        """
        deadline_s = time.monotonic() + _GRACE_S
        errors = []
        for child in self._children:
            try:
                child.close(deadline_s, was_crashed=self.was_crashed)
            except BaseException as error:  # noqa: BLE001 - raised below, when all are closed
                errors.append(error)
        if self._fork_server is not None:
            self._fork_server.stop()
        if len(errors) == 1:
            raise errors[0]
        if errors:
            message = "several children of the test did not come to a good end"
            raise BaseExceptionGroup(message, errors)
