"""A child process as its parent sees it: requests, answers in bounded time, signals, its end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from multiprocessing import connection
from typing import Any

import psutil

from pytest_pynenc_state.errors import ProcessDied, ProcessTimeout
from pytest_pynenc_state.processes.answering import Inbox
from pytest_pynenc_state.processes.calling import Answer
from pytest_pynenc_state.processes.guarding import Guard
from pytest_pynenc_state.processes.output import Output
from pytest_pynenc_state.processes.serving import STACK_SIGNAL
from pytest_pynenc_state.processes.spawning import Method, start
from pytest_pynenc_state.processes.tree import kill_session
from pytest_pynenc_state.waiting import wait_until

# A child that dies closes its end, unless it has left a child of its own that holds it, too:
# so that is looked at in between.
_LOOK_S = 0.02

# Hang guards: the kernel needs microseconds to stop or to end a process, unless it is asleep.
_KERNEL_S = 10.0

# A stack is printed within milliseconds, if the child has a processor.
_STACK_S = 1.0


class ChildProcess:
    """A process that was started for tests; it leads a session of its own.

    :ivar stdout: What it has printed to its standard output.
    :ivar stderr: The same of its standard error.
    :ivar inbox: Its answers.
    """

    def __init__(self, guard: Guard, method: Method = "spawn") -> None:
        self.stdout = Output()
        self.stderr = Output()
        self._guard = guard
        try:
            self._process, self.connection = start(method, self.stdout, self.stderr)
        except BaseException:
            self.stdout.close()
            self.stderr.close()
            raise
        self.inbox = Inbox(self.connection)
        self.pid = self._process.pid
        guard.watch(self.pid)

    def is_alive(self) -> bool:
        """Whether it has not ended; one that is paused is alive."""
        return self.exit_code is None

    @property
    def exit_code(self) -> int | None:
        """How it ended: its code, or the negative number of a signal; None while it lives."""
        return self._process.exit_code()

    @property
    def is_paused(self) -> bool:
        """Whether it is stopped, and can be resumed."""
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self.pid).status() == psutil.STATUS_STOPPED
        return False

    def send(self, *requests: object) -> None:
        """Send requests; that it has died is found out by whoever waits for the answers."""
        with suppress(ConnectionError):
            for request in requests:
                self.connection.send(request)

    def signal(self, number: int) -> None:
        """Send a signal to the process alone; do nothing if it has ended."""
        if self.is_alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def pause(self) -> None:
        """Stop the process alone, and return once it is stopped, or has ended."""
        self.signal(signal.SIGSTOP)
        wait_until(lambda: self.is_paused or not self.is_alive(), _KERNEL_S)

    def resume(self) -> None:
        """Let it go on."""
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill (-9) the process and the children that are still in its group; return then."""
        if not self.is_alive():
            return
        self.signal(signal.SIGKILL)
        # Unless it was only about to lead a group.
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        wait_until(lambda: not self.is_alive(), _KERNEL_S)

    def dispose(self) -> None:
        """Kill what is left of its session, and forget it."""
        self.kill()
        kill_session(self.pid, _KERNEL_S)
        self._guard.forget(self.pid)
        for each in (self.connection, self.stdout, self.stderr):
            each.close()

    def printed(self) -> str:
        """What it printed last, to either of the two."""
        return "\n".join(filter(None, (self.stdout.tail(), self.stderr.tail())))

    def stacks(self) -> str:
        """Where each of its threads is, as far as it can tell."""
        if self.is_paused:
            return "it is paused"
        before = self.stderr.size
        self.signal(STACK_SIGNAL)
        seen = ""

        def is_complete() -> bool:
            nonlocal seen
            former, seen = seen, self.stderr.text(before)
            return bool(seen) and seen == former

        wait_until(is_complete, _STACK_S)
        return seen.rstrip() or "it does not tell where it is"


def answers(
    children: Mapping[ChildProcess, str], timeout_s: float
) -> Iterator[tuple[ChildProcess, Answer]]:
    """Yield the next answer of each child, in the order in which they come.

    :param children: Each child, and what it was asked to do, for messages.
    :param timeout_s: How long all of them may take together.
    :raises ProcessDied: One ended before it had answered.
    :raises ProcessTimeout: One has not answered in time. What has come of its answer is kept.
    """
    waiting = dict(children)
    deadline_s = time.monotonic() + timeout_s
    while waiting:
        for child in _speaking(list(waiting)):
            if answer := _received(child, waiting[child]):
                del waiting[child]
                yield child, answer
        if waiting and time.monotonic() >= deadline_s:
            raise _late(waiting, timeout_s)


def _speaking(children: Sequence[ChildProcess]) -> list[ChildProcess]:
    """Those that have something to say, or never will any more, as soon as there are any."""
    # Looked at first: what it said before it died can then be read below.
    dead = [child for child in children if not child.is_alive()]
    by_connection = {child.connection: child for child in children}
    ready: list[Any] = connection.wait(list(by_connection), 0.0 if dead else _LOOK_S)
    return list(dict.fromkeys([*(by_connection[each] for each in ready), *dead]))


def _received(child: ChildProcess, what: str) -> Answer | None:
    """The answer of a child that has something to say, if that is all of it."""
    try:
        if child.connection.poll():
            return child.inbox.read()
    except (EOFError, ConnectionError):
        pass
    # Its end of the connection is closed by the kernel a little before it can be waited for.
    wait_until(lambda: not child.is_alive(), _KERNEL_S)
    message = f"{what} in child process {child.pid} {_fate(child.exit_code)} before it answered"
    printed = child.stderr.tail()
    raise ProcessDied(f"{message}\n{printed}".rstrip(), "see above what it printed last")


def _fate(code: int | None) -> str:
    if code is None:
        return "closed its connection, or hangs while it ends,"
    if code < 0:
        return f"was killed by signal {-code} ({signal.Signals(-code).name})"
    return f"ended with exit code {code}"


def _late(waiting: Mapping[ChildProcess, str], timeout_s: float) -> ProcessTimeout:
    where = "\n".join(
        f"{what} in child process {child.pid}:\n{child.stacks()}" for child, what in waiting.items()
    )
    message = f"no answer within {timeout_s:g} s from\n{where}"
    return ProcessTimeout(
        message,
        "see above where it is; what it waits for may be held by another process",
        "or raise --pynenc-timeout, if it may take that long",
    )
