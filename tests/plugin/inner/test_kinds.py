"""What each kind of runner does with the tasks of an author's app."""

# ruff: noqa: ANN001, ANN002, ANN201
# Written as the author of an application would, without annotations.

from __future__ import annotations

import os
import subprocess
import sys

import office
import pytest

pytestmark = [
    pytest.mark.pynenc(app="office:app", print_arguments=False),
    pytest.mark.pynenc_requires("shared"),
]


def kinds(*names):
    """Run a test with each of these kinds of runners."""
    return pytest.mark.parametrize("pynenc_runner", names, indirect=True)


def active_ids(app):
    """Return the runners that the store knows to be alive."""
    return {runner.runner_id for runner in app.orchestrator.get_active_runners()}


@kinds("thread", "multi-thread", "process", "persistent-process", "command-line")
def test_each_kind_runs_tasks(pynenc_app, pynenc_runner):
    """It is ready, it runs elsewhere unless it is a thread, and its configuration is ours."""
    (runner,) = pynenc_runner.runners
    assert runner.runner_id in active_ids(pynenc_app)
    assert runner.is_alive()

    assert office.add(1, 2).result == 3
    assert (office.process_id().result == os.getpid()) == (pynenc_runner.kind == "thread")
    assert office.prints_arguments().result is False


@kinds("thread", "process", "command-line")
def test_further_runners_are_ready_when_start_returns(pynenc_app, pynenc_runner):
    """All on one queue, each with an id of its own."""
    started = pynenc_runner.start(2)

    assert pynenc_runner.runners[1:] == started
    ids = {runner.runner_id for runner in pynenc_runner.runners}
    assert len(ids) == 3
    assert ids <= active_ids(pynenc_app)
    assert office.add(1, 2).result == 3


def test_a_process_of_the_test_finds_the_place(pynenc_app):
    """It only imports the app; the environment leads it to the place."""
    invocation = office.add(1, 2)
    program = (
        "import office\n"
        "app = office.app\n"
        f"invocation = app.state_backend.get_invocation({invocation.invocation_id!r})\n"
        "print(invocation.arguments.kwargs, app.orchestrator.count_invocations())\n"
        "print(type(app.orchestrator).__name__, app.conf.print_arguments)\n"
    )

    printed = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True
    ).stdout

    name = type(pynenc_app.orchestrator).__name__
    assert printed.splitlines() == ["{'first': 1, 'second': 2} 1", f"{name} False"]
