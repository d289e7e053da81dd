"""What the processes do that are to crash. Each of them imports this module."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from pynenc import Pynenc, context
from pynenc.exceptions import InvocationStatusError
from pynenc.invocation.status import InvocationStatus

if TYPE_CHECKING:
    from pynenc.runner.runner_context import RunnerContext


def _me(app: Pynenc) -> RunnerContext:
    return context.get_or_create_runner_context(app.app_id)


def move(app: Pynenc, invocation_id: str, *statuses: str) -> str:
    """Bring the invocation through *statuses*, as its owner."""
    for status in statuses:
        app.orchestrator.set_invocation_status(invocation_id, InvocationStatus(status), _me(app))
    return _me(app).runner_id


def move_all(app: Pynenc, invocation_ids: list[str], status: str) -> None:
    """Bring each of the invocations to *status*."""
    for invocation_id in invocation_ids:
        move(app, invocation_id, status)


def succeed(app: Pynenc, invocation_id: str) -> None:
    """Do what a worker does that has run the task."""
    move(app, invocation_id, "pending", "running")
    invocation = app.state_backend.get_invocation(invocation_id)
    app.orchestrator.set_invocation_result(invocation, 41, _me(app))


def register(app: Pynenc) -> None:
    """Call the task of this app."""
    [task] = [task for task in app.tasks.values() if task.func is add_one]
    task(40)


def register_many(app: Pynenc, numbers: list[int]) -> None:
    """Call the task of this app, for all of the numbers at once."""
    [task] = [task for task in app.tasks.values() if task.func is add_one]
    task.parallelize([(number,) for number in numbers])


def filter_final(app: Pynenc, *batches: list[str]) -> None:
    """Use a method that is about all the invocations of a batch, or about none."""
    for batch in batches:
        list(app.orchestrator.filter_final(batch))


def claim(app: Pynenc, invocation_id: str) -> bool:
    """Try to be the one who runs the invocation; whether this process is."""
    try:
        move(app, invocation_id, "pending")
    except InvocationStatusError:
        return False
    return True


def page_ids(app: Pynenc) -> int:
    """Use a method whose result is made item by item."""
    return len(list(app.orchestrator.get_blocking_invocations(3)))


def block(_: Pynenc) -> None:
    """Never end."""
    while True:
        signal.pause()


def ask_for_pages(app: Pynenc) -> None:
    """Use the same method, and none of its items."""
    app.orchestrator.get_blocking_invocations(3)


def process_id(_: Pynenc) -> int:
    return os.getpid()


def add_one(number: int) -> int:
    return number + 1


def add_two(number: int) -> int:
    return number + 2
