"""A file that one thread appends entries to, faster than a call of the system.

It is mapped into memory: what was appended belongs to the kernel from then on, and is in the
file however the process ends. An entry is a length, an instant, and so many bytes.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from struct import Struct

#: Set while the operations of a test are recorded: the folder of its journals.
JOURNALS_VARIABLE = "PYTEST_PYNENC_JOURNALS"

# Read first and written last, so that nobody takes half an entry for a whole one.
_LENGTH = Struct("<I")
_INSTANT = Struct("<q")
_HEADER_SIZE = _LENGTH.size + _INSTANT.size
_pack_length, _pack_instant = _LENGTH.pack_into, _INSTANT.pack_into
_INSTANT_OFFSET = _LENGTH.size

_FIRST_SIZE = 1 << 16


class Journal:
    """The file of one thread, of one process.

    :raises FileExistsError: It is there already.
    :raises OSError: There is no room for it; `append` raises that, too.
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
        pages = self._pages
        pages[start:end] = content
        _pack_instant(pages, self._end + _INSTANT_OFFSET, instant_ns)
        _pack_length(pages, self._end, length)
        self._end = end

    def _grow(self, size: int) -> None:
        try:
            with self._path.open("r+b") as file:
                # Not `truncate`: a page that finds no room on the disk would end the process.
                os.posix_fallocate(file.fileno(), 0, size)
                self._pages = mmap.mmap(file.fileno(), size)
        except FileNotFoundError:  # nobody wants it any more
            self._pages = mmap.mmap(-1, size)
        self._size = size


def entries_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """All that was appended to a journal so far, oldest first; anybody may ask, at any time."""
    content = path.read_bytes()
    start = 0
    while start + _HEADER_SIZE <= len(content):
        (length,) = _LENGTH.unpack_from(content, start)
        if length == 0:
            return
        (instant_ns,) = _INSTANT.unpack_from(content, start + _INSTANT_OFFSET)
        start += _HEADER_SIZE
        yield instant_ns, content[start : start + length]
        start += length
