"""Everything that depends on which pynenc is installed. No other module looks at versions.

Features are tested for, versions are not compared: a development build of pynenc
has the features it has, whatever it calls itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pynenc.app import Pynenc
from pynenc.identifiers.invocation_id import InvocationId
from pynenc.models.invocation_dto import InvocationDTO
from pynenc.orchestrator.atomic_service import ActiveRunnerInfo

if TYPE_CHECKING:
    from pynenc.identifiers.call_id import CallId
    from pynenc.orchestrator.atomic_service import (
        AtomicServiceExecution,
        AtomicServiceExecutionStatus,
        AtomicServiceRun,
    )
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
    "HAS_WORKFLOW_DECORATOR",
    "AtomicServiceExecution",
    "AtomicServiceExecutionStatus",
    "AtomicServiceRun",
    "active_runner_info",
    "execution_limits",
    "invocation_dto",
    "parent_event_id",
    "referenced_run_ids",
]

#: Invocations record the event that triggered them (pynenc 0.2.4 and later).
HAS_EVENT_PARENTS = "parent_event_id" in InvocationDTO.__dataclass_fields__

#: Workflows are declared with ``@app.workflow`` (pynenc 0.3.0 and later).
HAS_WORKFLOW_DECORATOR = hasattr(Pynenc, "workflow")

_RUNNER_INFO_FIELDS = frozenset(ActiveRunnerInfo._fields)

# Defaults of the configuration fields that pynenc 0.2.4 introduced.
_RETENTION_MINUTES = 60.0
_MAX_RECORDS = 1000


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
