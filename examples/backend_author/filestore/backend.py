"""The recipe: which classes an app has, and how a test gets a location of its own."""

from __future__ import annotations

from dataclasses import replace

from pytest_pynenc_state import Place, Space
from pytest_pynenc_state.backends.sqlite.place import BACKEND as SQLITE


def open_place(space: Space) -> Place:
    """Lead an app to a new folder, and to a SQLite file for all but the state backend."""
    rest = SQLITE.open_place(space)
    files = space.directory / "files"
    return replace(rest, values={**rest.values, "files_directory": str(files)}, location=str(files))


BACKEND = replace(
    SQLITE,
    name="files",
    components={**SQLITE.components, "state_backend_cls": "FileStateBackend"},
    modules=("filestore.state_backend", *SQLITE.modules),
    open_place=open_place,
    summary="plain files, one for each value",
)
