"""Values in files: each is there as a whole or not at all, whoever looks and whoever is killed."""

from __future__ import annotations

import hashlib
import itertools
import os
import pickle
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from typing import Any

_numbers = itertools.count()


class Files:
    """Values in one folder, by keys of any text."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, key: str, value: Any) -> None:
        """Store a value in place of the former one."""
        self._write(hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest(), value)

    def get(self, key: str) -> Any:
        """The value of a key; KeyError if there is none."""
        name = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
        try:
            return self._read(name)
        except FileNotFoundError:
            raise KeyError(key) from None

    def append(self, instant_us: int, value: Any) -> None:
        """Store a further value, which comes after all others of its instant."""
        # Two processes may append in the same nanosecond; one process may not.
        unique = f"{time.time_ns():020}-{next(_numbers):010}-{os.getpid()}"
        self._write(f"{instant_us:020}-{unique}", value)

    def names(self) -> list[str]:
        """The names of all files at this moment; those of appended values in their order."""
        with suppress(FileNotFoundError):
            return sorted(path.name for path in self._folder.iterdir() if not path.suffix)
        return []

    def read(self, names: Iterable[str]) -> Iterator[Any]:
        """The values in these files, but for those that were purged meanwhile."""
        for name in names:
            with suppress(FileNotFoundError):
                yield self._read(name)

    def values(self) -> Iterator[Any]:
        """All values that there are at this moment."""
        return self.read(self.names())

    def _read(self, name: str) -> Any:
        return pickle.loads((self._folder / name).read_bytes())  # noqa: S301 - our own files

    def _write(self, name: str, value: Any) -> None:
        unfinished = self._folder / f"{name}.{os.getpid()}-{next(_numbers)}"
        while True:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                unfinished.write_bytes(pickle.dumps(value))
                unfinished.replace(self._folder / name)
            except (FileNotFoundError, FileExistsError):  # the folder was purged meanwhile
                continue
            return


def remove(folder: Path) -> None:
    """Remove a folder at once, and then what was in it."""
    gone = folder.with_name(f"{folder.name}.gone-{os.getpid()}-{next(_numbers)}")
    with suppress(FileNotFoundError):
        folder.rename(gone)
        # Who was about to write there may still do so; nobody looks there any more.
        rmtree(gone, ignore_errors=True)
