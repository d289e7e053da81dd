"""What a child process does: it goes where a test is, and calls what it is told to.

It reads requests from a connection and answers each of them, until it is told to end or its
parent is gone. Nothing here loads pynenc before the first visit.
"""

from __future__ import annotations

import faulthandler
import io
import os
import signal
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from multiprocessing import reduction
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_pynenc_state.processes.answering import send_answer
from pytest_pynenc_state.processes.calling import Answer, done, unpacked_call
from pytest_pynenc_state.processes.visiting import Visit, close_connections, visited
from pytest_pynenc_state.waiting import wait_for_instant

if TYPE_CHECKING:
    from pynenc.app import Pynenc

#: What a child runs, and after it the number of its connection's descriptor. No file is its
#: main module, so that what it spawns in turn does not import it again. Nothing of what it
#: prints waits in a buffer, where its answer could overtake it, or kill -9 end it.
COMMAND = (sys.executable, "-u", "-c", f"from {__name__} import main; main()")

#: Makes a child print where each of its threads is. By default a process ignores it, so that
#: it does no harm to one that has only begun to start.
STACK_SIGNAL = signal.SIGURG


@dataclass(frozen=True)
class Prepare:
    """Get ready to make a call.

    :param visit: Where to go first; None to stay where the last request led.
    """

    visit: Visit | None
    call: bytes


@dataclass(frozen=True)
class Call(Prepare):
    """Get ready and make the call at once: one answer, to whichever failed or to the call."""


@dataclass(frozen=True)
class Go:
    """Make the call that was prepared, at this instant of `time.monotonic_ns`."""

    instant_ns: int = 0


@dataclass(frozen=True)
class Leave:
    """Close the app of the last visit."""


@dataclass(frozen=True)
class End:
    """End the process."""


class Server:
    """Answers each request in turn."""

    def __init__(self) -> None:
        self._stay = ExitStack()
        self._app: Pynenc | None = None
        self._call: partial[Any] | None = None

    def answer(self, request: Prepare | Go | Leave) -> Answer:
        """Do what is asked."""
        if isinstance(request, Go):
            return self._go(request)
        if isinstance(request, Prepare):
            outcome = done(self._prepare, request)
            if isinstance(request, Call) and outcome.error is None:
                return self._go(Go())
            return Answer.of(outcome)
        return Answer.of(done(self._leave))

    def _prepare(self, request: Prepare) -> None:
        if request.visit is not None:
            self._leave()
            self._app = self._stay.enter_context(visited(request.visit))
        function, arguments = unpacked_call(request.call)
        self._call = partial(function, self._app, *arguments)

    def _go(self, request: Go) -> Answer:
        call, self._call = self._call, None
        assert self._app is not None
        assert call is not None
        wait_for_instant(request.instant_ns)
        outcome = done(call)
        # The store has all that was called for before anybody reads the answer.
        from pytest_pynenc_state import compat

        compat.wait_for_all_writes(self._app.state_backend)
        return Answer.of(outcome)

    def _leave(self) -> None:
        if self._app is not None:
            self._app, self._call = None, None
            self._stay.close()
            close_connections()


def main() -> None:
    """Serve the connection whose descriptor the command line names."""
    descriptor = int(sys.argv[1])
    # It had to be inherited by this process, and by no other.
    os.set_inheritable(descriptor, False)
    serve(Connection(descriptor))


def serve(connection: Connection[Any, Any]) -> None:
    """Answer requests until one says to end, or until the parent is gone."""
    faulthandler.register(STACK_SIGNAL)
    server = Server()
    while True:
        try:
            request = connection.recv()
            if isinstance(request, End):
                return
            send_answer(connection, server.answer(request))
        except (EOFError, ConnectionError):
            return


def serve_forked(connection: Connection[Any, Any]) -> None:
    """Make a process that multiprocessing has forked like one that was spawned, and serve.

    It then leads a session, prints to the two files that its parent sends first, and has
    no handler of its parent's.
    """
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)
    # pytest may have put objects of its own in their place.
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        received = reduction.recv_handle(connection)
        os.dup2(received, descriptor)
        os.close(received)
        stream = io.TextIOWrapper(io.FileIO(descriptor, "w", closefd=False), write_through=True)
        setattr(sys, name, stream)
    serve(connection)
