"""A program that becomes a daemon: no child of anybody, in a session of its own, without files.

It says who it is in a file, and ends by no signal but the last.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path


def become_daemon(sign_of_life: Path) -> None:
    """Return in the process that has called this; the daemon never does."""
    if child := os.fork():
        os.waitpid(child, 0)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.closerange(0, 256)
    unfinished = sign_of_life.with_suffix(".unfinished")
    unfinished.write_text(str(os.getpid()))
    unfinished.rename(sign_of_life)
    while True:
        signal.pause()


def leave_daemon(_: object, sign_of_life: str) -> None:
    """Be called by a child or a racer, and leave a daemon that is a fork of it."""
    become_daemon(Path(sign_of_life))


def leave_daemon_and_stay(_: object, sign_of_life: str) -> None:
    """The same, and never return."""
    become_daemon(Path(sign_of_life))
    while True:
        signal.pause()


if __name__ == "__main__":
    become_daemon(Path(sys.argv[1]))
