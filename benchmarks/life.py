"""What a test pays before and after its first operation: place and app, made and removed."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import contenders
from benchmarks.measuring import Series, Slice, measured_in_turns
from benchmarks.result import Result, Settings, Table, Target
from pytest_pynenc_state.backends.mongo.place import shared_server
from pytest_pynenc_state.backends.sqlite.schema import empty_file

_numbers = itertools.count(1)
_OUR_PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"

_WANTED_US = 2000.0
_QUICK_ROUNDS = 3


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


_SET_UPS = (
    SetUp("place and app", has_pyproject=False),
    SetUp("with a pyproject.toml", has_pyproject=True),
)


def measure(settings: Settings) -> Result:
    """Open and remove places in turns; the state backend and the orchestrator are built."""
    rounds = settings.either(settings.rounds, _QUICK_ROUNDS)
    names = [*settings.names, contenders.MONGOMOCK]
    found = {}
    with ExitStack() as stack:
        url = stack.enter_context(shared_server(settings.directory / "server"))
        for set_up in _SET_UPS:
            with set_up.working_directory(settings.directory):
                visits = {name: _next_visit(name, settings.directory, url) for name in names}
                found[set_up.name] = measured_in_turns(visits, rounds)
    rows = [(where, *(str(series[name]) for name in names)) for where, series in found.items()]
    title = "Microseconds to open and remove a place with an app: median (interquartile range)"
    return Result(
        [Table(title, ("", *names), rows)],
        [_target(where, series) for where, series in found.items() if contenders.SQLITE in names],
        {
            where: {name: each.summary() for name, each in series.items()}
            for where, series in found.items()
        },
    )


def _target(where: str, series: Mapping[str, Series]) -> Target:
    median_us = series[contenders.SQLITE].median_us
    measured = f"{median_us / 1000:.2f} ms"
    if contenders.PYNENC_SQLITE in series:
        theirs_us = series[contenders.PYNENC_SQLITE].median_us
        measured += f" (pynenc's builder: {theirs_us / 1000:.1f} ms)"
    work = f"sqlite, set-up and tear-down of a test: {where}"
    return Target(work, "at most 2 ms", measured, median_us <= _WANTED_US)


def _next_visit(name: str, directory: Path, url: str) -> Callable[[], Slice]:
    """What makes the next slice of a contender: one app, opened and removed."""
    if name == contenders.PLAIN:
        visit = partial(_visit_plain, directory, empty_file())
    else:
        visit = partial(_visit, name, directory, url)
    return lambda: Slice(visit, [()])


def _visit(name: str, directory: Path, url: str) -> None:
    with contenders.opened(name, directory, url):
        pass


def _visit_plain(directory: Path, content: bytes) -> None:
    path = directory / f"visited-{next(_numbers)}.db"
    connection = contenders.open_plain(path, content)
    connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
    connection.close()
    path.unlink()
