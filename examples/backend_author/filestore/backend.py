"""The recipe: which classes an app has, and how a test gets a location of its own."""

from __future__ import annotations

from pytest_pynenc_state import Backend, Capability, Place, Space


def open_place(space: Space) -> Place:
    """Lead an app to a new folder, and to a SQLite file for all but the state backend."""
    space.directory.mkdir(parents=True)
    values = {
        "files_directory": str(space.directory / "files"),
        "sqlite_db_path": str(space.directory / "rest.db"),
    }
    return Place(values, location=str(space.directory))


BACKEND = Backend(
    name="files",
    components={
        "state_backend_cls": "FileStateBackend",
        "orchestrator_cls": "PytestSQLiteOrchestrator",
        "broker_cls": "SQLiteBroker",
        "trigger_cls": "SQLiteTrigger",
        "client_data_store_cls": "SQLiteClientDataStore",
    },
    modules=("filestore.state_backend", "pytest_pynenc_state.pynenc_plugin"),
    open_place=open_place,
    capabilities=frozenset(Capability),
    summary="plain files, one for each value",
)
