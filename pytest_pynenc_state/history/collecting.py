"""Collecting the facts that rules judge, through pynenc's own interface, from any backend."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pynenc.conf.config_task import ConcurrencyControlType

from pytest_pynenc_state import compat
from pytest_pynenc_state.compat import AtomicServiceExecutionStatus
from pytest_pynenc_state.history.facts import OPEN_END, AppFacts, InvocationFacts, ServiceWindow
from pytest_pynenc_state.history.lookups import Lookups
from pytest_pynenc_state.history.stored import StoredInvocation, aware, read_histories

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.task import Task


def collect_facts(app: Pynenc, timeout_s: float) -> AppFacts:
    """Read all that rules judge of *app*, its histories settled.

    Nothing is written, no task is imported, no result is deserialised.

    :param timeout_s: How long the histories may take to settle, in seconds. Those that do not
        are judged as they are.
    """
    kept = timedelta(hours=app.orchestrator.conf.auto_final_invocation_purge_hours)
    found = read_histories(app, timeout_s)
    ended = [each.history.invocation_id for each in found if each.history.is_final]
    lookups = Lookups(app)
    with_result, with_exception = lookups.with_result(ended), lookups.with_exception(ended)
    return AppFacts(
        invocations=tuple(
            _invocation(
                app,
                stored,
                has_result=stored.history.invocation_id in with_result,
                has_exception=stored.history.invocation_id in with_exception,
            )
            for stored in found
        ),
        services=tuple(_services(app)),
        forgotten_before=datetime.now(UTC) - kept,
    )


def _invocation(
    app: Pynenc, stored: StoredInvocation, *, has_result: bool, has_exception: bool
) -> InvocationFacts:
    history, dto = stored.history, stored.invocation
    # A task of a module that this process has not imported is not known.
    task = app.tasks.get(dto.call_id.task_id) if dto else None
    return InvocationFacts(
        history=history,
        status_record=stored.status_record,
        retries=stored.retries,
        max_retries=task.conf.max_retries if task else None,
        has_result=has_result,
        has_exception=has_exception,
        parent_id=dto.parent_invocation_id if dto else None,
        running_key=_running_key(task, dict(history.arguments)) if task else None,
    )


def _running_key(task: Task[..., Any], arguments: dict[str, str]) -> Hashable | None:
    """What pynenc looks for among running invocations before it runs this one, if it does."""
    if task.conf.running_concurrency == ConcurrencyControlType.DISABLED:
        return None
    try:
        compared = compat.running_arguments(task, arguments)
    except KeyError:  # called without one of its key arguments; pynenc does not run it either
        return None
    # No arguments to compare, and none there, both mean any invocation of the task.
    return task.task_id, frozenset((compared or {}).items())


def _services(app: Pynenc) -> Iterator[ServiceWindow]:
    """When runners ran atomic services; a refused attempt lasted no time, and is left out."""
    executions = [
        each
        for each in compat.atomic_service_executions(app)
        if each.status != AtomicServiceExecutionStatus.BLOCKED
    ]
    runner_ids = sorted({each.runner_id for each in executions})
    contexts = app.state_backend.get_runner_contexts(runner_ids) if runner_ids else []
    hosts = {context.runner_id: context.hostname for context in contexts}
    for each in executions:
        yield ServiceWindow(
            each.runner_id,
            aware(each.start_time),
            aware(each.end_time) if each.end_time else OPEN_END,
            each.status != AtomicServiceExecutionStatus.ABANDONED,
            hosts.get(each.runner_id),
        )
