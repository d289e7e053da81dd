"""Opening a place and an app for a test, and closing them in the reverse order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_pynenc_state.apps.configuration import (
    TEST_DEFAULTS,
    checked_values,
    exported,
    monitor_command,
)
from pytest_pynenc_state.apps.pointing import (
    build_app,
    load_app,
    pointed_app,
    touch_components,
)
from pytest_pynenc_state.apps.preserving import preserved_process
from pytest_pynenc_state.apps.reading import remembered_files
from pytest_pynenc_state.apps.searching import remembered_search
from pytest_pynenc_state.backends.backend import (
    Backend,
    Place,
    Service,
    Space,
    check_given,
    remove_folder,
)
from pytest_pynenc_state.errors import BackendError, BackendUnavailable, OptionsError
from pytest_pynenc_state.history_check import judged_histories
from pytest_pynenc_state.markers import app_marker
from pytest_pynenc_state.processes.base_runner import RUNNER_CLASSES
from pytest_pynenc_state.processes.leaks import LeakCheck
from pytest_pynenc_state.selection import runner_kind
from pytest_pynenc_state.session import SessionState, state_of

if TYPE_CHECKING:
    from pynenc.app import Pynenc

# What every kind of store takes as the name of a file, a folder or a database.
_NAMESPACE = re.compile(r"[\w-]+", re.ASCII)


@contextmanager
def nothing_left(request: pytest.FixtureRequest, backend: Backend) -> Iterator[None]:
    """Mark what is started meanwhile as ours; afterwards nothing of it may be left.

    Before that, the service of *backend* is started, which lives on for other tests.

    :raises BackendError: *backend*, which an author's fixture may give, is none.
    :raises ProcessLeaked: Something was left; the message names it.
    """
    check_given("pynenc_backend", backend, Backend)
    with suppress(BackendUnavailable):  # which is dealt with when the place is opened
        backend.require_libraries()
        _value_of(backend.service, request)
    state = state_of(request.config)
    allowed = request.node.get_closest_marker("pynenc_no_leak_check")
    with state.guard.marking():
        if allowed or state.options.check_leaks == "off":
            yield
            return
        check = LeakCheck(state.guard)
        try:
            yield
        finally:
            check.close(with_sockets=not state.record(request.node).failed)


@contextmanager
def opened_place(
    request: pytest.FixtureRequest, backend: Backend, namespace: str
) -> Iterator[Place]:
    """Open a place of *backend* and export it; afterwards close it.

    It is removed once the whole test has ended, and is known to have passed or failed.

    :raises BackendError: *namespace*, which an author's fixture may give, cannot name a store.
    """
    state = state_of(request.config)
    record = state.record(request.node)
    _check_namespace(namespace)
    try:
        place = _available_place(request, backend, namespace)
    except BackendUnavailable as error:
        if state.options.fails_on_missing():
            raise
        pytest.skip(f"backend {backend.name!r}: {error}")
    folder = base_directory(request) / namespace

    def remove() -> None:
        place.remove()
        remove_folder(folder)

    state.dispose_of(record, remove)
    values = {**backend.components, **place.values}
    if place.outlives_run:
        record.location = f"{backend.name}: {place.location}"
        record.monitor = partial(monitor_command, values, backend.modules)
    try:
        with exported(values, modules=backend.modules):
            yield place
    finally:
        place.close()


def _available_place(request: pytest.FixtureRequest, backend: Backend, namespace: str) -> Place:
    backend.import_modules()
    directory = base_directory(request)
    service = _value_of(backend.service, request)
    space = Space(namespace, directory / namespace, directory, service)
    place: object = backend.open_place(space)
    if not isinstance(place, Place):
        message = f"backend {backend.name!r}: open_place returned {place!r}, expected a Place"
        raise BackendError(message, "return pytest_pynenc_state.Place(values=..., location=...)")
    return place


def _check_namespace(given: object) -> None:
    if not isinstance(given, str) or not _NAMESPACE.fullmatch(given):
        message = f"fixture pynenc_namespace: expected letters, digits, _ and -, got {given!r}"
        raise BackendError(message, "it names files, folders and databases: mend your fixture")


def _value_of(service: Service, request: pytest.FixtureRequest) -> Any:
    if isinstance(service, tuple):
        return tuple(_value_of(part, request) for part in service)
    return None if service is None else request.getfixturevalue(service)


def base_directory(request: pytest.FixtureRequest) -> Path:
    """Where the folders of places are: pytest's, or ours if pytest is told to remove its own."""
    factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
    if request.config.getini("tmp_path_retention_policy") == "all":
        return factory.getbasetemp() / "pynenc"
    # What we say is kept must not be among what it removes.
    return state_of(request.config).own_directory


@contextmanager
def exported_values(
    request: pytest.FixtureRequest,
    backend: Backend,
    place: Place,
    config: Mapping[str, Any],
) -> Iterator[dict[str, Any]]:
    """Give the configuration values for an app on *place*, exported for child processes.

    Strongest first: the place and its components, the marker ``pynenc``, the fixture
    ``pynenc_config``, the defaults for tests. Afterwards variables, and what pynenc keeps
    for the whole process, are as they were.

    :raises BackendError: *backend* or *place*, which an author's fixture may give, is none.
    :raises OptionsError: *config* has an unknown field, or one that belongs to the place.
    """
    check_given("pynenc_backend", backend, Backend)
    check_given("pynenc_place", place, Place)
    _, marked = app_marker(request.node)
    state = state_of(request.config)
    values = {
        **TEST_DEFAULTS,
        "runner_cls": RUNNER_CLASSES[runner_kind(request.node, state.options)],
        **_allowed(config, "pynenc_config", backend, place, state),
        **_allowed(marked, "marker pynenc", backend, place, state),
        **backend.components,
        **place.values,
    }
    hidden = ("app_id",) if author_app(request) is None else ()
    with (
        preserved_process(),
        remembered_files(),
        remembered_search(),
        exported(values, hidden=hidden, modules=backend.modules),
    ):
        yield values


def _allowed(
    config: Mapping[str, Any],
    source: str,
    backend: Backend,
    place: Place,
    state: SessionState,
) -> dict[str, Any]:
    """Return *config*, which may set anything but what leads to the place."""
    checked = checked_values(config, source, state.import_backends)
    for name in checked:
        if name in backend.components or name in place.values:
            message = f"{source}: {name!r} belongs to the place of backend {backend.name!r}"
            raise OptionsError(message, "leave it out, or select another backend")
    return checked


def app_factory(
    request: pytest.FixtureRequest,
    backend: Backend,
    place: Place,
    values: Mapping[str, Any],
    namespace: str,
) -> Callable[..., Pynenc]:
    """Return the function that builds further apps on *place*."""
    author = author_app(request)
    under_test = load_app(author) if isinstance(author, str) else author
    state = state_of(request.config)

    def factory(app_id: str | None = None, **config: Any) -> Pynenc:
        own = {**values, **_allowed(config, "pynenc_app_factory", backend, place, state)}
        # Variables beat what an app is given, so its values must be exported while it, and
        # each of its components, reads them.
        with exported(own, hidden=("app_id",), modules=backend.modules):
            chosen_id = app_id or (under_test.app_id if under_test else namespace)
            app = build_app(chosen_id, own)
            touch_components(app)
        return app

    return factory


@contextmanager
def opened_app(
    request: pytest.FixtureRequest, values: Mapping[str, Any], namespace: str
) -> Iterator[Pynenc]:
    """Give the app under test: the author's, re-pointed and put back, or a fresh one.

    Before that, its histories are judged.
    """
    options = state_of(request.config).options
    with (
        _pointed_or_built(request, values, namespace) as app,
        judged_histories(
            app,
            state_of(request.config).record(request.node),
            timeout_s=options.timeout,
            is_checked=is_judged(request),
            is_drawn=options.timelines == "all",
        ),
    ):
        yield app


def is_judged(request: pytest.FixtureRequest) -> bool:
    """Whether the histories of the test are judged when it ends."""
    unjudged = request.node.get_closest_marker("pynenc_no_history_check")
    return state_of(request.config).options.check_history == "on" and unjudged is None


@contextmanager
def _pointed_or_built(
    request: pytest.FixtureRequest, values: Mapping[str, Any], namespace: str
) -> Iterator[Pynenc]:
    app = author_app(request)
    if app is None:
        yield build_app(namespace, values)
    elif isinstance(app, str):
        with pointed_app(load_app(app), values) as pointed:
            yield pointed
    else:
        with pointed_app(app, values) as pointed:
            yield pointed


def author_app(request: pytest.FixtureRequest) -> str | Pynenc | None:
    """The author's app, as the marker or the option names it."""
    app, _ = app_marker(request.node)
    chosen: str | Pynenc | None = app or state_of(request.config).options.app
    return chosen
