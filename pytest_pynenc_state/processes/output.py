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
        self._start = 0
        self._last = ""

    def fileno(self) -> int:
        """The descriptor to give to a child, as `subprocess` asks for it."""
        return self._file.fileno()

    @property
    def size(self) -> int:
        """How many bytes were printed so far."""
        return os.fstat(self.fileno()).st_size

    def forget(self) -> None:
        """Let what was printed so far be no part of `text` and `tail` any more."""
        self._start = self.size

    def text(self, start: int = 0) -> str:
        """What was printed, from byte *start* on; once closed, the last lines."""
        if self._file.closed:
            return self._last
        start = max(start, self._start)
        # The children write where the file's own position is: it must not be moved.
        return os.pread(self.fileno(), self.size - start, start).decode(errors="replace")

    def tail(self) -> str:
        """The last lines that were printed; also once closed."""
        if not self._file.closed:
            text = self.text(self.size - _TAIL_BYTES)
            self._last = "\n".join(text.splitlines()[-_TAIL_LINES:])
        return self._last

    def close(self) -> None:
        """Remember the last lines, and forget the rest."""
        self.tail()
        self._file.close()
