"""A place is one file, copied from an empty one made once per process."""

from __future__ import annotations

from functools import cache

from pytest_pynenc_state.backends.backend import (
    Backend,
    Capability,
    Place,
    Space,
)
from pytest_pynenc_state.backends.sqlite.connection import open_database
from pytest_pynenc_state.backends.sqlite.failures import unwritten
from pytest_pynenc_state.backends.sqlite.schema import empty_file
from pytest_pynenc_state.backends.sqlite_file import file_of, remove_file
from pytest_pynenc_state.backends.upstream import restore_upstream

_empty_file = cache(empty_file)


def open_place(space: Space) -> Place:
    """Open a place in a new file.

    :raises StoreFull: There is no room for it; no file is left.
    :raises StoreUnusable: It cannot be written; no file is left.
    """
    path = file_of(space)
    try:
        path.write_bytes(_empty_file())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise unwritten(error, path) from error

    def close() -> None:
        restore_upstream()
        open_database(path).close()

    return Place(
        {"sqlite_db_path": str(path)},
        str(path),
        close=close,
        remove=lambda: remove_file(path),
    )


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
