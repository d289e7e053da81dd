"""A file that one thread appends entries to, faster than a call of the system.

It is mapped into memory: what was appended belongs to the kernel from then on, and is in the
file however the process ends. An entry is an instant, a length, and so many bytes; the length is
written last.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from struct import Struct

#: Set while the operations of a test are recorded: the folder of its journals.
JOURNALS_VARIABLE = "PYTEST_PYNENC_JOURNALS"

_HEADER = Struct("<qI")

_HEADER_SIZE, _pack_header = _HEADER.size, _HEADER.pack_into

# Only pages that are written take space.
_FIRST_SIZE = 1 << 20


class Journal:
    """The file of one thread, of one process.

    :raises FileExistsError: It is there already.
    """

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600, exist_ok=False)
        self._path = path
        self._end = 0
        self._grow(_FIRST_SIZE)

    def append(self, instant_ns: int, content: bytes) -> None:
        """Add an entry; its content may not be empty."""
        start = self._end + _HEADER_SIZE
        length = len(content)
        end = start + length
        if end + _HEADER_SIZE > self._size:
            self._grow(2 * (end + _HEADER_SIZE))
        self._pages[start:end] = content
        _pack_header(self._pages, self._end, instant_ns, length)
        self._end = end

    def _grow(self, size: int) -> None:
        try:
            with self._path.open("r+b") as file:
                file.truncate(size)
                self._pages = mmap.mmap(file.fileno(), size)
        except FileNotFoundError:  # nobody wants it any more
            self._pages = mmap.mmap(-1, size)
        self._size = size


def entries_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """All that was appended to a journal so far, oldest first; anybody may ask, at any time."""
    content = path.read_bytes()
    start = 0
    while start + _HEADER_SIZE <= len(content):
        instant_ns, length = _HEADER.unpack_from(content, start)
        if length == 0:
            return
        start += _HEADER_SIZE
        yield instant_ns, content[start : start + length]
        start += length
