"""Every keyed read and write finds its rows by an index, however large the store is."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pynenc.app import Pynenc
from pynenc.identifiers.task_id import TaskId
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.backends.sqlite.broker import PytestSQLiteBroker
from pytest_pynenc_state.backends.sqlite.connection import Connection, open_database
from pytest_pynenc_state.compat import AtomicServiceExecutionStatus, AtomicServiceRun
from pytest_pynenc_state.conformance.areas import AREAS
from pytest_pynenc_state.conformance.making import (
    OWNER,
    START,
    new_context,
    new_history,
    new_invocation,
    new_pair,
    new_workflow,
)
from tests.backends.sqlite import workers

Operation = Callable[[Any], Any]

TASK_ID = TaskId("pytest_pynenc_state.conformance.tasks", "add")
PENDING = [InvocationStatus.PENDING]
REGISTERED = [InvocationStatus.REGISTERED]
FINISHED = [InvocationStatus.SUCCESS, InvocationStatus.FAILED]
IDS = ["token 1", "unknown"]

#: What is asked by a key: each of its statements has to use the key in an index.
STATE_OPERATIONS: dict[str, Operation] = {
    "_upsert_invocations": lambda backend: backend._upsert_invocations(
        [new_pair(backend.app, parent_invocation_id="parent")]
    ),
    "_get_invocation": lambda backend: backend._get_invocation("invocation"),
    "get_child_invocations": lambda backend: backend.get_child_invocations("parent"),
    "get_invocations_by_parent_event": lambda backend: backend.get_invocations_by_parent_event(
        "event"
    ),
    "get_invocation_ids_by_workflow": lambda backend: backend.get_invocation_ids_by_workflow(
        "workflow"
    ),
    "get_invocation_ids_by_workflow type": (
        lambda backend: backend.get_invocation_ids_by_workflow(
            workflow_type_key="pytest_pynenc_state.conformance.tasks.add"
        )
    ),
    "_add_histories": lambda backend: backend._add_histories(IDS, new_history("any")),
    "get_history": lambda backend: backend.get_history("invocation"),
    "iter_history_in_timerange": lambda backend: list(
        backend.iter_history_in_timerange(START, START, 1)
    ),
    "iter_invocations_in_timerange": lambda backend: list(
        backend.iter_invocations_in_timerange(START, START, 1)
    ),
    "_set_result": lambda backend: backend._set_result("invocation", "text"),
    "_get_result": lambda backend: backend._get_result("invocation"),
    "_set_exception": lambda backend: backend._set_exception("invocation", "text"),
    "_get_exception": lambda backend: backend._get_exception("invocation"),
    "set_workflow_data": lambda backend: backend.set_workflow_data(new_workflow(), "key", 1),
    "get_workflow_data": lambda backend: backend.get_workflow_data(new_workflow(), "key"),
    "store_workflow_run": lambda backend: backend.store_workflow_run(new_workflow()),
    "get_workflow_runs": lambda backend: backend.get_workflow_runs(TASK_ID),
    "store_workflow_sub_invocation": lambda backend: backend.store_workflow_sub_invocation(
        "workflow", "invocation"
    ),
    "get_workflow_sub_invocations": lambda backend: backend.get_workflow_sub_invocations(
        "workflow"
    ),
    "store_runner_context": lambda backend: backend.store_runner_context(new_context("runner")),
    "_get_runner_context": lambda backend: backend._get_runner_context("runner"),
    "_get_runner_contexts": lambda backend: backend._get_runner_contexts(["runner", "other"]),
}
ORCHESTRATOR_OPERATIONS: dict[str, Operation] = {
    "_register_new_invocations": lambda orchestrator: orchestrator._register_new_invocations(
        [new_invocation(orchestrator.app)]
    ),
    "get_invocation_status_record": (
        lambda orchestrator: orchestrator.get_invocation_status_record("invocation")
    ),
    "_atomic_status_transition": lambda orchestrator: orchestrator._atomic_status_transition(
        "invocation", InvocationStatus.PENDING, OWNER
    ),
    "increment_invocation_retries": (
        lambda orchestrator: orchestrator.increment_invocation_retries("invocation")
    ),
    "get_invocation_retries": (
        lambda orchestrator: orchestrator.get_invocation_retries("invocation")
    ),
    "filter_by_status": lambda orchestrator: orchestrator.filter_by_status(IDS, frozenset(PENDING)),
    "get_pending_invocations_for_recovery": (
        lambda orchestrator: orchestrator.get_pending_invocations_for_recovery()
    ),
    "_get_running_invocations_for_recovery": (
        lambda orchestrator: orchestrator._get_running_invocations_for_recovery(0.0)
    ),
    "set_up_invocation_auto_purge": (
        lambda orchestrator: orchestrator.set_up_invocation_auto_purge("invocation")
    ),
    "auto_purge": lambda orchestrator: orchestrator.auto_purge(),
    "index_arguments_for_concurrency_control": (
        lambda orchestrator: orchestrator.index_arguments_for_concurrency_control(
            new_invocation(orchestrator.app, arguments={"left": "1"})
        )
    ),
    "get_existing_invocations": lambda orchestrator: orchestrator.get_existing_invocations(
        new_invocation(orchestrator.app).task, {"left": "1", "right": "2"}, REGISTERED
    ),
    "get_task_invocation_ids": (lambda orchestrator: orchestrator.get_task_invocation_ids(TASK_ID)),
    "get_call_invocation_ids": lambda orchestrator: orchestrator.get_call_invocation_ids(
        new_invocation(orchestrator.app).call.call_id
    ),
    "get_invocation_ids_paginated": (
        lambda orchestrator: orchestrator.get_invocation_ids_paginated(TASK_ID, PENDING)
    ),
    "get_invocation_ids_paginated status": (
        lambda orchestrator: orchestrator.get_invocation_ids_paginated(None, PENDING)
    ),
    "count_invocations task": lambda orchestrator: orchestrator.count_invocations(TASK_ID),
    "count_invocations status": (
        lambda orchestrator: orchestrator.count_invocations(None, PENDING)
    ),
    "register_runner_heartbeats": (
        lambda orchestrator: orchestrator.register_runner_heartbeats(["runner"])
    ),
    "record_atomic_service_execution": (
        lambda orchestrator: orchestrator.record_atomic_service_execution("runner", START, START)
    ),
    "_executions.admit": lambda orchestrator: orchestrator._executions.admit(
        AtomicServiceRun(runner_id="runner"), START, ""
    ),
    "_executions.finish": lambda orchestrator: orchestrator._executions.finish(
        AtomicServiceRun(runner_id="runner"), START, AtomicServiceExecutionStatus.COMPLETED, ""
    ),
    "get_active_atomic_service_executions": (
        lambda orchestrator: orchestrator.get_active_atomic_service_executions()
    ),
    "get_atomic_service_executions_in_timerange": (
        lambda orchestrator: orchestrator.get_atomic_service_executions_in_timerange(START, START)
    ),
    "waiting_for_results": (
        lambda orchestrator: orchestrator.blocking_control.waiting_for_results("waiter", IDS)
    ),
    "release_waiters": (
        lambda orchestrator: orchestrator.blocking_control.release_waiters("token 1")
    ),
}

BROKER_OPERATIONS: dict[str, Operation] = {
    "_route_invocations": (
        lambda broker: broker._route_invocations(["first", "second"], "default", 0.0)
    ),
    "retrieve_invocation": lambda broker: broker.retrieve_invocation(),
    "count_invocations": lambda broker: broker.count_invocations(),
}

# Partial indexes: one has one row of an app at most, the other what is unfinished.
_FEW_ROWS_OF_AN_APP = ("orchestrator_one_running_execution", "orchestrator_invocations_unfinished")


@pytest.fixture
def app(path: Path) -> Pynenc:
    """An app with something of every kind in its store."""
    found = workers.build_app(path)
    for area in AREAS.values():
        area.write(found, 1)
    return found


def _plans(path: Path, operation: Callable[[], Any]) -> list[str]:
    """Perform an operation, and return the plans of all statements that it executed."""
    statements: list[str] = []
    connection = open_database(path).transaction(_itself)
    connection.set_trace_callback(statements.append)
    operation()
    connection.set_trace_callback(None)
    planned = [each for each in statements if re.match("WITH|SELECT|INSERT|UPDATE|DELETE", each)]
    assert planned != []
    return [detail for statement in planned for detail in _plan(connection, statement)]


def _itself(connection: Connection) -> Connection:
    return connection


def _plan(connection: Connection, statement: str) -> list[str]:
    """Return the steps of a statement that concern tables, or indexes, of the file."""
    details = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
    # What is made of the statement's own parameters is scanned, and small.
    made = {each.split()[1] for each in details if each.startswith(("CO-ROUTINE", "MATERIALIZE"))}
    return [
        each
        for each in details
        if not each.startswith("SCAN") or not ("ROW" in each or each.split()[1] in made)
    ]


def _is_narrow(detail: str) -> bool:
    is_whole_app = detail.endswith("(app_id=?)") and not any(
        index in detail for index in _FEW_ROWS_OF_AN_APP
    )
    return not detail.startswith("SCAN") and not is_whole_app


@pytest.mark.parametrize("name", STATE_OPERATIONS)
def test_the_state_backend_searches_by_key(app: Pynenc, path: Path, name: str) -> None:
    """No statement scans a table, or all rows of an app."""
    backend = app.state_backend
    plans = _plans(path, lambda: STATE_OPERATIONS[name](backend))
    assert [detail for detail in plans if not _is_narrow(detail)] == []


@pytest.mark.parametrize("name", ORCHESTRATOR_OPERATIONS)
def test_the_orchestrator_searches_by_key(app: Pynenc, path: Path, name: str) -> None:
    """No statement scans a table, or all rows of an app."""
    orchestrator = app.orchestrator
    plans = _plans(path, lambda: ORCHESTRATOR_OPERATIONS[name](orchestrator))
    assert [detail for detail in plans if not _is_narrow(detail)] == []


@pytest.mark.parametrize("name", BROKER_OPERATIONS)
def test_the_broker_searches_by_key(app: Pynenc, path: Path, name: str) -> None:
    """No statement scans a table, or all rows of an app."""
    broker = PytestSQLiteBroker(app)
    BROKER_OPERATIONS["_route_invocations"](broker)
    plans = _plans(path, lambda: BROKER_OPERATIONS[name](broker))
    assert [detail for detail in plans if not _is_narrow(detail)] == []


@pytest.mark.parametrize("area", AREAS.values(), ids=AREAS)
def test_nothing_is_ever_read_of_another_app(app: Pynenc, path: Path, area: Any) -> None:
    """What lists all of an app goes by the app's id, and scans no table either."""
    plans = _plans(path, lambda: area.read(app))
    assert [detail for detail in plans if detail.startswith("SCAN")] == []


def test_every_index_is_used(app: Pynenc, path: Path) -> None:
    """An index that no statement uses only makes writing slower."""
    backend, orchestrator = app.state_backend, app.orchestrator
    plans = [
        detail
        for component, operations in (
            (backend, STATE_OPERATIONS),
            (orchestrator, ORCHESTRATOR_OPERATIONS),
            (orchestrator, {"pages": _first_page}),
            (PytestSQLiteBroker(app), BROKER_OPERATIONS),
        )
        for operation in operations.values()
        for detail in _plans(path, lambda: operation(component))  # noqa: B023 - called at once
    ]
    indexes = open_database(path).read(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    )
    used = {name for detail in plans for name in re.findall(r"INDEX (\w+)", detail)}
    assert {name for (name,) in indexes} - used == set()


def _first_page(orchestrator: Any) -> object:
    return orchestrator.get_invocation_ids_paginated(limit=1)


@pytest.mark.parametrize("statuses", [FINISHED, [*PENDING, *FINISHED]], ids=["all", "some"])
def test_pages_of_finished_invocations_are_not_sorted(
    app: Pynenc, path: Path, statuses: list[InvocationStatus]
) -> None:
    """Most of a large store is finished: looked for by age, a page of them is soon full."""
    orchestrator = app.orchestrator
    plans = _plans(path, lambda: orchestrator.get_invocation_ids_paginated(None, statuses, limit=1))
    assert [detail for detail in plans if "TEMP B-TREE" in detail] == []
    assert [detail for detail in plans if "orchestrator_invocations_by_age" in detail] == plans


def test_a_transition_within_the_unfinished_writes_no_index(app: Pynenc, path: Path) -> None:
    """It changes one page of the file; the last transition of an invocation changes two more."""
    orchestrator = app.orchestrator
    invocation = new_invocation(app)
    orchestrator._register_new_invocations([invocation])
    wal = path.with_name(f"{path.name}-wal")
    frame_bytes = 24 + 4096

    def pages_of(*changes: tuple[InvocationStatus, str]) -> list[int]:
        sizes = [wal.stat().st_size]
        for status, owner in changes:
            orchestrator._atomic_status_transition(invocation.invocation_id, status, owner)
            sizes.append(wal.stat().st_size)
        return [(after - before) / frame_bytes for before, after in pairwise(sizes)]

    started = pages_of((InvocationStatus.PENDING, OWNER), (InvocationStatus.RUNNING, OWNER))
    ended = pages_of((InvocationStatus.SUCCESS, OWNER))
    assert started == [1, 1]
    assert ended[0] > 1


def test_pages_of_all_invocations_are_not_sorted(app: Pynenc, path: Path) -> None:
    """The first page of a million takes no longer than that of a hundred."""
    plans = _plans(path, lambda: _first_page(app.orchestrator))
    assert len(plans) == 1
    assert "COVERING INDEX" in plans[0]


@pytest.mark.parametrize("walk", ["iter_history_in_timerange", "iter_invocations_in_timerange"])
def test_pages_of_a_time_range_are_not_sorted(app: Pynenc, path: Path, walk: str) -> None:
    """The index has the order, so that the last page costs what the first one does."""
    backend = app.state_backend
    plans = _plans(path, lambda: list(getattr(backend, walk)(START, START, 1)))
    assert [detail for detail in plans if "TEMP B-TREE" in detail] == []
