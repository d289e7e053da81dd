"""A tiny process that outlives a killed pytest just long enough to end what it started.

Run as a script, with nothing but the standard library. It reads lines ``+<session>`` and
``-<session>`` from its standard input: sessions to watch, and to forget. When the input
ends, because pytest closed it or was killed (-9), it kills every session still watched.
"""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """Watch until the input ends, then kill what is left."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watched: set[int] = set()
    for line in sys.stdin:
        session_id = int(line[1:])
        if line.startswith("+"):
            watched.add(session_id)
        else:
            watched.discard(session_id)
    for session_id in watched:
        # The leader of a session leads a process group of the same number.
        try:
            os.killpg(session_id, signal.SIGKILL)
        except ProcessLookupError:
            continue


if __name__ == "__main__":
    main()
