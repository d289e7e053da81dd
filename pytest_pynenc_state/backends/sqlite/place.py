"""A place is one file, copied from an empty one made once per process."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pytest_pynenc_state.backends.backend import (
    Backend,
    Capability,
    Place,
    Space,
)
from pytest_pynenc_state.backends.sqlite.connection import open_database
from pytest_pynenc_state.backends.sqlite.schema import empty_file
from pytest_pynenc_state.backends.upstream import restore_upstream

_empty_file = cache(empty_file)

# What SQLite adds to the name of a file for those it keeps beside it, while any process has it
# open or if the last one was killed.
_BESIDE = ("-wal", "-shm")


def open_place(space: Space) -> Place:
    """Open a place in a new file among those of this run; a folder for each would take longer."""
    path = space.session_directory / f"{space.namespace}.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_empty_file())

    def close() -> None:
        restore_upstream()
        open_database(path).close()

    return Place(
        {"sqlite_db_path": str(path)},
        str(path),
        close=close,
        remove=lambda: _remove_file(path),
    )


def _remove_file(path: Path) -> None:
    for suffix in ("", *_BESIDE):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


BACKEND = Backend(
    name="sqlite",
    components={
        "state_backend_cls": "PytestSQLiteStateBackend",
        "orchestrator_cls": "PytestSQLiteOrchestrator",
        "broker_cls": "PytestSQLiteBroker",
        "trigger_cls": "PytestSQLiteTrigger",
        "client_data_store_cls": "PytestSQLiteClientDataStore",
    },
    modules=("pytest_pynenc_state.pynenc_plugin",),
    open_place=open_place,
    capabilities=frozenset(Capability),
    summary="a temporary SQLite file, shared by every process",
)
