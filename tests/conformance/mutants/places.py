"""Faults of where a backend's places lead."""

from __future__ import annotations

from dataclasses import replace

from pynenc.trigger.sqlite_trigger import SQLiteTrigger

from pytest_pynenc_state import Place, Space
from pytest_pynenc_state.backends.sqlite.place import BACKEND as SQLITE
from tests.conformance.mutants.mutant import declare_backend


def open_place(space: Space) -> Place:
    """Open a place whose values name another broker."""
    place = SQLITE.open_place(space)
    return replace(place, values={**place.values, "broker_cls": "MemBroker"})


declare_backend(
    replace(SQLITE, name="OtherBroker", open_place=open_place),
    "The values of its places replace a component.",
    "BE-SET-02",
)


class AmbiguousTrigger(SQLiteTrigger):
    """Shares its name with another one, so that pynenc takes either of them."""


Namesake = type("AmbiguousTrigger", (SQLiteTrigger,), {"__module__": "somewhere.else"})

declare_backend(
    replace(
        SQLITE,
        name="Ambiguous",
        components={**SQLITE.components, "trigger_cls": "AmbiguousTrigger"},
        modules=(*SQLITE.modules, __name__),
    ),
    "Another class has the name of its trigger.",
    "BE-SET-02",
)
