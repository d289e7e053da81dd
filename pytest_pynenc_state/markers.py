"""What the markers of a test say: its app, its settings, and which backends it wants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_pynenc_state.errors import OptionsError
from pytest_pynenc_state.option_values import app_path, near_match
from pytest_pynenc_state.session import SessionState, state_of

if TYPE_CHECKING:
    from pytest_pynenc_state.backends.backend import Capability


def app_marker(item: Any) -> tuple[Any, dict[str, Any]]:
    """The app and the configuration values that the markers ``pynenc`` give *item*.

    Values of an outer marker (module, class) hold unless an inner one sets them too.
    """
    app: Any = None
    config: dict[str, Any] = {}

    def signature(app: Any = None, **config: Any) -> tuple[Any, dict[str, Any]]:
        return app, config

    for marker in item.iter_markers("pynenc"):  # the closest first
        marked_app, marked_config = called(marker, signature)
        app = app or marked_app
        config = {**marked_config, **config}
    return app, config


def check_app_marker(item: Any) -> None:
    """Refuse a marker ``pynenc`` whose app or configuration field does not exist.

    :raises OptionsError: The message names the marker and the nearest match.
    """
    app, config = app_marker(item)
    if config:
        from pytest_pynenc_state.apps.configuration import checked_values

        checked_values(config, "marker pynenc", state_of(item.config).import_backends)
    if app is not None:
        try:
            check_app(app)
        except OptionsError as error:
            message = f"marker pynenc(app={app!r}): {error.message}"
            raise OptionsError(message, *error.remedies) from error


def check_app(app: object) -> None:
    """Refuse what is neither a ``Pynenc`` nor the path of one.

    :raises OptionsError: It cannot be imported, or is something else.
    """
    # Imported here, because the rest of this module must not load pynenc.
    from pytest_pynenc_state.apps.pointing import checked_app, load_app
    from pytest_pynenc_state.errors import AppError

    try:
        if isinstance(app, str):
            load_app(app_path(app))
        else:
            checked_app(app, "the value")
    except AppError as error:
        raise OptionsError(error.message, *error.remedies) from error


def backends_marker(item: Any, state: SessionState) -> tuple[Sequence[str], Sequence[str]]:
    """The backends that the marker ``pynenc_backends`` names, and those that it excludes.

    :raises OptionsError: There is no such backend.
    """
    marker = item.get_closest_marker("pynenc_backends")
    if marker is None:
        return (), ()

    def signature(*names: str, exclude: str | Iterable[str] = ()) -> tuple[Any, Any]:
        return names, (exclude,) if isinstance(exclude, str) else tuple(exclude)

    names, excluded = called(marker, signature)
    for name in (*names, *excluded):
        try:
            state.backend(str(name))
        except OptionsError as error:
            message = f"marker pynenc_backends: {name!r}: {error.message}"
            raise OptionsError(message, *error.remedies) from error
    return names, excluded


def required_capabilities(item: Any) -> list[Capability]:
    """What the markers ``pynenc_requires`` demand of a backend.

    :raises OptionsError: There is no such capability.
    """
    from pytest_pynenc_state.backends.backend import Capability

    known = [capability.value for capability in Capability]
    required = []
    for marker in item.iter_markers("pynenc_requires"):
        for name in called(marker, lambda *capabilities: capabilities):
            if name not in known:
                message = f"marker pynenc_requires: there is no capability {name!r}"
                raise OptionsError(message, near_match(str(name), known))
            required.append(Capability(name))
    return required


def called(marker: pytest.Mark, signature: Any) -> Any:
    """Call *signature* with the marker's arguments, so that Python itself checks them."""
    try:
        return signature(*marker.args, **marker.kwargs)
    except TypeError as error:
        # Python names the function, which nobody has written in a test.
        reason = str(error).replace(f"{signature.__qualname__}()", "it")
        message = f"marker {marker.name}: {reason}"
        raise OptionsError(message, "see pytest --markers for its arguments") from error
