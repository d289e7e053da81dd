"""A backend is a recipe; a place is one location opened from it.

A recipe is plain data: class names, the modules that define them, what the backend
claims to be able to do, and the importable function that opens a place. It can be
pickled, so a child process rebuilds its app from it instead of inheriting objects.
"""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias, Union

from pytest_pynenc_state.errors import BackendError, BackendUnavailable, NotShared

#: A pynenc configuration value that can travel in an environment variable.
ConfigValue: TypeAlias = str | int | float | bool

#: The name of a pytest fixture; a tuple of such names, or of such tuples; or None.
Service: TypeAlias = Union[str, tuple["Service", ...], None]  # noqa: UP007 - refers to itself

#: The pynenc configuration fields that choose an app's components.
COMPONENT_FIELDS = (
    "state_backend_cls",
    "orchestrator_cls",
    "broker_cls",
    "trigger_cls",
    "client_data_store_cls",
)


class Capability(StrEnum):
    """What a backend claims."""

    SHARED = "shared"  #: several processes see one state
    DURABLE = "durable"  #: the state survives ``kill -9`` of any client
    ATOMIC = "atomic"  #: status transitions are atomic between processes
    REAL_ENGINE = "real_engine"  #: the store is the real one, not a mock of it


@dataclass(frozen=True)
class Place:
    """One isolated location a backend keeps its data in, opened for one test.

    :param values: pynenc configuration values that lead an app to the location.
    :param location: The location in words for people: a file, a URL.
    :param close: Releases what this process holds of the location; the data stay, if the
        place outlives the run.
    :param remove: Removes the location after `close`: only what opening it made. It may be
        called when the backend's service has ended already, and then does what it can. The
        folder `Space.directory` is removed after it.
    :param outlives_run: Whether it can be kept for people to look at. False if it ends with
        the test run, as memory does; then it is removed after the test, failed or not.
    """

    values: Mapping[str, ConfigValue]
    location: str
    close: Callable[[], None] = field(default=lambda: None, repr=False)
    remove: Callable[[], None] = field(default=lambda: None, repr=False)
    outlives_run: bool = True


@dataclass(frozen=True)
class Space:
    """What a backend may use to open a place that nobody else has.

    :param namespace: A short name unique among all tests, workers and runs.
    :param directory: An empty directory for this place alone; the opener may create it.
    :param session_directory: A directory that all places of this run share.
    :param service: The value of the fixture that `Backend.service` names, for example the URL
        of a server; a tuple of values if it names several. Not shown in tracebacks, because
        it may hold a password.
    """

    namespace: str
    directory: Path
    session_directory: Path
    service: Any = field(default=None, repr=False)


def remove_folder(folder: Path) -> None:
    """Remove *folder* and all in it; do nothing if it is gone, as a composite's may be."""
    if folder.exists():
        shutil.rmtree(folder)


def _is_importable(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of the package it is in
        return False


@dataclass(frozen=True)
class Backend:
    """A named, picklable recipe for places.

    :param name: How users select it.
    :param components: pynenc configuration field to class name, for the five components. What
        is left out is pynenc's default.
    :param modules: Modules whose import defines those classes.
    :param open_place: Importable function that opens one place; what it raises as
        `BackendUnavailable` may skip the test.
    :param capabilities: What the backend claims.
    :param summary: One line for ``--pynenc-list-backends``.
    :param libraries: Modules that must be importable besides *modules*, drivers for example.
        They are looked for, not imported, and only when a test asks for the backend.
    :param install: How to get *libraries*: the command that installs them.
    :param service: The pytest fixture that gives the server which the places are on, of any
        scope; its value is the opener's `Space.service`. A project overrides that fixture to
        start the server its own way. What it raises as `BackendUnavailable` may skip the test.
    :raises BackendError: *components* has another field than those of the five components.
    """

    name: str
    components: Mapping[str, str]
    modules: tuple[str, ...]
    open_place: Callable[[Space], Place]
    capabilities: frozenset[Capability] = frozenset()
    summary: str = ""
    libraries: tuple[str, ...] = ()
    install: str = ""
    service: Service = None

    def __post_init__(self) -> None:
        for component in self.components:
            if component not in COMPONENT_FIELDS:
                message = f"backend {self.name!r}: components: there is no component {component!r}"
                remedies = (
                    f"the components are {', '.join(COMPONENT_FIELDS)}",
                    "give other settings in Place.values",
                )
                raise BackendError(message, *remedies)

    def lacks(self, required: Iterable[Capability]) -> tuple[Capability, ...]:
        """The capabilities of *required* that this backend does not claim, in order."""
        return tuple(name for name in required if name not in self.capabilities)

    def obstacle(self) -> str:
        """Say why this backend cannot run on this machine, or return nothing if it may."""
        missing = [name for name in self.libraries if not _is_importable(name)]
        return f"needs {' and '.join(missing)}, not installed here" if missing else ""

    def require_libraries(self) -> None:
        """Refuse a backend whose libraries are not all installed.

        :raises BackendUnavailable: The message names those that are missing.
        """
        if obstacle := self.obstacle():
            message = f"backend {self.name!r} {obstacle}"
            raise BackendUnavailable(message, *self.remedies())

    def import_modules(self) -> None:
        """Import what defines its components.

        :raises BackendUnavailable: Libraries are missing.
        :raises BackendError: A module cannot be imported.
        """
        self.require_libraries()
        for module in self.modules:
            try:
                importlib.import_module(module)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # whatever an author's module raises: SystemExit, a skip
                cause = f"{type(error).__name__}: {error}"
                message = f"backend {self.name!r}: modules: cannot import {module!r}: {cause}"
                remedies = (
                    "correct the name in the backend's modules, or mend the module",
                    "check the ini option pythonpath",
                )
                raise BackendError(message, *remedies) from error

    def remedies(self) -> tuple[str, ...]:
        """What to do about missing libraries."""
        return (self.install or f"install {', '.join(self.libraries)}", "or select another backend")

    def require_shared(self, wanted_by: str) -> None:
        """Refuse a second process if it would see a state of its own.

        :raises NotShared: The backend does not claim `Capability.SHARED`.
        """
        if Capability.SHARED not in self.capabilities:
            message = (
                f"{wanted_by} needs a second process, but the state of backend {self.name!r} "
                "lives in one process: the other one would see an empty store"
            )
            raise NotShared(
                message,
                "select a backend that claims 'shared', for example --pynenc-backend sqlite",
                "or mark the test with @pytest.mark.pynenc_requires('shared')",
            )


def check_given(fixture: str, given: object, kind: type[Backend | Place]) -> None:
    """Refuse what an author's fixture gives, if it is nothing of that kind.

    :param fixture: What the message calls it.
    :raises BackendError: The message says what was expected.
    """
    if not isinstance(given, kind):
        message = (
            f"fixture {fixture}: expected a pytest_pynenc_state.{kind.__name__}, got {given!r}"
        )
        raise BackendError(message, "mend the fixture that overrides it, or remove that one")
