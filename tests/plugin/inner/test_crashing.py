"""Crash points in the runners of an author's app."""

# ruff: noqa: ANN001, ANN201
# Written as the author of an application would, without annotations.

from __future__ import annotations

import os
from pathlib import Path

import office
import psutil
import pytest
from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

from pytest_pynenc_state import path
from pytest_pynenc_state.errors import CrashNotReached, CrashRefused

# One worker each, and one only: a runner that is stopped while a worker of it starts has to wait
# for that worker, in pynenc for ten seconds.
ONE_WORKER = {"max_processes": 1, "enforce_max_processes": False, "num_processes": 1}

pytestmark = [
    pytest.mark.pynenc(app="office:app", **ONE_WORKER),
    pytest.mark.pynenc_requires("shared"),
]

CONSTRUCT = BaseOrchestrator.__init__

by_each_kind = pytest.mark.parametrize(
    "pynenc_runner", ["process", "multi-thread", "persistent-process"], indirect=True
)
by_processes = pytest.mark.parametrize("pynenc_runner", ["process"], indirect=True)


def state_of(pid):
    """Return what a process does, or that it is gone."""
    try:
        return psutil.Process(pid).status()
    except psutil.NoSuchProcess:
        return psutil.STATUS_ZOMBIE


@by_each_kind
# The other threads of a multi-thread worker die with it, wherever they are.
@pytest.mark.pynenc_no_history_check
def test_a_worker_is_killed_and_its_runner_lives(
    pynenc_crash, pynenc_runner, pynenc_app, pynenc_history
):
    """The one that has just begun to run the task, and nobody else."""
    (runner,) = pynenc_runner.runners
    crash = pynenc_crash.when("running", task=office.add)

    invocation = office.add(1, 2)
    hit = crash.wait()

    assert hit.invocation_id == invocation.invocation_id
    assert hit.pid not in {os.getpid(), runner.pid}
    assert state_of(hit.pid) == psutil.STATUS_ZOMBIE
    assert runner.is_alive()
    assert pynenc_app.orchestrator.get_invocation_status(hit.invocation_id) == "running"
    assert pynenc_history(invocation) == path("registered", "pending", "running")
    # It happens once.
    pynenc_runner.start()
    assert office.add(3, 4).result == 7


@by_processes
# Dies with it: whatever else it was about to write.
@pytest.mark.pynenc_no_history_check
def test_a_runner_is_killed_that_makes_the_call_itself(pynenc_crash, pynenc_runner, pynenc_history):
    """Of this kind, the runner claims, and a child of it runs."""
    (runner,) = pynenc_runner.runners
    crash = pynenc_crash.when("pending", task="office.add")

    invocation = office.add(1, 2)

    assert crash.wait().pid == runner.pid
    assert not runner.is_alive()
    assert pynenc_history(invocation) == path("registered", "pending")
    pynenc_runner.start()
    assert office.add(3, 4).result == 7


@by_each_kind
def test_a_paused_worker_goes_on_when_it_is_told_to(pynenc_crash, pynenc_runner, pynenc_history):
    """Meanwhile nothing happens to what it holds."""
    assert pynenc_runner.kind in {"process", "multi-thread", "persistent-process"}
    crash = pynenc_crash.before("set_invocation_result", task=office.add, action="pause")

    invocation = office.add(1, 2)
    hit = crash.wait()

    assert state_of(hit.pid) == psutil.STATUS_STOPPED
    assert pynenc_history(invocation) == path("registered", "pending", "running")
    crash.resume()
    assert invocation.result == 3


@by_processes
def test_a_worker_stays_paused_until_the_test_ends(pynenc_crash, pynenc_runner):
    """Then it goes on, before anybody asks its runner to stop."""
    crash = pynenc_crash.when("running", task=office.add, action="pause")
    office.add(1, 2)
    hit = crash.wait()
    stop = pynenc_runner.stop

    def look_and_stop() -> None:
        Path("state").write_text(state_of(hit.pid))
        stop()

    pynenc_runner.stop = look_and_stop


@pytest.mark.parametrize("pynenc_runner", ["thread"], indirect=True)
def test_pytest_itself_is_never_hit(pynenc_crash, pynenc_runner):
    """A runner in this process is refused, as long as there is one."""
    with pytest.raises(CrashRefused, match="--pynenc-runner process"):
        pynenc_crash.when("running")
    with pytest.raises(CrashRefused, match="runs the tasks of this test"):
        pynenc_crash.before("set_invocation_result")
    assert office.add(1, 2).result == 3

    pynenc_runner.stop()
    crash = pynenc_crash.when("running")
    pynenc_runner.start()

    assert office.add(1, 2).result == 3
    with pytest.raises(CrashNotReached, match="a runner in the pytest process runs tasks, too"):
        crash.wait(timeout_s=0.1)


@by_processes
@pytest.mark.usefixtures("pynenc_runner")
def test_nobody_comes_by(pynenc_crash):
    """Wait for a status that no invocation comes to."""
    crash = pynenc_crash.when("failed", task=office.add)
    assert office.add(1, 2).result == 3
    Path("waiting").touch()
    crash.wait()


@by_processes
@pytest.mark.pynenc_no_history_check
def test_a_runner_is_killed_after_a_random_delay(pynenc_crash, pynenc_runner):
    """Whatever it is doing."""
    (runner,) = pynenc_runner.runners

    hit = pynenc_crash.at_random(runner, within_s=(0.0, 0.1)).wait()

    assert hit.pid == runner.pid
    assert not runner.is_alive()


@pytest.mark.usefixtures("pynenc_crash")
def test_a_test_only_asks_for_it():
    """Nothing is wrapped in this process."""
    assert BaseOrchestrator.__init__ is CONSTRUCT


@by_processes
@pytest.mark.usefixtures("pynenc_runner")
def test_the_next_test_knows_nothing_of_it(pynenc_app):
    """Neither this process nor another one."""
    assert BaseOrchestrator.__init__ is CONSTRUCT
    assert "set_invocation_status" not in vars(pynenc_app.orchestrator)
    assert not [name for name in os.environ if "CRASHES" in name]
    assert office.add(1, 2).result == 3
