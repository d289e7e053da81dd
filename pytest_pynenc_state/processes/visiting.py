"""A child process at the place of a test: it has the test's app, and leaves nothing behind."""

from __future__ import annotations

import gc
import importlib
import pickle
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_pynenc_state.processes.surroundings import Surroundings

if TYPE_CHECKING:
    from pynenc.app import Pynenc

    from pytest_pynenc_state.apps.recipe import AppRecipe
    from pytest_pynenc_state.backends.backend import Backend

_MONGO_CLIENTS = "pytest_pynenc_state.backends.mongo.connection"


@dataclass(frozen=True)
class Visit:
    """How a child comes to the app of a test, as plain data.

    :param recipe: A pickled `AppRecipe`: it can be unpickled in these surroundings only.
    """

    surroundings: Surroundings
    recipe: bytes


@dataclass(frozen=True)
class Destination:
    """The app of a test, which is in this process.

    :param app_path: ``pkg.mod:app`` of an author's app.
    """

    app: Pynenc
    app_path: str | None
    backend: Backend

    def visit(self) -> Visit:
        """Describe the app, its place and this process as they are now."""
        from pytest_pynenc_state.apps.pointing import touch_components
        from pytest_pynenc_state.apps.recipe import AppRecipe

        # Children that make the same tables at once would be in each other's way.
        touch_components(self.app)
        recipe = AppRecipe.of(self.app, self.app_path, self.backend.modules)
        return Visit(Surroundings.here(), pickle.dumps(recipe))


@contextmanager
def visited(visit: Visit) -> Iterator[Pynenc]:
    """Have the app of a test, in a child, with a connection to its store.

    Afterwards all that pynenc keeps for the whole process is as it was. Once nobody refers
    to the app any more, `close_connections` closes what it has open.

    :raises ImportError: A module of the app, a task or a component is not importable here.
    """
    visit.surroundings.enter()
    recipe: AppRecipe = pickle.loads(visit.recipe)  # noqa: S301 - our parent pickled it
    from pytest_pynenc_state import compat
    from pytest_pynenc_state.apps.pointing import load_app, touch_components
    from pytest_pynenc_state.apps.preserving import preserved_app, preserved_process
    from pytest_pynenc_state.processes import crash_points, recording

    for module in recipe.modules:
        importlib.import_module(module)
    authors = load_app(recipe.path) if recipe.path else None
    with ExitStack() as stack:
        stack.enter_context(preserved_process())
        stack.enter_context(crash_points.installed())
        stack.enter_context(recording.installed())
        if authors is not None:
            stack.enter_context(preserved_app(authors))
        app = recipe.build()
        touch_components(app)
        # Connects, which would otherwise take the better part of a first operation.
        app.orchestrator.get_active_runners()
        yield app
        compat.wait_for_all_writes(app.state_backend)


def close_connections() -> None:
    """Close the connections of apps that nobody refers to any more."""
    # One to SQLite is closed with the app that it belongs to. What goes on living need not
    # be looked at again by the next collection.
    gc.collect()
    gc.freeze()
    if mongo := sys.modules.get(_MONGO_CLIENTS):
        mongo.close_clients()
