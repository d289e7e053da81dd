"""Processes that are killed: the file stays sound, and nothing uncommitted is in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_pynenc_state.backends.backend import Place
from pytest_pynenc_state.backends.sqlite.connection import open_database
from pytest_pynenc_state.conformance.together import HANG_GUARD_S
from tests.backends.sqlite.workers import build_app, stay_inside_a_transaction
from tests.backends.workers import AppAddress, work_until_killed

Started = Callable[..., tuple[Any, Any]]


def _is_sound(path: str | Path) -> bool:
    return open_database(path).read("PRAGMA integrity_check") == [("ok",)]


@pytest.mark.pynenc_backends("sqlite")
@pytest.mark.parametrize("count", [1, 7, 20])
def test_a_process_that_is_killed_leaves_a_sound_file(
    address: AppAddress, pynenc_place: Place, started: Started, count: int
) -> None:
    """Nothing that SQLite checks of a file has suffered."""
    process, pipe = started(work_until_killed, address)
    for _ in range(count):
        pipe.recv()
    process.kill()
    process.join(HANG_GUARD_S)
    assert _is_sound(str(pynenc_place.values["sqlite_db_path"]))


def test_a_transaction_of_a_killed_process_is_undone(path: Path, started: Started) -> None:
    """What it had not committed is not there, what it had is, and its lock is gone."""
    app = build_app(path)
    app.state_backend.purge()
    database = open_database(path)
    database.write("CREATE TABLE numbers (number)")
    process, pipe = started(stay_inside_a_transaction, path)
    assert pipe.recv() == "written"
    process.kill()
    process.join(HANG_GUARD_S)
    app.state_backend._set_result("invocation", "after")
    results = [app.state_backend._get_result(each) for each in ("committed", "invocation")]
    left = database.read("SELECT number FROM numbers")
    assert (results, left, _is_sound(path)) == (["kept", "after"], [], True)
