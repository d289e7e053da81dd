"""What of a backend can be built on the installed pynenc, and what stands in for the rest.

pynenc adds abstract methods from release to release. A component that lacks one cannot be
built, and with it no app; the other components are good for their clauses all the same.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pytest_pynenc_state.backends.backend import Backend

#: The classes of pynenc that stand in for components that cannot be built.
_STAND_INS = {
    "state_backend_cls": ("pynenc.state_backend.mem_state_backend", "MemStateBackend"),
    "orchestrator_cls": ("pynenc.orchestrator.mem_orchestrator", "MemOrchestrator"),
    "broker_cls": ("pynenc.broker.mem_broker", "MemBroker"),
    "trigger_cls": ("pynenc.trigger.mem_trigger", "MemTrigger"),
    "client_data_store_cls": (
        "pynenc.client_data_store.mem_client_data_store",
        "MemClientDataStore",
    ),
}

_BASES = {
    "state_backend_cls": ("pynenc.state_backend.base_state_backend", "BaseStateBackend"),
    "orchestrator_cls": ("pynenc.orchestrator.base_orchestrator", "BaseOrchestrator"),
    "broker_cls": ("pynenc.broker.base_broker", "BaseBroker"),
    "trigger_cls": ("pynenc.trigger.base_trigger", "BaseTrigger"),
    "client_data_store_cls": (
        "pynenc.client_data_store.base_client_data_store",
        "BaseClientDataStore",
    ),
}


@dataclass(frozen=True)
class Unbuildable:
    """A component that cannot be built on the installed pynenc.

    :param class_name: The class that the backend declares.
    :param missing: The abstract methods that it lacks; none if there is no such class.
    """

    class_name: str
    missing: tuple[str, ...]

    def __str__(self) -> str:
        if not self.missing:
            return f"{self.class_name}: none of the backend's modules defines it"
        return f"{self.class_name} lacks {', '.join(self.missing)}"


def unbuildable_of(backend: Backend) -> Mapping[str, Unbuildable]:
    """Find the components that cannot be built, by their configuration field.

    :raises BackendUnavailable: A library that *backend* needs is not installed.
    :raises BackendError: One of its modules cannot be imported.
    """
    backend.import_modules()
    found = {}
    for field, class_name in sorted(backend.components.items()):
        kinds = classes_named(field, class_name)
        missing = {name for kind in kinds for name in getattr(kind, "__abstractmethods__", ())}
        if missing or not kinds:
            found[field] = Unbuildable(class_name, tuple(sorted(missing)))
    return found


def classes_named(field: str, class_name: str) -> list[type[Any]]:
    """The component classes of that name; pynenc takes any of them, if there are several."""
    base = _loaded(*_BASES[field])
    return [kind for kind in dict.fromkeys(_subclasses(base)) if kind.__name__ == class_name]


def buildable(backend: Backend) -> Backend:
    """Return *backend* with pynenc's memory components for those that cannot be built.

    :raises BackendUnavailable: A library that it needs is not installed.
    :raises BackendError: One of its modules cannot be imported.
    """
    broken = unbuildable_of(backend)
    if not broken:
        return backend
    stand_ins = {field: _STAND_INS[field] for field in broken}
    return replace(
        backend,
        components={
            **backend.components,
            **{field: name for field, (_, name) in stand_ins.items()},
        },
        modules=(*backend.modules, *(module for module, _ in stand_ins.values())),
    )


def _loaded(module: str, name: str) -> type:
    found: type = getattr(importlib.import_module(module), name)
    return found


def _subclasses(base: type[Any]) -> Iterator[type[Any]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _subclasses(kind)
