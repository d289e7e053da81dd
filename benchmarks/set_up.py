"""What a test pays before and after its first operation: place and app, made and removed."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks import contenders
from benchmarks.measuring import Slice
from pytest_pynenc_state.backends.sqlite.schema import empty_file

_numbers = itertools.count(1)


def next_set_up(name: str, directory: Path) -> Callable[[], Slice]:
    """What makes the next slice of a contender: one app, opened and removed."""
    if name == contenders.PLAIN:
        visit = partial(_visit_plain, directory, empty_file())
    else:
        visit = partial(_visit, name, directory)
    return lambda: Slice(visit, [()])


def _visit(name: str, directory: Path) -> None:
    with contenders.opened(name, directory):
        pass


def _visit_plain(directory: Path, content: bytes) -> None:
    path = directory / f"visited-{next(_numbers)}.db"
    connection = contenders.open_plain(path, content)
    connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
    connection.close()
    path.unlink()
