"""What a test pays before and after its first operation: place and app, made and removed."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import contenders
from benchmarks.measuring import Slice
from pytest_pynenc_state.backends.sqlite.schema import empty_file

_numbers = itertools.count(1)
_OUR_PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


@dataclass(frozen=True)
class SetUp:
    """Where the set-up takes place.

    pynenc parses the ``pyproject.toml`` of the working directory several times for each
    component that it configures; nearly every project has one.
    """

    name: str
    has_pyproject: bool

    @contextmanager
    def working_directory(self, parent: Path) -> Iterator[None]:
        """Work in a directory below *parent*, with a copy of our file or with none."""
        directory = parent / f"project-{next(_numbers)}"
        directory.mkdir()
        if self.has_pyproject:
            shutil.copy(_OUR_PYPROJECT, directory)
        with chdir(directory):
            yield


SET_UPS = (
    SetUp("place + app", has_pyproject=False),
    SetUp("same, pyproject.toml", has_pyproject=True),
)


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
