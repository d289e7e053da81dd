"""pynenc's own component classes as backends, for comparison and for its users."""

from __future__ import annotations

import gc
import os
import warnings

from pynenc.state_backend.mem_state_backend import MemStateBackend

from pytest_pynenc_state.backends.backend import (
    COMPONENT_FIELDS,
    Backend,
    Capability,
    Place,
    Space,
)
from pytest_pynenc_state.backends.sqlite_file import file_of, remove_file
from pytest_pynenc_state.backends.upstream import close_upstream_connections, restore_upstream

_CLASS_NAMES = ("StateBackend", "Orchestrator", "Broker", "Trigger", "ClientDataStore")


def components(prefix: str) -> dict[str, str]:
    """Pynenc's five component classes whose names start with *prefix*."""
    names = zip(COMPONENT_FIELDS, _CLASS_NAMES, strict=True)
    return {component: prefix + name for component, name in names}


def open_memory(space: Space) -> Place:
    """Open a place in this process; each app has a store of its own there anyway.

    Its `close` puts back which apps there are, which pynenc keeps for the whole process.
    """
    location = f"memory of process {os.getpid()} ({space.namespace})"
    app_infos = MemStateBackend._app_info_registry
    known = dict(app_infos)

    def close() -> None:
        app_infos.clear()
        app_infos.update(known)

    return Place({}, location, close=close, outlives_run=False)


def open_sqlite(space: Space) -> Place:
    """Open a place in a file that pynenc creates on first use."""
    path = file_of(space)
    close_upstream_connections()
    return Place(
        {"sqlite_db_path": str(path)},
        str(path),
        close=_close,
        remove=lambda: remove_file(path),
    )


def _close() -> None:
    restore_upstream()
    # The client data store's connections remain, in reference cycles.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


MEMORY = Backend(
    name="pynenc-memory",
    components=components("Mem"),
    modules=(),
    open_place=open_memory,
    capabilities=frozenset({Capability.REAL_ENGINE}),
    summary="pynenc's own memory classes, in one process",
)

SQLITE = Backend(
    name="pynenc-sqlite",
    components=components("SQLite"),
    modules=(),
    open_place=open_sqlite,
    capabilities=frozenset(Capability),
    summary="pynenc's own classes on a SQLite file",
)
