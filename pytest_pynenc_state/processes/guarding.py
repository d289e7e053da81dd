"""pytest's end of the guard: which sessions die with this process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_SCRIPT = Path(__file__).with_name("guard.py")

# Hang guard: an idle guard ends at once when its input is closed.
_STOP_TIMEOUT_S = 10.0


class Guard:
    """Started with the first session to watch; ended with `close`."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def watch(self, session_id: int) -> None:
        """Let the session die when this process does."""
        if self._process is None:
            self._process = subprocess.Popen(
                # Isolated and without site: it starts in milliseconds and imports nothing.
                [sys.executable, "-I", "-S", str(_SCRIPT)],
                stdin=subprocess.PIPE,
                text=True,
                # Ctrl-C in a terminal goes to pytest's process group, and must not end it.
                start_new_session=True,
            )
        self._tell(f"+{session_id}")

    def forget(self, session_id: int) -> None:
        """Note that the session has ended."""
        self._tell(f"-{session_id}")

    def close(self) -> None:
        """End the guard; it kills what is still watched."""
        if self._process is not None:
            process, self._process = self._process, None
            process.communicate(timeout=_STOP_TIMEOUT_S)

    def _tell(self, line: str) -> None:
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
