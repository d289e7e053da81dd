"""What the processes of the tests do. A spawned process imports this module."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pynenc.app import Pynenc

import pytest_pynenc_state.backends.sqlite.orchestrator
import pytest_pynenc_state.backends.sqlite.state_backend
import pytest_pynenc_state.backends.sqlite.trigger  # noqa: F401 - defines the classes

if TYPE_CHECKING:
    from multiprocessing.connection import Connection as Pipe

NOBODY = 65534


def build_app(path: str | Path, app_id: str = "app", **values: Any) -> Pynenc:
    """Build an app of which state backend and orchestrator are on the file *path*."""
    return Pynenc(
        config_values={
            "app_id": app_id,
            "state_backend_cls": "PytestSQLiteStateBackend",
            "orchestrator_cls": "PytestSQLiteOrchestrator",
            "broker_cls": "MemBroker",
            "trigger_cls": "MemTrigger",
            "client_data_store_cls": "MemClientDataStore",
            "sqlite_db_path": str(path),
            "logging_level": "critical",
            **values,
        }
    )


def set_result(path: Path, app_id: str, invocation_id: str, text: str) -> None:
    """Store one result, creating the file if it is missing."""
    build_app(path, app_id).state_backend._set_result(invocation_id, text)


def hold_write_lock(path: Path, pipe: Pipe) -> None:
    """Take the file's write lock, say so, and keep it until told otherwise."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        pipe.send("locked")
        pipe.recv()
        connection.execute("ROLLBACK")


def stay_inside_a_transaction(path: Path, pipe: Pipe) -> None:
    """Write inside a transaction, say so, and never commit."""
    app = build_app(path)
    app.state_backend._set_result("committed", "kept")

    def work(connection: Any) -> None:
        connection.execute("INSERT INTO numbers VALUES (1)")
        pipe.send("written")
        pipe.recv()

    app.state_backend._database.transaction(work)


def outcome_as_nobody(action: Callable[[Path], Any], path: Path) -> BaseException | None:
    """Do something without the rights of root, and return what it raised."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        action(path)
    except Exception as error:  # noqa: BLE001 - the test judges it
        return error
    finally:
        if is_root:
            os.seteuid(0)
    return None


def read_a_result(path: Path) -> Any:
    """Read one result."""
    return build_app(path).state_backend._get_result("invocation")
