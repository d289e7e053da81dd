"""What an author of backends may have: a good one, and some that are not quite."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pynenc.broker.sqlite_broker import SQLiteBroker

from pytest_pynenc_state.backends.memory.place import BACKEND as MEMORY
from pytest_pynenc_state.backends.sqlite.place import BACKEND as SQLITE
from pytest_pynenc_state.backends.sqlite.state_backend import PytestSQLiteStateBackend


class FarSightedStateBackend(PytestSQLiteStateBackend):
    """Counts grandchildren as children."""

    def get_child_invocations(self, parent_invocation_id: Any) -> Iterator[Any]:
        """List children and theirs."""
        for child_id in list(super().get_child_invocations(parent_invocation_id)):
            yield child_id
            yield from super().get_child_invocations(child_id)


class OutdatedStateBackend(PytestSQLiteStateBackend):
    """Was written for another pynenc."""

    @abstractmethod
    def get_invocations_by_moon_phase(self) -> None:
        """Be required by this pynenc."""


class OutdatedBroker(SQLiteBroker):
    """Was written for another pynenc, too."""

    @abstractmethod
    def route_by_carrier_pigeon(self) -> None:
        """Be required by this pynenc."""


def open_no_place(space: Any) -> Any:
    """Find no room for a place."""
    message = f"no room for {space.namespace}"
    raise RuntimeError(message)


def _backend(name: str, **components: str) -> Any:
    modules = (*SQLITE.modules, "authors_backend")
    return replace(
        SQLITE, name=name, components={**SQLITE.components, **components}, modules=modules
    )


GOOD = _backend("good")
FAR_SIGHTED = _backend("far-sighted", state_backend_cls="FarSightedStateBackend")
OUTDATED = _backend("outdated", broker_cls="OutdatedBroker")
VERY_OUTDATED = _backend(
    "very-outdated", broker_cls="OutdatedBroker", state_backend_cls="OutdatedStateBackend"
)
NOWHERE = _backend("nowhere", orchestrator_cls="NoSuchOrchestrator")
NO_MODULE = replace(GOOD, name="no-module", modules=("no_such_package.backend",))
NO_ROOM = replace(GOOD, name="no-room", open_place=open_no_place)
FAR_AWAY = replace(GOOD, name="far-away", libraries=("no_such_driver",))
LONELY = replace(MEMORY, name="lonely")
