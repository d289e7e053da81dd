"""A test in which pytest, a worker of xdist, a runner or a worker is killed."""

# ruff: noqa: ANN001, ANN201
# Written as the author of an application would, without annotations.

from __future__ import annotations

import os
import signal
from pathlib import Path

import daemon
import office
import psutil
import pytest

from pytest_pynenc_state.waiting import wait_until

pytestmark = [pytest.mark.pynenc(app="office:app"), pytest.mark.pynenc_requires("shared")]

# Hang guard: a worker only has to start.
START_S = 30.0


def begin(name):
    """Have a task run that has left a daemon; return the ids of its worker and of the daemon."""
    signs = [Path(f"{name}.worker"), Path(name)]
    office.leave_daemon(name)
    assert wait_until(lambda: all(sign.exists() for sign in signs), START_S)
    return [int(sign.read_text()) for sign in signs]


CHILDREN = ("racer-0", "racer-1", "spawn", "fork")


def begin_children(start, race, function):
    """Have racers and children leave daemons."""
    race(daemon.leave_daemon, each=[("racer-0",), ("racer-1",)])
    for method in ("spawn", "fork"):
        start(function, method, method=method)
    assert wait_until(lambda: all(Path(name).exists() for name in CHILDREN), START_S)


def wait_for_the_end():
    """Say that all is there, and wait for somebody to kill this process."""
    unfinished = Path("ready.unfinished")
    unfinished.write_text(str(os.getpid()))
    unfinished.rename("ready")
    signal.pause()


def has_ended(process):
    """Tell that it is gone, or about to be, also if its parent notices just meanwhile."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.usefixtures("pynenc_runner")
def test_pytest_is_killed():
    """While a task runs that has left a daemon."""
    begin("life")
    wait_for_the_end()


def test_pytest_is_killed_with_children(pynenc_process, pynenc_race):
    """While children and racers live, and their daemons."""
    begin_children(pynenc_process, pynenc_race, daemon.leave_daemon_and_stay)
    wait_for_the_end()


def test_children_leave_daemons(pynenc_process, pynenc_race):
    """They themselves end, or belong to the run."""
    begin_children(pynenc_process, pynenc_race, daemon.leave_daemon)


@pytest.mark.pynenc_no_history_check
@pytest.mark.parametrize("victim", ["runner", "worker", "daemon"])
def test_one_is_killed(pynenc_runner, victim):
    """Kill it, and leave all others as they are."""
    worker, of_worker = begin(victim)
    (runner,) = pynenc_runner.runners
    killed = psutil.Process({"runner": runner.pid, "worker": worker, "daemon": of_worker}[victim])
    killed.kill()
    assert wait_until(lambda: has_ended(killed), START_S)
    pynenc_runner.timeout_s = 1.0
