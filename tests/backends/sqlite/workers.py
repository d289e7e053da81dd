"""What the processes of the tests do. A spawned process imports this module."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pynenc.app import Pynenc
from pynenc.exceptions import InvocationStatusError
from pynenc.invocation.status import InvocationStatus

import pytest_pynenc_state.backends.sqlite.orchestrator
import pytest_pynenc_state.backends.sqlite.state_backend  # noqa: F401 - defines the classes
from tests.backends.builders import at, new_context, new_history, new_invocation

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


def increment_retries(path: Path, invocation_id: str, times: int) -> None:
    """Increment the retries of an invocation so many times."""
    orchestrator = build_app(path).orchestrator
    for _ in range(times):
        orchestrator.increment_invocation_retries(invocation_id)


def beat(path: Path, runner_ids: list[str], times: int) -> None:
    """Give the heartbeats of all these runners so many times."""
    orchestrator = build_app(path).orchestrator
    for _ in range(times):
        orchestrator.register_runner_heartbeats(runner_ids)


def attempt_transitions(path: Path, ids: list[str], runner_id: str, attempts: int) -> int:
    """Attempt random transitions of random invocations, and record those that succeed.

    Mostly such as the status allows that was there a moment ago, so that processes want
    the same one; sometimes any. Final statuses are rarely chosen, so that the work lasts.

    :returns: How many were accepted. What pynenc refuses is expected; nothing else is.
    """
    app = build_app(path)
    chooser = random.Random(runner_id)  # noqa: S311 - the same choices in every run
    runner_context = new_context(runner_id)
    accepted = 0
    for _ in range(attempts):
        invocation_id = chooser.choice(ids)
        status = app.orchestrator.get_invocation_status(invocation_id)
        target = _chosen_target(status, chooser)
        try:
            record = app.orchestrator._atomic_status_transition(invocation_id, target, runner_id)
        except InvocationStatusError:
            continue
        app.state_backend.add_history(invocation_id, record, runner_context)
        accepted += 1
    return accepted


def _chosen_target(status: InvocationStatus, chooser: random.Random) -> InvocationStatus:
    allowed = [target for target in InvocationStatus if status.can_transition_to(target)]
    lasting = [target for target in allowed if not target.is_final()]
    kind = chooser.random()
    if lasting and kind < 0.9:
        return chooser.choice(lasting)
    return chooser.choice(allowed if allowed and kind < 0.95 else list(InvocationStatus))


def hold_write_lock(path: Path, pipe: Pipe) -> None:
    """Take the file's write lock, say so, and keep it until told otherwise."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        pipe.send("locked")
        pipe.recv()
        connection.execute("ROLLBACK")


def work_until_killed(path: Path, pipe: Pipe) -> None:
    """Register, move and record invocation after invocation; say when each is done."""
    app = build_app(path)
    runner_context = new_context("worker")
    life = (InvocationStatus.PENDING, InvocationStatus.RUNNING, InvocationStatus.SUCCESS)
    while True:
        invocation = new_invocation(app)
        invocation_id = invocation.invocation_id
        app.state_backend.upsert_invocations([invocation])
        record = app.orchestrator._register_new_invocations([invocation])
        app.state_backend.add_history(invocation_id, record, runner_context)
        for status in life:
            record = app.orchestrator._atomic_status_transition(invocation_id, status, "worker")
            app.state_backend.add_history(invocation_id, record, runner_context)
        pipe.send(invocation_id)


def add_batches_until_killed(path: Path, ids: list[str], pipe: Pipe) -> None:
    """Add one record under every id, again and again; say when each batch is done."""
    backend = build_app(path).state_backend
    number = 0
    while True:
        backend._add_histories(ids, new_history("any", at(number)))
        pipe.send(number)
        number += 1


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
