"""What the tests of all backends are made of: invocations, records, ids, short paths.

Nothing here stores anything unless its name says so, and no id is used twice.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from pynenc.arguments import Arguments
from pynenc.call import Call
from pynenc.identifiers.task_id import TaskId
from pynenc.invocation.dist_invocation import DistributedInvocation
from pynenc.invocation.status import (
    InvocationStatus,
    InvocationStatusRecord,
    status_record_transition,
)
from pynenc.runner.runner_context import RunnerContext
from pynenc.state_backend.base_state_backend import InvocationHistory
from pynenc.workflow import WorkflowIdentity

from pytest_pynenc_state import compat
from pytest_pynenc_state.conformance import tasks

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.models.call_dto import CallDTO
    from pynenc.models.invocation_dto import InvocationDTO
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator
    from pynenc.state_backend.base_state_backend import BaseStateBackend

    StateBackend = BaseStateBackend[Any, Any]

Item = TypeVar("Item")

#: The instant that recorded times count from: a whole millisecond, so that only what is about
#: microseconds asks for them.
START = datetime(2024, 2, 29, 23, 59, 58, 123000, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

#: The runner that owns what a test moves, unless it says otherwise.
OWNER = "owner"

#: App ids that a store which cleans, folds or pattern-matches ids would mix up.
LOOK_ALIKES = ("a-b", "a_b", "A-B", "a'%b", "\u00e4", "a\u0308")

_numbers = itertools.count(1)


def unique_id(prefix: str = "id") -> str:
    """Return an id that no other call returns."""
    return f"{prefix}-{next(_numbers)}"


def at(microseconds: int = 0) -> datetime:
    """Return the instant so many microseconds after `START`."""
    return START + microseconds * MICROSECOND


def wait_for_later_clock(by: timedelta = timedelta()) -> datetime:
    """Return once the wall clock shows a later microsecond than at the call, and which.

    :param by: How much later it is to be at least.
    """
    before = datetime.now(UTC) + by
    while (now := datetime.now(UTC)) <= before:
        pass
    return now


def flat(batches: Iterable[Iterable[Item]]) -> list[Item]:
    """Return the items of all batches."""
    return list(itertools.chain.from_iterable(batches))


def new_invocation(
    app: Pynenc,
    function: Callable[..., Any] = tasks.add,
    arguments: Mapping[str, str] | None = None,
    **fields: Any,
) -> DistributedInvocation[..., Any]:
    """Build an invocation of *function* that is stored nowhere yet.

    :param arguments: The arguments as JSON, so that pynenc need not open a store for them.
    :param fields: Fields of its ``InvocationDTO`` that are to differ from the usual.
    """
    task = app.tasks.get(TaskId(tasks.__name__, function.__name__)) or app.task(function)
    call: Call[..., Any] = Call(task, Arguments(), dict(arguments or {}))
    invocation_id = fields.get("invocation_id", unique_id("invocation"))
    # Before workflows had a decorator, every invocation without parent was one.
    is_workflow = not compat.HAS_WORKFLOW_DECORATOR
    workflow = WorkflowIdentity(invocation_id, task.task_id) if is_workflow else None
    usual = compat.invocation_dto(invocation_id, call.call_id, workflow, None, None)
    return DistributedInvocation.from_dto(replace(usual, **fields), call)


def new_pair(
    app: Pynenc, arguments: Mapping[str, str] | None = None, **fields: Any
) -> tuple[InvocationDTO, CallDTO]:
    """Build the transfer objects of an invocation."""
    invocation = new_invocation(app, arguments=arguments, **fields)
    return invocation.to_dto(), invocation.call.to_dto()


def stored_invocation(app: Pynenc, **options: Any) -> str:
    """Store a new invocation in the state backend, and return its id."""
    invocation = new_invocation(app, **options)
    app.state_backend.upsert_invocations([invocation])
    return invocation.invocation_id


def registered(app: Pynenc, count: int = 1, **options: Any) -> list[str]:
    """Register new invocations with the orchestrator one by one, and return their ids."""
    invocations = [new_invocation(app, **options) for _ in range(count)]
    for invocation in invocations:
        app.orchestrator._register_new_invocations([invocation])
    return [invocation.invocation_id for invocation in invocations]


def new_workflow(
    function_name: str = "add", parent_workflow_id: str | None = None, **fields: Any
) -> WorkflowIdentity:
    """Build the identity of one workflow run."""
    workflow_id = fields.get("workflow_id", unique_id("workflow"))
    return WorkflowIdentity(workflow_id, TaskId(tasks.__name__, function_name), parent_workflow_id)


def new_context(runner_id: str | None = None, **fields: Any) -> RunnerContext:
    """Build a runner context whose fields are not those of this process."""
    usual = {"pid": 4711, "hostname": "elsewhere", "thread_id": 1234}
    return RunnerContext("ThreadRunner", runner_id or unique_id("runner"), **{**usual, **fields})


def new_record(
    status: InvocationStatus = InvocationStatus.REGISTERED,
    runner_id: str | None = None,
    timestamp: datetime = START,
) -> InvocationStatusRecord:
    """Build a status record of a fixed time."""
    return InvocationStatusRecord(status, runner_id, timestamp)


def new_history(
    invocation_id: str,
    timestamp: datetime = START,
    status_record: InvocationStatusRecord | None = None,
    runner_context_id: str = "context",
    registered_by_inv_id: str | None = None,
) -> InvocationHistory:
    """Build a history record of a fixed time, as pynenc's own class."""
    record = InvocationHistory(
        invocation_id, status_record or new_record(), runner_context_id, registered_by_inv_id
    )
    record._timestamp = timestamp
    return record


def add_records(backend: StateBackend, *records: InvocationHistory) -> None:
    """Store each record under its own invocation's id, one after the other."""
    for record in records:
        backend._add_histories([record.invocation_id], record)


def read_between(items: Iterable[Item], store: Callable[[str], object]) -> list[Item]:
    """Read *items* to their end, and *store* something under a new id after each of the first."""
    found = []
    for number, item in enumerate(items):
        found.append(item)
        if number < 10:  # or a reader who sees what is added would never come to an end
            store(unique_id("added"))
    return found


def legal_path(target: InvocationStatus) -> list[InvocationStatus]:
    """Return statuses that lead from REGISTERED to *target*, all moved to by `OWNER`.

    A shortest path, by the rules of the installed pynenc.
    """
    registered_record = InvocationStatusRecord(InvocationStatus.REGISTERED)
    paths: dict[InvocationStatus, list[InvocationStatus]] = {InvocationStatus.REGISTERED: []}
    frontier = [registered_record]
    while target not in paths:
        record = frontier.pop(0)
        for following in _following(record):
            if following.status not in paths:
                paths[following.status] = [*paths[record.status], following.status]
                frontier.append(following)
    return paths[target]


def _following(record: InvocationStatusRecord) -> Iterator[InvocationStatusRecord]:
    for status in InvocationStatus:
        if record.status.can_transition_to(status):
            yield status_record_transition(record, status, OWNER)


def move(
    orchestrator: BaseOrchestrator,
    invocation_id: str,
    *statuses: InvocationStatus,
    runner_id: str | None = OWNER,
) -> None:
    """Move an invocation through *statuses*, one after the other."""
    for status in statuses:
        orchestrator._atomic_status_transition(invocation_id, status, runner_id)


def moved_to(app: Pynenc, status: InvocationStatus, **options: Any) -> str:
    """Register a new invocation, move it to *status* on a legal path, and return its id."""
    (invocation_id,) = registered(app, **options)
    move(app.orchestrator, invocation_id, *legal_path(status))
    return invocation_id
