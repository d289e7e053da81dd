"""The one file that a place on SQLite is, whoever's classes use it."""

from __future__ import annotations

from pathlib import Path

from pytest_pynenc_state.backends.backend import Space

# What SQLite adds to the name of a file for those it keeps beside it, while a process has it
# open or if the last one was killed.
_BESIDE = ("-wal", "-shm", "-journal")


def file_of(space: Space) -> Path:
    """Where the file of a place goes: among those of its run, whose directory is made.

    A directory for each would take a test longer than the file does.
    """
    space.session_directory.mkdir(parents=True, exist_ok=True)
    return space.session_directory / f"{space.namespace}.db"


def remove_file(path: Path) -> None:
    """Remove the file, and what SQLite keeps beside it; what is gone by now is no error."""
    for suffix in ("", *_BESIDE):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
