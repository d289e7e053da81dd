"""Every kind of thing an app stores, so that isolation and purge are checked for all of them.

Each area writes under keys that are the same in every app, so that whatever mixes up two
apps shows the number of the wrong one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pynenc.identifiers.task_id import TaskId
from pynenc.invocation.status import InvocationStatus
from pynenc.workflow import WorkflowIdentity

from pytest_pynenc_state import compat
from pytest_pynenc_state.conformance.making import (
    START,
    flat,
    new_context,
    new_history,
    new_invocation,
    new_pair,
    new_workflow,
)

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.invocation.dist_invocation import DistributedInvocation

_ARGUMENTS = {"left": "1"}


@dataclass(frozen=True)
class Area:
    """One kind of thing an app stores.

    :param write: Stores it for an app, marked with a number above 0.
    :param read: Returns what the app has of it.
    :param expected: What `read` returns after a `write` of that number.
    :param nothing: What `read` returns if nothing was written.
    """

    write: Callable[[Pynenc, int], object]
    read: Callable[[Pynenc], Any]
    expected: Callable[[int], Any]
    nothing: Any


def _token(number: int) -> str:
    return f"token {number}"


def _tokens(number: int) -> list[str]:
    return [_token(number)]


def _in_workflow(app: Pynenc, number: int) -> None:
    workflow = new_workflow(workflow_id="workflow")
    _upsert(app, number, invocation_id=_token(number), workflow=workflow)


def _store_run(app: Pynenc, number: int) -> None:
    app.state_backend.store_workflow_run(
        WorkflowIdentity("workflow", TaskId("module", "task"), _token(number))
    )


def _parents_of(runs: Iterable[WorkflowIdentity]) -> list[str | None]:
    return [run.parent_workflow_id for run in runs]


def _or_none(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except KeyError:
        return None


def _upsert(app: Pynenc, number: int, **fields: Any) -> None:
    pair = new_pair(app, {"argument": _token(number)}, **fields)
    app.state_backend._upsert_invocations([pair])


def _arguments(app: Pynenc) -> dict[str, str] | None:
    pair = app.state_backend._get_invocation("invocation")
    return pair[1].serialized_arguments if pair else None


def _add_history(app: Pynenc, number: int) -> None:
    record = new_history("invocation", runner_context_id=_token(number))
    app.state_backend._add_histories(["invocation"], record)


def _contexts_of(records: list[Any]) -> list[str]:
    return [record.runner_context_id for record in records]


def _register(app: Pynenc, invocation_id: str, owner: str | None = None) -> None:
    invocation = _invocation(app, invocation_id)
    app.orchestrator._register_new_invocations([invocation], owner)


def _invocation(app: Pynenc, invocation_id: str) -> DistributedInvocation[..., Any]:
    return new_invocation(app, arguments=_ARGUMENTS, invocation_id=invocation_id)


def _index(app: Pynenc, number: int) -> None:
    _register(app, _token(number))
    app.orchestrator.index_arguments_for_concurrency_control(_invocation(app, _token(number)))


def _existing(app: Pynenc) -> list[str]:
    call = _invocation(app, "any").call
    return list(app.orchestrator.get_existing_invocations(call.task, call.serialized_arguments))


def _retry(app: Pynenc, number: int) -> None:
    _register(app, "invocation")
    for _ in range(number):
        app.orchestrator.increment_invocation_retries("invocation")


def _registered_only(app: Pynenc, invocation_id: str) -> Sequence[str]:
    wanted = frozenset({InvocationStatus.REGISTERED})
    return app.orchestrator.filter_by_status([invocation_id], wanted)


def _of_each_number(app: Pynenc) -> Sequence[str]:
    # One by one, and whatever is said of an unknown id: a clause of its own asks for that.
    asked = [_token(number) for number in range(1, 10)]
    return [each for each in asked if _or_none(_registered_only, app, each)]


def _await(app: Pynenc, number: int) -> None:
    _register(app, _token(number))
    app.orchestrator.blocking_control.waiting_for_results("waiter", [_token(number)])


def _beat(app: Pynenc, number: int) -> None:
    app.orchestrator.register_runner_heartbeats([_token(number)])


def _start_execution(app: Pynenc, number: int) -> None:
    run = compat.AtomicServiceRun(runner_id=_token(number), atomic_service_run_id="run")
    app.orchestrator.record_atomic_service_execution_start(run, START)


def _runners_of_executions(app: Pynenc) -> list[str]:
    active = app.orchestrator.get_active_atomic_service_executions()
    return [execution.runner_id for execution in active]


#: The areas of the state backend by name.
STATE_AREAS: dict[str, Area] = {
    "invocation": Area(
        lambda app, number: _upsert(app, number, invocation_id="invocation"),
        _arguments,
        lambda number: {"argument": _token(number)},
        None,
    ),
    "children": Area(
        lambda app, number: _upsert(
            app, number, invocation_id=_token(number), parent_invocation_id="parent"
        ),
        lambda app: list(app.state_backend.get_child_invocations("parent")),
        _tokens,
        [],
    ),
    "invocations of a workflow": Area(
        _in_workflow,
        lambda app: list(app.state_backend.get_invocation_ids_by_workflow("workflow")),
        _tokens,
        [],
    ),
    "invocations of a workflow type": Area(
        _in_workflow,
        lambda app: list(
            app.state_backend.get_invocation_ids_by_workflow(
                workflow_type_key=new_workflow().workflow_type.key
            )
        ),
        _tokens,
        [],
    ),
    "history": Area(
        _add_history,
        lambda app: _contexts_of(app.state_backend.get_history("invocation")),
        _tokens,
        [],
    ),
    "history in a range": Area(
        _add_history,
        lambda app: _contexts_of(flat(app.state_backend.iter_history_in_timerange(START, START))),
        _tokens,
        [],
    ),
    "invocations in a range": Area(
        lambda app, number: app.state_backend._add_histories(_tokens(number), new_history("any")),
        lambda app: flat(app.state_backend.iter_invocations_in_timerange(START, START)),
        _tokens,
        [],
    ),
    "result": Area(
        lambda app, number: app.state_backend._set_result("invocation", _token(number)),
        lambda app: _or_none(app.state_backend._get_result, "invocation"),
        _token,
        None,
    ),
    "exception": Area(
        lambda app, number: app.state_backend._set_exception("invocation", _token(number)),
        lambda app: _or_none(app.state_backend._get_exception, "invocation"),
        _token,
        None,
    ),
    "workflow data": Area(
        lambda app, number: app.state_backend.set_workflow_data(
            new_workflow(workflow_id="workflow"), "key", _token(number)
        ),
        lambda app: app.state_backend.get_workflow_data(
            new_workflow(workflow_id="workflow"), "key"
        ),
        _token,
        None,
    ),
    "workflow runs": Area(
        _store_run,
        lambda app: _parents_of(app.state_backend.get_all_workflow_runs()),
        _tokens,
        [],
    ),
    "workflow runs of a type": Area(
        _store_run,
        lambda app: _parents_of(app.state_backend.get_workflow_runs(TaskId("module", "task"))),
        _tokens,
        [],
    ),
    "workflow types": Area(
        lambda app, number: app.state_backend.store_workflow_run(
            WorkflowIdentity("workflow", TaskId("module", _token(number)))
        ),
        lambda app: [each.func_name for each in app.state_backend.get_all_workflow_types()],
        _tokens,
        [],
    ),
    "invocations inside a workflow": Area(
        lambda app, number: app.state_backend.store_workflow_sub_invocation(
            "workflow", _token(number)
        ),
        lambda app: list(app.state_backend.get_workflow_sub_invocations("workflow")),
        _tokens,
        [],
    ),
    "runner context": Area(
        lambda app, number: app.state_backend._store_runner_context(
            new_context("runner", hostname=_token(number))
        ),
        lambda app: [each.hostname for each in app.state_backend._get_runner_contexts(["runner"])],
        _tokens,
        [],
    ),
    "matching runner contexts": Area(
        lambda app, number: app.state_backend._store_runner_context(new_context(_token(number))),
        lambda app: [
            each.runner_id for each in app.state_backend.get_matching_runner_contexts("token")
        ],
        _tokens,
        [],
    ),
}
if compat.HAS_EVENT_PARENTS:
    STATE_AREAS["invocations of an event"] = Area(
        lambda app, number: _upsert(
            app, number, invocation_id=_token(number), parent_event_id="event"
        ),
        lambda app: list(app.state_backend.get_invocations_by_parent_event("event")),
        _tokens,
        [],
    )

#: The areas of the orchestrator by name.
ORCHESTRATOR_AREAS: dict[str, Area] = {
    "status": Area(
        lambda app, number: _register(app, "invocation", _token(number)),
        lambda app: getattr(
            _or_none(app.orchestrator.get_invocation_status_record, "invocation"),
            "runner_id",
            None,
        ),
        _token,
        None,
    ),
    "retries": Area(
        _retry,
        lambda app: app.orchestrator.get_invocation_retries("invocation"),
        lambda number: number,
        0,
    ),
    "invocations of a task": Area(
        lambda app, number: _register(app, _token(number)),
        lambda app: list(
            app.orchestrator.get_task_invocation_ids(_invocation(app, "any").call.task.task_id)
        ),
        _tokens,
        [],
    ),
    "invocations of a call": Area(
        lambda app, number: _register(app, _token(number)),
        lambda app: list(
            app.orchestrator.get_call_invocation_ids(_invocation(app, "any").call.call_id)
        ),
        _tokens,
        [],
    ),
    "indexed arguments": Area(_index, _existing, _tokens, []),
    "pages": Area(
        lambda app, number: _register(app, _token(number)),
        lambda app: app.orchestrator.get_invocation_ids_paginated(),
        _tokens,
        [],
    ),
    "count": Area(
        lambda app, number: [_register(app, _token(each)) for each in range(number)],
        lambda app: app.orchestrator.count_invocations(),
        lambda number: number,
        0,
    ),
    "invocations in a status": Area(
        lambda app, number: _register(app, _token(number)), _of_each_number, _tokens, []
    ),
    "awaited invocations": Area(
        _await,
        lambda app: list(app.orchestrator.blocking_control.get_blocking_invocations(99)),
        _tokens,
        [],
    ),
    "heartbeats": Area(
        _beat,
        lambda app: [runner.runner_id for runner in app.orchestrator.get_active_runners()],
        _tokens,
        [],
    ),
}
if compat.HAS_EXECUTION_RECORDS:
    ORCHESTRATOR_AREAS["executions"] = Area(_start_execution, _runners_of_executions, _tokens, [])

#: All areas by name. App info is not among them: pynenc stores it, and a purge leaves it.
AREAS: dict[str, Area] = {**STATE_AREAS, **ORCHESTRATOR_AREAS}


def purge(app: Pynenc) -> None:
    """Purge both components that the areas belong to."""
    app.orchestrator.purge()
    app.state_backend.purge()
