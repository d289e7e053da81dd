"""Everything that depends on which pynenc is installed. No other module looks at versions.

Features are tested for, versions are not compared: a development build of pynenc
has the features it has, whatever it calls itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pynenc.app import Pynenc
from pynenc.call import Call
from pynenc.conf.config_task import ConcurrencyControlType
from pynenc.identifiers.invocation_id import InvocationId
from pynenc.invocation.status import InvocationStatus
from pynenc.models.invocation_dto import InvocationDTO
from pynenc.orchestrator.atomic_service import ActiveRunnerInfo
from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

if TYPE_CHECKING:
    from pynenc.identifiers.call_id import CallId
    from pynenc.invocation.dist_invocation import DistributedInvocation
    from pynenc.orchestrator.atomic_service import (
        AtomicServiceExecution,
        AtomicServiceExecutionStatus,
        AtomicServiceRun,
    )
    from pynenc.runner.runner_context import RunnerContext
    from pynenc.state_backend.base_state_backend import BaseStateBackend
    from pynenc.task import Task
    from pynenc.workflow import WorkflowIdentity
else:
    try:
        from pynenc.orchestrator.atomic_service import (
            AtomicServiceExecution,
            AtomicServiceExecutionStatus,
            AtomicServiceRun,
        )
    except ImportError:  # pynenc up to 0.2.0
        from pytest_pynenc_state.atomic_service import (
            AtomicServiceExecution,
            AtomicServiceExecutionStatus,
            AtomicServiceRun,
        )

__all__ = [
    "HAS_EVENT_PARENTS",
    "HAS_EXECUTION_RECORDS",
    "HAS_QUEUES",
    "HAS_WORKFLOW_DECORATOR",
    "WORKING_STATUSES",
    "AtomicServiceExecution",
    "AtomicServiceExecutionStatus",
    "AtomicServiceRun",
    "active_runner_info",
    "atomic_service_executions",
    "execution_limits",
    "invocation_dto",
    "is_at_least",
    "parent_event_id",
    "referenced_run_ids",
    "retrieval_options",
    "running_arguments",
    "set_invocation_retry",
    "wait_for_all_writes",
    "wait_for_writes",
]

#: Invocations record the event that triggered them (pynenc 0.2.4 and later).
HAS_EVENT_PARENTS = "parent_event_id" in InvocationDTO.__dataclass_fields__

#: Workflows are declared with ``@app.workflow`` (pynenc 0.3.0 and later).
HAS_WORKFLOW_DECORATOR = hasattr(Pynenc, "workflow")

#: The statuses in which a task's function runs; RESUMED was one up to pynenc 0.2.0.
WORKING_STATUSES = frozenset(
    status for status in InvocationStatus if status.name in {"RUNNING", "RESUMED"}
)

#: Every execution of atomic services is recorded, not only the last one of each runner
#: (pynenc 0.2.4 and later).
HAS_EXECUTION_RECORDS = hasattr(BaseOrchestrator, "get_atomic_service_executions_in_timerange")

#: Brokers have several queues, and runners say which they take from (pynenc 0.4.0 and later).
HAS_QUEUES = "consumed_queues" in ActiveRunnerInfo._fields

# Each pynenc whose contract differs from that of the one before, by what it brought.
_CONTRACTS = {
    "0.1.1": True,
    "0.2.4": HAS_EXECUTION_RECORDS,
    "0.3.0": HAS_WORKFLOW_DECORATOR,
    "0.4.0": HAS_QUEUES,
}

_RUNNER_INFO_FIELDS = frozenset(ActiveRunnerInfo._fields)

# Defaults of the configuration fields that pynenc 0.2.4 introduced.
_RETENTION_MINUTES = 60.0
_MAX_RECORDS = 1000

# All executions there are: any instant, and more than an app keeps.
_FIRST_INSTANT = datetime(1970, 1, 2, tzinfo=UTC)
_LAST_INSTANT = datetime(9000, 1, 1, tzinfo=UTC)
_MOST_EXECUTIONS = 1_000_000


def is_at_least(version: str) -> bool:
    """Whether the installed pynenc keeps the contract of *version*, or a later one.

    :param version: One that changed the contract: 0.1.1, 0.2.4, 0.3.0 or 0.4.0.
    """
    return _CONTRACTS[version]


def invocation_dto(
    invocation_id: InvocationId,
    call_id: CallId,
    workflow: WorkflowIdentity | None,
    parent_invocation_id: InvocationId | None,
    parent_event_id: str | None,
) -> InvocationDTO:
    """Build an ``InvocationDTO``; the event is dropped where pynenc has no field for it."""
    fields: dict[str, Any] = {"parent_event_id": parent_event_id} if HAS_EVENT_PARENTS else {}
    return InvocationDTO(
        invocation_id=invocation_id,
        call_id=call_id,
        workflow=workflow,
        parent_invocation_id=parent_invocation_id,
        **fields,
    )


def parent_event_id(dto: InvocationDTO) -> str | None:
    """The event that triggered *dto*'s invocation; None on a pynenc without the field."""
    event_id: str | None = getattr(dto, "parent_event_id", None)
    return event_id


def active_runner_info(
    runner_id: str,
    creation_time: datetime,
    last_heartbeat: datetime,
    *,
    can_run_atomic_service: bool,
    last_service: tuple[datetime, datetime] | None,
    consumed_queues: Sequence[str],
) -> ActiveRunnerInfo:
    """Build an ``ActiveRunnerInfo`` with those of the fields that the installed pynenc has."""
    fields: dict[str, Any] = {
        "runner_id": runner_id,
        "creation_time": creation_time,
        "last_heartbeat": last_heartbeat,
        "allow_to_run_atomic_service": can_run_atomic_service,
        "last_service_start": last_service[0] if last_service else None,
        "last_service_end": last_service[1] if last_service else None,
        "consumed_queues": tuple(consumed_queues),
    }
    return ActiveRunnerInfo(**{k: v for k, v in fields.items() if k in _RUNNER_INFO_FIELDS})


def execution_limits(app: Pynenc) -> tuple[float, int]:
    """How long (minutes) and how many finished atomic-service executions *app* keeps."""
    conf = app.conf
    return (
        float(getattr(conf, "atomic_service_execution_retention_minutes", _RETENTION_MINUTES)),
        int(getattr(conf, "atomic_service_execution_max_records", _MAX_RECORDS)),
    )


def referenced_run_ids(app: Pynenc) -> frozenset[str]:
    """Run ids that *app*'s trigger still refers to, and that no purge may remove."""
    ask: Any = getattr(app.trigger, "get_referenced_atomic_service_run_ids", tuple)
    run_ids: Iterable[str] = ask()
    return frozenset(run_ids)


def retrieval_options(app: Pynenc) -> dict[str, Any]:
    """How ``get_additional_invocations_to_run`` is told which of *app*'s queues to ask."""
    if not HAS_QUEUES:
        return {}
    runner: Any = app.runner
    return {
        "queue_provider": runner.queue_names_for_retrieval,
        "on_queue_retrieved": runner.note_queue_retrieved,
    }


def set_invocation_retry(
    app: Pynenc,
    invocation: DistributedInvocation[..., Any],
    exception: Exception,
    runner_context: RunnerContext,
) -> None:
    """Have *app*'s orchestrator retry an invocation; it was named by its id up to pynenc 0.3.1."""
    named: Any = invocation if HAS_QUEUES else invocation.invocation_id
    app.orchestrator.set_invocation_retry(named, exception, runner_context)


def atomic_service_executions(app: Pynenc) -> list[AtomicServiceExecution]:
    """The executions of atomic services that *app*'s orchestrator remembers, in no order.

    None up to pynenc 0.2.0, which admits any runner in its time slot, whoever is not done yet.
    """
    if not HAS_EXECUTION_RECORDS:
        return []
    found: list[AtomicServiceExecution] = (
        app.orchestrator.get_atomic_service_executions_in_timerange(
            _FIRST_INSTANT, _LAST_INSTANT, _MOST_EXECUTIONS
        )
    )
    return found


def running_arguments(task: Task[..., Any], serialized: dict[str, str]) -> dict[str, str] | None:
    """The arguments that ``running_concurrency`` of *task* looks at, of a call with *serialized*.

    :returns: None if it looks at none.
    :raises KeyError: The call has not all of the task's key arguments.
    """
    control = task.conf.running_concurrency
    call: Any = Call(task, None, serialized)
    if hasattr(call, "serialized_args_for_concurrency_control"):
        found: dict[str, str] | None = call.serialized_args_for_concurrency_control(control)
        return found
    # Up to pynenc 0.2.0 its method looks at those of the registration concurrency instead.
    if control == ConcurrencyControlType.ARGUMENTS:
        return serialized
    if control == ConcurrencyControlType.KEYS:
        return {name: serialized[name] for name in task.conf.key_arguments}
    return None


def wait_for_writes(state_backend: BaseStateBackend[Any, Any], invocation_id: str) -> None:
    """Return once this process has written all records of an invocation that it is to write.

    Up to pynenc 0.2.0 it writes them in threads; later, at once.
    """
    wait: Any = getattr(state_backend, "wait_for_invocation_async_operations", None)
    if wait is not None:
        wait(invocation_id)


def wait_for_all_writes(state_backend: BaseStateBackend[Any, Any]) -> None:
    """Return once this process has written all that it is to write; see `wait_for_writes`."""
    wait: Any = getattr(state_backend, "wait_for_all_async_operations", None)
    if wait is not None:
        wait()
