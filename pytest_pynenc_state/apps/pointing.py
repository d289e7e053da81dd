"""An app on a place: built fresh, or the author's own, pointed there and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import pynenc.app
from pynenc.app import Pynenc
from pynenc.plugin_loader import load_all_plugins

from pytest_pynenc_state.apps.preserving import forget_configuration, preserved_app, replaced
from pytest_pynenc_state.apps.searching import hold_in_no_module
from pytest_pynenc_state.backends.catalogue import load_attribute
from pytest_pynenc_state.errors import AppError, OptionsError
from pytest_pynenc_state.option_values import without_credentials

#: The components of an app. Building two at once from two threads may build them twice,
#: so they are built by one thread before a runner's threads start.
_COMPONENTS = (
    "serializer",
    "client_data_store",
    "state_backend",
    "orchestrator",
    "broker",
    "trigger",
)

_GIVING_REMEDIES = (
    "have your fixture pynenc_app ask for pynenc_app, and return what it gives",
    "or name your app: --pynenc-app pkg.mod:app, or the marker pynenc(app=...)",
)


def build_app(app_id: str, values: Mapping[str, Any]) -> Pynenc:
    """Build a fresh app called *app_id* with these configuration values."""
    # Each app looks for plugins again, which takes longer than all else that a test needs;
    # once per process is enough.
    once = replaced(pynenc.app, "load_all_plugins", _load_plugins)
    # An app of this id, left by an unpickled copy, would be returned in place of a new one.
    no_copies = replaced(Pynenc, "_instances", {})
    with once, no_copies:
        app = Pynenc(config_values={**values, "app_id": app_id})
    # A pyproject.toml in the working directory beats config_values; an assignment does not.
    app.conf.app_id = app_id
    hold_in_no_module(app)
    return app


@cache
def _load_plugins() -> None:
    load_all_plugins()


@contextmanager
def pointed_app(app: Pynenc, values: Mapping[str, Any]) -> Iterator[Pynenc]:
    """Point *app* to other configuration values, in place, and put it back afterwards.

    Tasks that hold the app keep holding it. Restored whatever happens: all slots, its
    tasks and their cached settings. Its former components are not touched meanwhile.
    """
    with preserved_app(app):
        app.config_values = {**(app.config_values or {}), **values}
        forget_configuration(app)
        yield app


def given_app(app: object) -> Pynenc:
    """Return *app*, which the fixture ``pynenc_app`` gives, be it ours or the author's.

    :raises AppError: It is not a ``pynenc.Pynenc``.
    """
    if not isinstance(app, Pynenc):
        message = f"fixture pynenc_app: expected a pynenc.Pynenc, got {app!r}"
        raise AppError(message, *_GIVING_REMEDIES)
    return app


def check_pointed(app: Pynenc, values: Mapping[str, Any]) -> None:
    """Refuse an app that somebody has put in place of the one that was pointed to *values*.

    :raises AppError: A component class, or what leads it to its store, is another one; or it is
        no app.
    """
    for conf in _configurations(given_app(app)):
        for name, wanted in values.items():
            got = getattr(conf, name, wanted)
            if str(got) != str(wanted):
                message = (
                    f"app {app.app_id!r} is not on the place of the test: {name} is "
                    f"{without_credentials(str(got))!r}, not {without_credentials(str(wanted))!r}"
                )
                raise AppError(message, *_GIVING_REMEDIES)


def _configurations(app: Pynenc) -> Iterator[Any]:
    # What names the classes comes first: no component of an app that is elsewhere is built.
    yield app.conf
    yield getattr(app.state_backend, "conf", None)


def touch_components(app: Pynenc) -> None:
    """Build all components of *app* now, in this thread."""
    for component in _COMPONENTS:
        # A component reads its configuration on first use, and keeps it.
        getattr(getattr(app, component), "conf", None)


def load_app(path: str) -> Pynenc:
    """Import the app that ``pkg.mod:app`` names.

    :raises AppError: It cannot be imported, or is not a ``pynenc.Pynenc``.
    """
    try:
        app = load_attribute(path)
    except OptionsError as error:
        raise AppError(error.message, *error.remedies) from error
    return checked_app(app, repr(path))


def checked_app(app: object, source: str) -> Pynenc:
    """Return *app*.

    :raises AppError: It is not a ``pynenc.Pynenc``.
    """
    if not isinstance(app, Pynenc):
        message = f"{source}: expected a pynenc.Pynenc, got {type(app).__name__}"
        raise AppError(message, "name the variable that holds the app, like shop.app:app")
    return app
