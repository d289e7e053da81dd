"""Which backends there are, and selecting some of them by name.

A name is, in this order: a built-in one; one from the hook ``pytest_pynenc_backends`` or
the entry-point group ``pytest_pynenc_state.backends``; a dotted path ``pkg.mod:attr`` to a
`Backend`; or ``STATE+REST``, the state backend of the first and all else of the second.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pytest_pynenc_state.backends.backend import Backend, ConfigValue, Place, Space
from pytest_pynenc_state.errors import BackendError, OptionsError
from pytest_pynenc_state.option_values import near_match

ENTRY_POINT_GROUP = "pytest_pynenc_state.backends"

#: Loaded on first use: a recipe's module may import what its backend needs.
_BUILTIN = {
    "memory": "pytest_pynenc_state.backends.memory.place:BACKEND",
    "sqlite": "pytest_pynenc_state.backends.sqlite.place:BACKEND",
    "mongomock": "pytest_pynenc_state.backends.mongo.place:MONGOMOCK",
    "mongo": "pytest_pynenc_state.backends.mongo.place:MONGO",
    "pynenc-memory": "pytest_pynenc_state.backends.pynenc:MEMORY",
    "pynenc-sqlite": "pytest_pynenc_state.backends.pynenc:SQLITE",
}


class Catalogue:
    """All backends that one pytest run can select.

    :param from_hooks: What the hook implementations returned, in any nesting of one.
    """

    def __init__(self, from_hooks: Iterable[Iterable[Backend]] = ()) -> None:
        self._loaders: dict[str, Callable[[], Any]] = {
            name: partial(load_attribute, path) for name, path in _BUILTIN.items()
        }
        for backend in (backend for group in from_hooks for backend in group):
            self._add(
                _checked(backend, "the hook pytest_pynenc_backends").name, partial(_same, backend)
            )
        for entry_point in entry_points(group=ENTRY_POINT_GROUP):
            self._add(entry_point.name, partial(_loaded, entry_point))

    def _add(self, name: str, loader: Callable[[], Any]) -> None:
        if name in self._loaders:
            message = f"two backends are called {name!r}"
            raise OptionsError(message, "rename one of them, or uninstall its plugin")
        self._loaders[name] = loader

    @property
    def names(self) -> tuple[str, ...]:
        """The names that can be selected as they are."""
        return tuple(self._loaders)

    def select(self, name: str) -> Backend:
        """Return the backend called *name*.

        :raises OptionsError: There is none; the message has the nearest name.
        """
        if name in self._loaders:
            return replace(_checked(self._loaders[name](), name), name=name)
        if ":" in name and "+" not in name:
            return _checked(load_attribute(name), name)
        state_name, plus, rest_name = name.partition("+")
        if plus and state_name and rest_name:
            return _composite(self.select(state_name), self.select(rest_name))
        message = f"no backend is called {name!r}"
        raise OptionsError(message, near_match(name, self.names))


def load_attribute(path: str) -> Any:
    """Import what ``pkg.mod:attr`` names.

    :raises OptionsError: The module cannot be imported, or has no such attribute.
    """
    module_name, _, attribute = path.partition(":")
    if not all(part.isidentifier() for part in module_name.split(".")):
        message = f"{path!r}: {module_name!r} cannot be the name of a module"
        raise OptionsError(message, "write it as in an import statement, like shop.app:app")
    try:
        module = importlib.import_module(module_name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a user's module raises: SystemExit, a skip
        message = f"{path!r}: cannot import {module_name!r}: {type(error).__name__}: {error}"
        raise OptionsError(message, *_import_remedies(module_name, error)) from error
    if not hasattr(module, attribute):
        message = f"{path!r}: module {module_name!r} has no {attribute!r}"
        known = [name for name in vars(module) if not name.startswith("_")]
        raise OptionsError(message, near_match(attribute, known))
    return getattr(module, attribute)


def _import_remedies(module_name: str, error: BaseException) -> list[str]:
    missing = str(getattr(error, "name", ""))
    # A module that fails because of another one is itself spelled right.
    if isinstance(error, ModuleNotFoundError) and module_name.startswith(missing):
        nearest = near_match(missing, _importable_beside(missing))
        return [nearest, "check the ini option pythonpath"]
    return ["mend the module, or name another one"]


def _importable_beside(module_name: str) -> list[str]:
    """The modules that could be imported from where *module_name* was looked for."""
    parent, dot, _ = module_name.rpartition(".")
    folders = getattr(importlib.import_module(parent), "__path__", ()) if dot else None
    return [parent + dot + module.name for module in pkgutil.iter_modules(folders)]


def _checked(candidate: object, origin: str) -> Backend:
    if isinstance(candidate, Backend):
        return candidate
    message = f"{origin}: expected a pytest_pynenc_state.Backend, got {candidate!r}"
    raise OptionsError(message)


def _loaded(entry_point: EntryPoint) -> Any:
    try:
        return entry_point.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever somebody's module raises when it is imported
        message = (
            f"entry point {entry_point.name!r} ({entry_point.value}) cannot be loaded: "
            f"{type(error).__name__}: {error}"
        )
        raise OptionsError(message, "mend or uninstall the package that declares it") from error


def _same(backend: Backend) -> Backend:
    return backend


def _composite(state: Backend, rest: Backend) -> Backend:
    state_class = state.components.get("state_backend_cls")
    if state_class is None:
        message = f"backend {state.name!r} has no state backend to combine with {rest.name!r}"
        raise OptionsError(message, "name one that declares the component state_backend_cls")
    return Backend(
        name=f"{state.name}+{rest.name}",
        components={**rest.components, "state_backend_cls": state_class},
        modules=_each_once(state.modules, rest.modules),
        open_place=partial(_open_both, state.open_place, rest.open_place),
        capabilities=state.capabilities & rest.capabilities,
        summary=f"state backend of {state.name}, all else of {rest.name}",
        libraries=_each_once(state.libraries, rest.libraries),
        install=" and ".join(_each_once(filter(None, (state.install, rest.install)))),
        service=(state.service, rest.service),
    )


def _each_once(*groups: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for group in groups for name in group))


def _open_both(
    open_state: Callable[[Space], Place], open_rest: Callable[[Space], Place], space: Space
) -> Place:
    state_service, rest_service = space.service or (None, None)
    state = open_state(replace(space, service=state_service))
    try:
        rest = open_rest(replace(space, service=rest_service))
        values = _merged(state.values, rest.values)
    except BaseException:
        state.close()
        state.remove()
        raise

    def close() -> None:
        try:
            rest.close()
        finally:
            state.close()

    def remove() -> None:
        try:
            rest.remove()
        finally:
            state.remove()

    return Place(
        values,
        f"{state.location} + {rest.location}",
        close,
        remove,
        outlives_run=state.outlives_run and rest.outlives_run,
    )


def _merged(
    state: Mapping[str, ConfigValue], rest: Mapping[str, ConfigValue]
) -> dict[str, ConfigValue]:
    for key in state.keys() & rest.keys():
        if state[key] != rest[key]:
            message = (
                f"both backends of a composite set {key!r}, to {state[key]!r} and {rest[key]!r}: "
                "one app cannot follow both"
            )
            raise BackendError(message, "combine backends that do not share a setting")
    return {**state, **rest}
