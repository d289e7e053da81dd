"""Names of every pynenc since 0.0.2, and arguments by position, can be used on every pynenc."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.backends.state_backend import InvocationHistory
from pytest_pynenc_state.conformance import tasks
from pytest_pynenc_state.conformance.making import (
    moved_to,
    new_context,
    new_history,
    new_invocation,
    new_record,
    new_workflow,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pynenc.app import Pynenc

    from pytest_pynenc_state.backends.orchestrator import PytestOrchestrator
    from pytest_pynenc_state.backends.state_backend import PytestStateBackend

    AppFactory = Callable[..., Pynenc]

#: The public names on pynenc's API page of the base class, and on those of its state
#: backends, of all published releases together.
STATE_BACKEND_NAMES = frozenset(
    {
        "add_histories",
        "add_history",
        "app",
        "conf",
        "deserialize_exception",
        "discover_app_infos",
        "get_all_app_infos",
        "get_all_workflow_runs",
        "get_all_workflow_types",
        "get_all_workflows",
        "get_all_workflows_runs",
        "get_app_info",
        "get_child_invocations",
        "get_exception",
        "get_history",
        "get_invocation",
        "get_invocation_ids_by_workflow",
        "get_invocations_by_parent_event",
        "get_matching_runner_contexts",
        "get_result",
        "get_runner_context",
        "get_runner_contexts",
        "get_workflow_data",
        "get_workflow_deterministic_value",
        "get_workflow_runs",
        "get_workflow_sub_invocations",
        "iter_history_in_timerange",
        "iter_invocations_in_timerange",
        "purge",
        "serialize_exception",
        "set_exception",
        "set_result",
        "set_workflow_data",
        "set_workflow_deterministic_value",
        "store_app_info",
        "store_runner_context",
        "store_workflow_run",
        "store_workflow_sub_invocation",
        "upsert_invocation",
        "upsert_invocations",
        "wait_for_all_async_operations",
        "wait_for_invocation_async_operations",
    }
)

#: The same for orchestrators and their blocking controls.
ORCHESTRATOR_NAMES = frozenset(
    {
        "auto_purge",
        "blocking_control",
        "conf",
        "count_invocations",
        "filter_by_status",
        "filter_final",
        "finalize_atomic_service_execution",
        "get_active_atomic_service_executions",
        "get_active_runners",
        "get_atomic_service_executions_in_timerange",
        "get_blocking_invocations",
        "get_call_invocation_ids",
        "get_existing_invocations",
        "get_invocation_ids_paginated",
        "get_invocation_retries",
        "get_invocation_status",
        "get_invocation_status_record",
        "get_pending_invocations_for_recovery",
        "get_running_invocations_for_recovery",
        "get_task_invocation_ids",
        "increment_invocation_retries",
        "index_arguments_for_concurrency_control",
        "purge",
        "purge_atomic_service_executions",
        "record_atomic_service_execution",
        "record_atomic_service_execution_start",
        "register_new_invocations",
        "register_runner_heartbeats",
        "release_waiters",
        "set_invocation_exception",
        "set_invocation_result",
        "set_invocation_retry",
        "set_invocation_status",
        "set_up_invocation_auto_purge",
        "waiting_for_results",
    }
)
BLOCKING_CONTROL_NAMES = frozenset(
    {"get_blocking_invocations", "release_waiters", "waiting_for_results"}
)
HISTORY_NAMES = frozenset(
    {
        "execution_context",
        "from_json",
        "invocation_id",
        "registered_by_inv_id",
        "runner_context_id",
        "status",
        "status_record",
        "timestamp",
        "to_json",
    }
)


def _missing(owner: object, names: frozenset[str]) -> set[str]:
    return {name for name in names if not hasattr(owner, name)}


def test_every_documented_name_exists(
    pynenc_state_backend: PytestStateBackend, pynenc_orchestrator: PytestOrchestrator
) -> None:
    """What any API page lists can be called, whatever the installed pynenc dropped."""
    missing = {
        "state backend": _missing(pynenc_state_backend, STATE_BACKEND_NAMES),
        "orchestrator": _missing(pynenc_orchestrator, ORCHESTRATOR_NAMES),
        "blocking control": _missing(pynenc_orchestrator.blocking_control, BLOCKING_CONTROL_NAMES),
    }
    assert missing == {"state backend": set(), "orchestrator": set(), "blocking control": set()}


def test_every_documented_name_of_a_history_record_exists(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """Records that are read have the fields of every pynenc."""
    pynenc_state_backend.add_history("invocation", new_record(), new_context())
    (record,) = pynenc_state_backend.get_history("invocation")
    assert _missing(record, HISTORY_NAMES) == set()


def test_a_record_without_a_status_has_that_of_the_invocation(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend
) -> None:
    """The status was optional once; of an invocation that nobody knows there is none."""
    invocation_id = moved_to(pynenc_app, InvocationStatus.RUNNING)
    status_record = pynenc_app.orchestrator.get_invocation_status_record(invocation_id)
    pynenc_state_backend.add_history(invocation_id)
    assert pynenc_state_backend.get_history(invocation_id)[-1].status_record == status_record
    with pytest.raises(KeyError):
        pynenc_state_backend.add_history("unknown")


def test_upsert_invocation_stores_one_invocation(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend
) -> None:
    """The singular stores what the plural would."""
    invocation = new_invocation(pynenc_app)
    pynenc_state_backend.upsert_invocation(invocation)
    assert pynenc_state_backend.get_invocation(invocation.invocation_id) == invocation


def test_get_all_app_infos_finds_what_discovery_finds(
    pynenc_state_backend: PytestStateBackend, pynenc_app_factory: AppFactory
) -> None:
    """It is the older name of discovery, and needs no instance either."""
    other = pynenc_app_factory(app_id="other")
    expected = other.state_backend.get_app_info()
    found = type(pynenc_state_backend).get_all_app_infos()
    discovered = type(pynenc_state_backend).discover_app_infos()
    assert (found, found["other"]) == (discovered, expected)


def test_get_all_workflows_gives_the_keys_of_the_types(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """Types are texts here, each once."""
    for workflow in (new_workflow("add"), new_workflow("greet"), new_workflow("add")):
        pynenc_state_backend.store_workflow_run(workflow)
    keys = sorted(pynenc_state_backend.get_all_workflows())
    assert keys == [f"{tasks.__name__}.add", f"{tasks.__name__}.greet"]


def test_get_all_workflows_runs_gives_all_runs(pynenc_state_backend: PytestStateBackend) -> None:
    """It is the older name of ``get_all_workflow_runs``."""
    workflows = {new_workflow(), new_workflow("greet")}
    for workflow in workflows:
        pynenc_state_backend.store_workflow_run(workflow)
    assert set(pynenc_state_backend.get_all_workflows_runs()) == workflows


@pytest.mark.parametrize("value", [0, "", [1], None], ids=repr)
def test_a_deterministic_value_comes_back(
    pynenc_state_backend: PytestStateBackend, value: Any
) -> None:
    """Values of deterministic operations are kept like other data."""
    workflow = new_workflow()
    pynenc_state_backend.set_workflow_deterministic_value(workflow, "key", value)
    assert pynenc_state_backend.get_workflow_deterministic_value(workflow, "key") == value


def test_a_missing_deterministic_value_is_none(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """There is no default, and no error."""
    assert pynenc_state_backend.get_workflow_deterministic_value(new_workflow(), "key") is None


def test_deterministic_values_and_data_have_their_own_keys(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """The same key may hold both, and neither is seen as the other."""
    workflow = new_workflow()
    pynenc_state_backend.set_workflow_data(workflow, "key", "data")
    before = pynenc_state_backend.get_workflow_deterministic_value(workflow, "key")
    pynenc_state_backend.set_workflow_deterministic_value(workflow, "key", "value")
    after = pynenc_state_backend.get_workflow_data(workflow, "key")
    assert (before, after) == (None, "data")


def test_waiting_for_writes_returns_with_everything_written(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """There is nothing to wait for: a write is done when it returns."""
    pynenc_state_backend.add_history("invocation", new_record(), new_context())
    pynenc_state_backend.wait_for_all_async_operations()
    pynenc_state_backend.wait_for_invocation_async_operations("invocation")
    assert len(pynenc_state_backend.get_history("invocation")) == 1


def test_a_history_is_written_and_read_by_invocation(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend
) -> None:
    """An invocation, a bare status and no context are enough, as they once were."""
    invocation = new_invocation(pynenc_app)
    pynenc_state_backend.add_history(invocation, InvocationStatus.REGISTERED)
    by_invocation = pynenc_state_backend.get_history(invocation)
    assert ([record.status_record.status for record in by_invocation], by_invocation) == (
        [InvocationStatus.REGISTERED],
        pynenc_state_backend.get_history(invocation.invocation_id),
    )


def test_a_result_is_written_and_read_by_invocation(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend
) -> None:
    """An invocation in place of its id means the same slot."""
    invocation = new_invocation(pynenc_app)
    pynenc_state_backend.set_result(invocation, "result")
    found = [pynenc_state_backend.get_result(each) for each in _both(invocation)]
    assert found == ["result", "result"]


def test_an_exception_is_written_and_read_by_invocation(
    pynenc_app: Pynenc, pynenc_state_backend: PytestStateBackend
) -> None:
    """An invocation in place of its id means the same slot."""
    invocation = new_invocation(pynenc_app)
    pynenc_state_backend.set_exception(invocation, ValueError("failed"))
    found = [pynenc_state_backend.get_exception(each).args for each in _both(invocation)]
    assert found == [("failed",), ("failed",)]


def _both(invocation: Any) -> tuple[Any, str]:
    return invocation, invocation.invocation_id


def test_a_record_that_was_read_tells_its_status(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """``status`` is that of the status record."""
    record = new_history("invocation", status_record=new_record(InvocationStatus.PAUSED))
    pynenc_state_backend._add_histories(["invocation"], record)
    (found,) = pynenc_state_backend.get_history("invocation")
    assert getattr(found, "status", None) == InvocationStatus.PAUSED


def test_a_record_that_was_read_survives_its_json_form(
    pynenc_state_backend: PytestStateBackend,
) -> None:
    """What one process writes as JSON another reads as the same record."""
    record = new_history("invocation", registered_by_inv_id="registrant")
    pynenc_state_backend._add_histories(["invocation"], record)
    (found,) = pynenc_state_backend.get_history("invocation")
    assert InvocationHistory.from_json(found.to_json()) == record
