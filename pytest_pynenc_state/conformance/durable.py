"""Every kind of write, and all the ways in which a reader can tell that it was made.

If a process is killed in the middle of one, either all of them tell so, or none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pynenc.identifiers.invocation_id import InvocationId
from pynenc.identifiers.task_id import TaskId
from pynenc.invocation.status import InvocationStatus
from pynenc.workflow import WorkflowIdentity

from pytest_pynenc_state.conformance import tasks
from pytest_pynenc_state.conformance.making import (
    OWNER,
    at,
    flat,
    new_context,
    new_history,
    new_invocation,
    new_pair,
    new_workflow,
)

if TYPE_CHECKING:
    from pynenc.app import Pynenc


@dataclass(frozen=True)
class Write:
    """One kind of write.

    :param write: Makes the write of a number; each number has ids of its own.
    :param traces: Whether it was made, asked in every way there is.
    """

    write: Callable[[Pynenc, int], object]
    traces: Callable[[Pynenc, int], list[bool]]


def _id(number: int) -> InvocationId:
    return InvocationId(f"durable-{number}")


def _upsert(app: Pynenc, number: int) -> None:
    pair = new_pair(
        app,
        {"left": str(number)},
        invocation_id=_id(number),
        parent_invocation_id="parent",
        workflow=new_workflow(workflow_id="workflow"),
    )
    app.state_backend._upsert_invocations([pair])


def _upserted(app: Pynenc, number: int) -> list[bool]:
    backend = app.state_backend
    found = backend._get_invocation(_id(number))
    return [
        found is not None and found[1].serialized_arguments == {"left": str(number)},
        _id(number) in backend.get_child_invocations("parent"),
        _id(number) in backend.get_invocation_ids_by_workflow("workflow"),
    ]


def _add_history(app: Pynenc, number: int) -> None:
    app.state_backend._add_histories([_id(number)], new_history(_id(number), at(number)))


def _has_history(app: Pynenc, number: int) -> list[bool]:
    backend, record = app.state_backend, new_history(_id(number), at(number))
    return [
        backend.get_history(_id(number)) == [record],
        record in flat(backend.iter_history_in_timerange(at(number), at(number))),
        _id(number) in flat(backend.iter_invocations_in_timerange(at(number), at(number))),
    ]


def _has_result(app: Pynenc, number: int) -> list[bool]:
    try:
        return [app.state_backend._get_result(_id(number)) == _id(number)]
    except KeyError:
        return [False]


def _has_exception(app: Pynenc, number: int) -> list[bool]:
    try:
        return [app.state_backend._get_exception(_id(number)) == _id(number)]
    except KeyError:
        return [False]


def _run(number: int) -> WorkflowIdentity:
    return WorkflowIdentity(_id(number), TaskId(tasks.__name__, _id(number)))


def _has_run(app: Pynenc, number: int) -> list[bool]:
    backend, run = app.state_backend, _run(number)
    return [
        run in backend.get_all_workflow_runs(),
        run in backend.get_workflow_runs(run.workflow_type),
        run.workflow_type in backend.get_all_workflow_types(),
    ]


def _register(app: Pynenc, number: int) -> None:
    invocation = new_invocation(app, invocation_id=_id(number))
    app.orchestrator._register_new_invocations([invocation], "registrar")


def _is_registered(app: Pynenc, number: int) -> list[bool]:
    orchestrator = app.orchestrator
    try:
        orchestrator.get_invocation_status(_id(number))
        is_known = True
    except KeyError:
        is_known = False
    call = new_invocation(app).call
    return [
        is_known,
        _id(number) in orchestrator.get_task_invocation_ids(call.task.task_id),
        _id(number) in orchestrator.get_call_invocation_ids(call.call_id),
        _id(number) in orchestrator.get_invocation_ids_paginated(limit=100_000),
    ]


def _claim(app: Pynenc, number: int) -> None:
    pending = InvocationStatus.PENDING
    app.orchestrator._atomic_status_transition(_id(number), pending, OWNER)


def _is_claimed(app: Pynenc, number: int) -> list[bool]:
    orchestrator, pending = app.orchestrator, InvocationStatus.PENDING
    try:
        record = orchestrator.get_invocation_status_record(_id(number))
        found = [record.status == pending, record.runner_id == OWNER]
    except KeyError:
        found = [False]
    filtered = orchestrator.filter_by_status([_id(number)], frozenset({pending}))
    return [
        *found,
        list(filtered) == [_id(number)],
        _id(number) in orchestrator.get_invocation_ids_paginated(None, [pending], 100_000),
    ]


#: In an order in which each number can be written: registration comes before the claim.
WRITES = {
    "invocation": Write(_upsert, _upserted),
    "history": Write(_add_history, _has_history),
    "result": Write(
        lambda app, number: app.state_backend._set_result(_id(number), _id(number)), _has_result
    ),
    "exception": Write(
        lambda app, number: app.state_backend._set_exception(_id(number), _id(number)),
        _has_exception,
    ),
    "workflow run": Write(
        lambda app, number: app.state_backend.store_workflow_run(_run(number)), _has_run
    ),
    "workflow data": Write(
        lambda app, number: app.state_backend.set_workflow_data(
            new_workflow(workflow_id="workflow"), _id(number), number
        ),
        lambda app, number: [
            app.state_backend.get_workflow_data(new_workflow(workflow_id="workflow"), _id(number))
            == number
        ],
    ),
    "sub-invocation": Write(
        lambda app, number: app.state_backend.store_workflow_sub_invocation(
            "workflow", _id(number)
        ),
        lambda app, number: [
            _id(number) in app.state_backend.get_workflow_sub_invocations("workflow")
        ],
    ),
    "runner context": Write(
        lambda app, number: app.state_backend._store_runner_context(new_context(_id(number))),
        lambda app, number: [
            [each.runner_id for each in app.state_backend._get_runner_contexts([_id(number)])]
            == [_id(number)],
            _id(number)
            in [each.runner_id for each in app.state_backend.get_matching_runner_contexts("")],
        ],
    ),
    "registration": Write(_register, _is_registered),
    "retry": Write(
        lambda app, number: app.orchestrator.increment_invocation_retries(_id(number)),
        lambda app, number: [app.orchestrator.get_invocation_retries(_id(number)) == 1],
    ),
    "claim": Write(_claim, _is_claimed),
    "heartbeat": Write(
        lambda app, number: app.orchestrator.register_runner_heartbeats([_id(number)]),
        lambda app, number: [
            _id(number) in [each.runner_id for each in app.orchestrator.get_active_runners()]
        ],
    ),
}
