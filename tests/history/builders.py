"""Builders of histories: statuses by name, instants in seconds since registration.

A step that is only named gets its owner from pynenc itself, which refuses an illegal one. What
pynenc would not do is written as a `record`, which takes anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from pynenc.invocation.status import (
    InvocationStatusRecord,
    get_status_definition,
    status_record_transition,
)
from pynenc.runner.runner_context import RunnerContext

from pytest_pynenc_state.history.records import History, Record
from pytest_pynenc_state.history.status_machine import following, status_named

#: The instant of registration, unless a record says otherwise.
REGISTERED_AT = datetime(2026, 1, 1, tzinfo=UTC)

#: Who registers, and who does all the rest unless a step names another runner.
CLIENT = "client-1"
RUNNER = "runner-1"

#: What lies between two steps that do not say when they were.
STEP_S = 0.01


def record(
    status: str,
    at_s: float = 0.0,
    owner: str | None = None,
    mover: str | None = None,
    **more: Any,
) -> Record:
    """A record as it is told; moved by *mover*, else by its owner, else by the client."""
    at = REGISTERED_AT + timedelta(seconds=at_s)
    mover = mover or owner or CLIENT
    return Record(status_named(status), owner, at, more.pop("written_at", at), mover, **more)


def records(*steps: str | tuple[str, str] | Record) -> tuple[Record, ...]:
    """Records of *steps*: a status, a status and who sets it, or a record as it is.

    A status follows the record in front of it by pynenc's rules, a hundredth of a second later.
    """
    built: list[Record] = []
    for step in steps:
        built.append(step if isinstance(step, Record) else _next_record(built, step))
    return tuple(built)


def history(
    *steps: str | tuple[str, str] | Record,
    invocation_id: str = "charge-1",
    task: str = "shop.payments.charge",
    arguments: Mapping[str, str] | None = None,
    order_unknown: Sequence[int] = (),
) -> History:
    """A history of `records`."""
    return History(
        invocation_id,
        records(*steps),
        task=task,
        arguments=arguments,
        order_unknown=order_unknown,
    )


def context(runner_id: str = RUNNER, runner_cls: str = "ThreadRunner", **more: Any) -> Any:
    """What pynenc knows of a runner."""
    return RunnerContext(runner_cls, runner_id, **{"pid": 4711, "hostname": "host-1"} | more)


def _next_record(before: Sequence[Record], step: str | tuple[str, str]) -> Record:
    status, mover = (step, None) if isinstance(step, str) else step
    last = before[-1] if before else None
    if mover is None:
        mover = _likely_mover(last)
    current = last and InvocationStatusRecord(last.status, last.owner, last.at)
    built = status_record_transition(current, status_named(status), mover)
    at_s = (last.at - REGISTERED_AT).total_seconds() + STEP_S if last else 0.0
    return record(status, at_s, built.runner_id, mover)


def _likely_mover(last: Record | None) -> str:
    if last is None:
        return CLIENT
    owned = get_status_definition(last.status).requires_ownership
    return last.owner if owned and last.owner else RUNNER


def _anybody_may_set(status: str, last: Record) -> bool:
    if get_status_definition(status_named(status)).overrides_ownership:
        return True
    return not get_status_definition(last.status).requires_ownership


@st.composite
def legal_walks(
    draw: st.DrawFn,
    min_size: int = 1,
    max_size: int = 12,
    runners: Sequence[str] = (RUNNER, "runner-2"),
) -> History:
    """Histories of random steps that the installed pynenc allows, by random runners."""
    steps: list[str | tuple[str, str] | Record] = []
    size = draw(st.integers(min_size, max_size))
    last: Record | None = None
    while len(steps) < size:
        allowed: Iterable[str] = following(last.status if last else None)
        # A walk that has to go on does not end early.
        going_on = [each for each in allowed if following(status_named(each))]
        choices = list(allowed) if len(steps) + 1 >= min_size else going_on
        if not choices:
            break
        status = draw(st.sampled_from(choices))
        mover = _likely_mover(last)
        if last and _anybody_may_set(status, last):
            mover = draw(st.sampled_from(list(runners)))
        last = _next_record([last] if last else [], (status, mover))
        steps.append(last)
    return history(*steps)
