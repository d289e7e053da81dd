"""A file of our own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_pynenc_state.backends.sqlite.connection import Database, open_database
from pytest_pynenc_state.backends.sqlite.schema import prepare_file


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """Where a test may put its file; afterwards this process has closed it."""
    yield tmp_path / "store.db"
    open_database(tmp_path / "store.db").close()


@pytest.fixture
def database(path: Path) -> Database:
    """A ready file with one table ``numbers``, which no schema of ours minds."""
    prepare_file(path)
    found = open_database(path)
    found.write("CREATE TABLE numbers (number)")
    return found
