"""What waits for a task is found, and nobody opens a connection for it."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from pynenc.invocation.status import InvocationStatus
from pynenc.trigger import TriggerBuilder
from pynenc.trigger.conditions import ResultContext, StatusContext

from pytest_pynenc_state.conformance import tasks

if TYPE_CHECKING:
    from pynenc import Pynenc

on_both = pytest.mark.parametrize("pynenc_backend", ["sqlite", "pynenc-sqlite"], indirect=True)
pytestmark = pytest.mark.pynenc_backends("sqlite", "pynenc-sqlite")


@pytest.fixture
def awaited(pynenc_app: Pynenc) -> Any:
    """A task whose status another one waits for."""
    awaited = pynenc_app.task(tasks.add)
    builder = TriggerBuilder().on_status(awaited, InvocationStatus.SUCCESS)
    pynenc_app.trigger.register_task_triggers(awaited, builder)
    return awaited


@on_both
def test_conditions_of_a_task_are_found_by_their_kind(pynenc_app: Pynenc, awaited: Any) -> None:
    """As pynenc's own trigger finds them."""
    trigger = pynenc_app.trigger
    found = [
        len(trigger.get_conditions_sourced_from_task(awaited.task_id, kind))
        for kind in (None, StatusContext, ResultContext)
    ]
    assert found == [1, 1, 0]


@on_both
def test_a_condition_is_found_by_another_handle(
    pynenc_app_factory: Any, pynenc_app: Pynenc, awaited: Any
) -> None:
    """Both when it was asked before, and when it was not."""
    other = pynenc_app_factory()
    (found,) = other.trigger.get_conditions_sourced_from_task(awaited.task_id)
    assert found.task_id == awaited.task_id
    pynenc_app.trigger.purge()
    assert other.trigger.get_conditions_sourced_from_task(awaited.task_id) == []


@pytest.mark.pynenc_backends("sqlite")
def test_no_question_opens_a_connection(
    pynenc_app: Pynenc, awaited: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether somebody waits for a task or not: the one that is open does for all."""
    trigger, unawaited = pynenc_app.trigger, pynenc_app.task(tasks.greet)
    connections = []
    connect = sqlite3.connect

    def counted(*arguments: Any, **named: Any) -> Any:
        connections.append(arguments)
        return connect(*arguments, **named)

    monkeypatch.setattr(sqlite3, "connect", counted)

    found = [
        len(trigger.get_conditions_sourced_from_task(task.task_id)) for task in (unawaited, awaited)
    ]
    assert (found, connections) == ([0, 1], [])
