"""Faults of whole backends: the place, the classes, what is claimed."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

from pynenc.broker.sqlite_broker import SQLiteBroker

from pytest_pynenc_state import Backend, Place, Space
from pytest_pynenc_state.backends.memory.place import BACKEND as MEMORY
from pytest_pynenc_state.backends.sqlite.place import BACKEND as SQLITE
from tests.conformance.mutants.mutant import declare_backend


class OutdatedBroker(SQLiteBroker):
    """Lacks what a newer pynenc asks for."""

    @abstractmethod
    def route_by_carrier_pigeon(self) -> None:
        """Be required by a newer pynenc."""


def open_used_place(space: Space) -> Place:
    """Open a place in which somebody has been already."""
    from pynenc.app import Pynenc

    place = SQLITE.open_place(space)
    app = Pynenc(config_values={**SQLITE.components, **place.values, "app_id": space.namespace})
    app.state_backend._set_result("invocation", "of somebody else")
    return place


def _named(backend: Backend, name: str, **changes: object) -> Backend:
    return replace(backend, name=name, **changes)  # type: ignore[arg-type]


declare_backend(
    _named(
        SQLITE,
        "Outdated",
        components={**SQLITE.components, "broker_cls": "OutdatedBroker"},
        modules=(*SQLITE.modules, __name__),
    ),
    "Its broker cannot be built.",
    "BE-SET-01",
)
declare_backend(
    _named(SQLITE, "NotEmpty", open_place=open_used_place),
    "Its places have been used before.",
    "BE-SET-03",
)
declare_backend(
    _named(MEMORY, "NotShared", capabilities=SQLITE.capabilities),
    "It claims to be shared, and is not.",
    "BE-SET-04",
    "BE-RAC-01",
)
