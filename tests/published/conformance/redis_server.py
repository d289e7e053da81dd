"""A Redis server that ends with this program's standard input, on a free port of 127.0.0.1.

Run as a script, it prints ``{"port": N, "pid": N}`` once the server answers. Its data are in a
folder that goes with it.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile

from pytest_pynenc_state.waiting import wait_until

PROGRAM = "redis-server"

#: More than there are places in a run.
DATABASES = 10_000

# Hang guards: a server answers within a tenth of a second, and ends in less.
_START_TIMEOUT_S = 10.0
_STOP_TIMEOUT_S = 3.0
_ANSWER_TIMEOUT_S = 1.0

_READ_BYTES = 4096

# Somebody else may take a port between its being found free and the server's start.
_ATTEMPTS = 5


def is_installed() -> bool:
    """Whether there is a Redis server on this machine."""
    return shutil.which(PROGRAM) is not None


def answers(port: int) -> bool:
    """Whether a server at *port* answers a PING."""
    try:
        with socket.create_connection(("127.0.0.1", port), _ANSWER_TIMEOUT_S) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(_READ_BYTES).startswith(b"+PONG")
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _started(port: int, folder: str) -> subprocess.Popen[bytes] | None:
    """Start a server; None if it ended, for want of its port perhaps."""
    command = (PROGRAM, "--port", str(port), "--bind", "127.0.0.1", "--dir", folder)
    # Nothing is written to a disk: what is asked of it is to outlive its clients.
    rest = ("--save", "", "--appendonly", "no", "--databases", str(DATABASES))
    server = subprocess.Popen(
        (*command, *rest), stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno()
    )
    wait_until(lambda: server.poll() is not None or answers(port), _START_TIMEOUT_S)
    # It is ours only if it lives after it has answered: another one may have the port.
    if answers(port) and server.poll() is None:
        return server
    _end(server)
    return None


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def main() -> int:
    """Serve until standard input ends; return the exit code."""
    with tempfile.TemporaryDirectory(prefix="pynenc-redis-") as folder:
        for _ in range(_ATTEMPTS):
            port = _free_port()
            if server := _started(port, folder):
                break
        else:
            return 1
        try:
            print(json.dumps({"port": port, "pid": os.getpid()}), flush=True)  # noqa: T201
            while os.read(sys.stdin.fileno(), _READ_BYTES):
                pass
        finally:
            _end(server)
    return 0


if __name__ == "__main__":
    sys.exit(main())
