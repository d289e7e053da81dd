"""What a child process prints: kept in a file without a name, which nobody has to remove."""

from __future__ import annotations

import os
import tempfile

_TAIL_LINES = 30
_TAIL_BYTES = 64 * 1024


class Output:
    """Where child processes print to, and what they printed last."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed by close()
        self._last = ""

    def fileno(self) -> int:
        """The descriptor to give to a child, as `subprocess` asks for it."""
        return self._file.fileno()

    def tail(self) -> str:
        """The last lines that were printed; also once closed."""
        if not self._file.closed:
            # The children write where the file's own position is: it must not be moved.
            start = max(0, os.fstat(self.fileno()).st_size - _TAIL_BYTES)
            text = os.pread(self.fileno(), _TAIL_BYTES, start).decode(errors="replace")
            self._last = "\n".join(text.splitlines()[-_TAIL_LINES:])
        return self._last

    def close(self) -> None:
        """Remember the last lines, and forget the rest."""
        self.tail()
        self._file.close()
