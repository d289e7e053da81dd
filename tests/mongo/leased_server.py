"""A server to share: it says ``!`` to whoever connects, and ends, or misbehaves, as it is told.

Run as a script, with the folder of the lease and what it is to do wrong, if anything.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
from pathlib import Path

COMMAND = (sys.executable, "-I", "-S", __file__)


def main(folder: Path, fault: str) -> None:
    """Serve until the standard input ends."""
    with (folder / "started.txt").open("a") as started:
        started.write(f"{os.getpid()}\n")
    if fault == "crashes":
        sys.exit("no memory left")
    if fault == "is silent":
        signal.pause()
    listener = socket.create_server(("127.0.0.1", 0))
    port = "none" if fault == "babbles" else listener.getsockname()[1]
    sys.stdout.write(json.dumps({"port": port, "pid": os.getpid()}) + "\n")
    sys.stdout.flush()
    serve(listener)
    if fault == "lingers":
        (folder / "lingering").touch()
        listener.accept()[0].close()
    if fault == "stays":
        signal.pause()


def serve(listener: socket.socket) -> None:
    """Answer until the standard input ends."""
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(sys.stdin, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is sys.stdin:
                return
            connection = listener.accept()[0]
            connection.sendall(b"!")
            connection.close()


def answers(port: int) -> bool:
    """Whether a server at *port* says what this one says."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=3.0) as connection:
            return connection.recv(1) == b"!"
    except OSError:
        return False


if __name__ == "__main__":
    main(Path(sys.argv[1]), " ".join(sys.argv[2:]))
