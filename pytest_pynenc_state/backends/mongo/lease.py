"""One server for all processes of a test run, which ends with the last of them.

Every process that uses the server holds the writing end of one FIFO, whose reading end is
the server's standard input. The kernel counts: when the last writing end is closed, because
its process released it, ended or was killed (-9), the server reads the end of its input and
ends. No count is kept in a file, so no killed process can leave a wrong one, and the process
that started the server may be the first to go.
"""

from __future__ import annotations

import errno
import json
import os
import select
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

import psutil
from filelock import FileLock, Timeout

from pytest_pynenc_state.backends.mongo.fifo import (
    close_end,
    is_held,
    open_end,
    reader_is_gone,
)
from pytest_pynenc_state.errors import BackendUnavailable
from pytest_pynenc_state.waiting import wait_until

# Hang guards: a server starts in a fifth of a second, and ends in less. One that runs and is busy
# with what another process has asked it may take as long to answer as one that starts.
_START_TIMEOUT_S = 30.0
_STOP_TIMEOUT_S = 5.0
_LOCK_TIMEOUT_S = _START_TIMEOUT_S + _STOP_TIMEOUT_S
_TAIL_CHARACTERS = 4000

_REMEDIES = (
    "run the tests again, if the machine was short of memory or processes",
    "run the server by hand to see what it says (--help explains it)",
    "or select another backend, for example --pynenc-backend sqlite",
)


@dataclass(frozen=True)
class _Files:
    """What the processes of a run find each other by; the lock's file stays in the folder."""

    folder: Path

    @property
    def fifo(self) -> Path:
        return self.folder / "server.fifo"

    @property
    def state(self) -> Path:
        return self.folder / "server.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one process at a time start, join or leave a server."""
        try:
            with FileLock(self.folder / "server.lock", timeout=_LOCK_TIMEOUT_S):
                yield
        except Timeout as error:
            message = f"somebody else holds {error.lock_file} for {_LOCK_TIMEOUT_S:g} s"
            raise BackendUnavailable(message, *_REMEDIES) from error

    def remove(self) -> None:
        self.state.unlink(missing_ok=True)
        self.fifo.unlink(missing_ok=True)


class _Server(NamedTuple):
    pid: int
    port: int


class Lease:
    """The share of this process in a server; the server lives as long as somebody has one.

    :ivar port: Where the server listens, on 127.0.0.1.
    :ivar pid: The server's process.
    """

    def __init__(self, files: _Files, writer: int, server: _Server) -> None:
        self.port = server.port
        self.pid = server.pid
        self._files = files
        self._writer = writer

    def release(self) -> None:
        """Give the share back; after the last one, the server ends.

        It has ended when this returns, if this process is both the last and the one that
        started it. Does nothing the second time, and in a forked child, which has no share.
        """
        if not close_end(self._writer):
            return
        with self._files.locked():
            is_last = not is_held(self._files.fifo)
            if is_last:
                self._files.remove()
            _bury(due=self.pid if is_last else None)


def acquire(folder: Path, command: Sequence[str], answers: Callable[[int], bool]) -> Lease:
    """Return a share in the server of *folder*, started by *command* unless it runs already.

    The command prints one line of JSON, ``{"port": N, "pid": N}``, and ends when its standard
    input does.

    :param folder: A local folder for this server alone, the same for all who share it; made
        if need be.
    :param answers: Whether the server at a port answers; bounded in time. Asked again until it
        does, for as long as a server may take to start.
    :raises BackendUnavailable: The server did not start, or does not answer in that time.
    Concurrency: any number of threads and processes; one of them starts the server.
    """
    files = _Files(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with files.locked():
            return _joined(files, answers) or _started(files, command)
    except OSError as error:
        message = f"no server can be shared by way of {folder}: {error}"
        raise BackendUnavailable(message, *_REMEDIES) from error


def _joined(files: _Files, answers: Callable[[int], bool]) -> Lease | None:
    """A share in the server that runs already; None if there is none."""
    try:
        server = _Server(**json.loads(files.state.read_text()))
        writer = open_end(files.fifo, os.O_WRONLY)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENXIO):
            return None
        raise
    with ExitStack() as undo:
        undo.callback(close_end, writer)
        if wait_until(
            lambda: reader_is_gone(writer, 0.0) or answers(server.port), _START_TIMEOUT_S
        ) and not reader_is_gone(writer, 0.0):
            undo.pop_all()
            return Lease(files, writer, server)
        # One that had read the end of its input just before we opened ours is about to end.
        if reader_is_gone(writer, _STOP_TIMEOUT_S):
            return None
    message = (
        f"the server of this run, process {server.pid} on port {server.port}, was started, but "
        "does not answer any more"
    )
    raise BackendUnavailable(message, *_REMEDIES)


def _started(files: _Files, command: Sequence[str]) -> Lease:
    files.remove()
    with ExitStack() as undo:
        undo.callback(files.remove)
        os.mkfifo(files.fifo, mode=0o600)
        reader = open_end(files.fifo, os.O_RDONLY)
        try:
            writer = open_end(files.fifo, os.O_WRONLY)
            undo.callback(close_end, writer)
            os.set_blocking(reader, True)
            server = _run(command, reader)
        finally:
            close_end(reader)
        draft = files.state.with_suffix(".new")
        draft.write_text(json.dumps(server._asdict()))
        draft.replace(files.state)
        undo.pop_all()
    return Lease(files, writer, server)


def _run(command: Sequence[str], standard_input: int) -> _Server:
    """Start the server in a session of its own, and read where it is.

    :raises BackendUnavailable: It printed something else, or nothing in time; it is killed.
    """
    line_end, server_end = os.pipe()
    with tempfile.TemporaryFile() as complaints, os.fdopen(line_end, "rb", 0) as lines:
        try:
            pid = _spawn(command, (standard_input, server_end, complaints.fileno()))
        finally:
            os.close(server_end)
        line = _first_line(lines)
        with suppress(ValueError, KeyError, TypeError):
            state = json.loads(line)
            return _Server(int(state["pid"]), int(state["port"]))
        _children[pid].kill()
        _bury(due=pid)
        complaints.seek(0)
        printed = line + complaints.read()
    raise _not_started(command, printed.decode(errors="replace"))


def _spawn(command: Sequence[str], standard_files: Sequence[int]) -> int:
    # Not a Popen, which would warn if the server outlives this process, as it may.
    pid = os.posix_spawn(
        command[0],
        list(command),
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_DUP2, ours, theirs) for theirs, ours in enumerate(standard_files)
        ],
        # Ctrl-C in a terminal goes to pytest's process group, and must not end it.
        setsid=True,
    )
    _children[pid] = psutil.Process(pid)
    return pid


def _not_started(command: Sequence[str], printed: str) -> BackendUnavailable:
    message = (
        f"the server did not start; tried {' '.join(command)!r}, and waited up to "
        f"{_START_TIMEOUT_S:g} s for one line with its port.\n"
        f"It printed: {printed.strip()[-_TAIL_CHARACTERS:] or 'nothing'}"
    )
    return BackendUnavailable(message, *_REMEDIES)


def _first_line(lines: IO[bytes]) -> bytes:
    """What comes until the end of the first line, of the stream, or of the time there is."""
    deadline_s = time.monotonic() + _START_TIMEOUT_S
    poll = select.poll()
    poll.register(lines, select.POLLIN)
    line = b""
    while not line.endswith(b"\n"):
        left_s = deadline_s - time.monotonic()
        if left_s <= 0 or not poll.poll(left_s * 1000):
            break
        part = lines.read(select.PIPE_BUF)
        if not part:
            break
        line += part
    return line


# The servers that this process has started. Whoever leaves, also asks for their ends, so that
# they leave no entry behind in the table of processes.
_children: dict[int, psutil.Process] = {}
os.register_at_fork(after_in_child=_children.clear)


def _bury(due: int | None) -> None:
    """Forget our servers that have ended.

    :param due: The server that nobody uses any more: wait for its end if it is ours, and kill
        it if it does not come.
    """
    for pid, child in list(_children.items()):
        try:
            child.wait(_STOP_TIMEOUT_S if pid == due else 0.0)
        except psutil.TimeoutExpired:
            if pid != due:
                continue
            child.kill()
            child.wait()
        _children.pop(pid, None)
