"""Who is compared, and how an app of each is opened on a place of its own."""

from __future__ import annotations

import importlib
import itertools
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pynenc.app import Pynenc
from pynenc.builder import PynencBuilder
from pynenc.util.sqlite_utils import SQLiteConnection

from pytest_pynenc_state.apps.configuration import exported
from pytest_pynenc_state.apps.pointing import build_app
from pytest_pynenc_state.apps.reading import remembered_files
from pytest_pynenc_state.apps.searching import remembered_search
from pytest_pynenc_state.backends.backend import Backend, Space
from pytest_pynenc_state.backends.catalogue import Catalogue

# All contenders, in the order of the columns.
SQLITE = "sqlite"
PLAIN = "plain"  #: no backend: repeats the statements of `SQLITE` on a bare connection
PYNENC_SQLITE = "pynenc-sqlite"  #: pynenc's own classes, built as its users build them
MEMORY = "memory"
PYNENC_MEMORY = "pynenc-memory"
#: a published backend, where it is installed
RUSTVELLO = "rustvello"
#: takes part where places are opened; `benchmarks.server` is about what it does there
MONGOMOCK = "mongomock"
NAMES = (SQLITE, PLAIN, PYNENC_SQLITE, MEMORY, PYNENC_MEMORY)

_catalogue = Catalogue()
_BY_RECIPE = {RUSTVELLO: "tests.published.conformance.recipes:RUSTVELLO_SQLITE"}
_leave_connection = SQLiteConnection.__exit__
_numbers = itertools.count(1)


@dataclass(frozen=True)
class OpenedApp:
    """A new app whose state backend and orchestrator exist, and how to end it."""

    app: Pynenc
    remove: Callable[[], None]


def import_classes() -> None:
    """Import our component classes, so that pynenc finds them by name."""
    for name in (SQLITE, MEMORY):
        import_backend(name)


def import_backend(name: str) -> Backend:
    """A contender that is one of our backends, or has a recipe; its classes are imported."""
    backend = _catalogue.select(_BY_RECIPE.get(name, name))
    for module in backend.modules:
        importlib.import_module(module)
    return backend


def leave_pynenc_alone() -> None:
    """Undo what our SQLite components do for pynenc's: let it leave connections open."""
    SQLiteConnection.__exit__ = _leave_connection  # type: ignore[method-assign]


@contextmanager
def opened(name: str, directory: Path, service: object = None) -> Iterator[Pynenc]:
    """Open a contender below *directory*, and remove it afterwards."""
    place = open_app(name, directory, service)
    try:
        yield place.app
    finally:
        place.remove()


def open_app(name: str, directory: Path, service: object = None) -> OpenedApp:
    """Open an app of a contender on a new place of its own below *directory*.

    :param service: What its backend needs to be running, if it needs something.
    """
    namespace = f"{name}-{next(_numbers)}"
    own_directory = directory / namespace
    if name in (PYNENC_SQLITE, PYNENC_MEMORY):
        return _opened_by_pynenc(name, namespace, own_directory)
    backend = import_backend(name)
    place = backend.open_place(Space(namespace, own_directory, directory, service))
    values = {**backend.components, **place.values}
    with exported(values), remembered_files(), remembered_search():
        app = _touched(build_app(namespace, values))
    leave_pynenc_alone()

    def remove() -> None:
        place.close()
        place.remove()

    return OpenedApp(app, remove)


def open_plain(path: Path, content: bytes) -> sqlite3.Connection:
    """Open a bare connection, set up like ours, to a new file of *content*."""
    path.write_bytes(content)
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
    connection.execute("PRAGMA synchronous=OFF")
    return connection


def _opened_by_pynenc(name: str, namespace: str, directory: Path) -> OpenedApp:
    directory.mkdir()
    builder = PynencBuilder().app_id(namespace)
    if name == PYNENC_SQLITE:
        builder.sqlite(str(directory / "pynenc.db"))
    else:
        builder.memory()
    app = _touched(builder.build())
    return OpenedApp(app, lambda: shutil.rmtree(directory))


def _touched(app: Pynenc) -> Pynenc:
    # Both are built on first use.
    _ = app.state_backend, app.orchestrator
    return app
