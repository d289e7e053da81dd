"""Runners that die, leak or never come to a result."""

# ruff: noqa: ANN001, ANN201
# Written as the author of an application would, without annotations.

from __future__ import annotations

import os
import signal
from pathlib import Path

import office
import pytest

from pytest_pynenc_state.errors import ResultTimeout
from pytest_pynenc_state.waiting import wait_until

pytestmark = [pytest.mark.pynenc(app="office:app"), pytest.mark.pynenc_requires("shared")]

SIGN_OF_LIFE = Path("life")

# Hang guard: a worker only has to start.
START_S = 30.0

by_processes = pytest.mark.parametrize("pynenc_runner", ["process"], indirect=True)
by_a_thread = pytest.mark.parametrize("pynenc_runner", ["thread"], indirect=True)


def begin(task):
    """Return once *task* runs."""
    invocation = task(str(SIGN_OF_LIFE))
    assert wait_until(SIGN_OF_LIFE.exists, START_S)
    return invocation


@by_processes
@pytest.mark.usefixtures("pynenc_runner")
def test_a_process_outlives_the_runner():
    """Pass, and leave a process behind that does not listen."""
    pid = begin(office.leave_hermit).result
    Path("left.txt").write_text(str(pid))


@pytest.mark.parametrize("pynenc_runner", ["multi-thread"], indirect=True)
def test_a_runner_outlives_the_test(pynenc_runner):
    """Pass, and leave a runner behind that waits for its task to end."""
    begin(office.block)
    (runner,) = pynenc_runner.runners
    Path("left.txt").write_text(str(runner.pid))
    pynenc_runner.timeout_s = 0.5


@by_a_thread
def test_a_thread_outlives_the_test(pynenc_runner):
    """Pass, and leave a thread behind."""
    begin(office.block)
    pynenc_runner.timeout_s = 0.5


@by_processes
@pytest.mark.usefixtures("pynenc_runner")
def test_a_result_never_comes():
    """Wait for what never ends."""
    assert begin(office.block).result


@by_processes
def test_the_runner_dies(pynenc_runner):
    """Kill it, and wait for what nobody will do."""
    (runner,) = pynenc_runner.runners
    os.kill(runner.pid, signal.SIGKILL)
    with pytest.raises(ResultTimeout) as caught:
        _ = office.add(1, 2).result
    Path("message.txt").write_text(f"{runner.pid}\n{caught.value}")


@by_processes
def test_the_runner_dies_before_it_writes(pynenc_crash, pynenc_runner):
    """Leave a status without its record, as this kind of runner claims by itself."""
    crash = pynenc_crash.when("pending", task=office.add, recorded=False)
    office.add(1, 2)
    (runner,) = pynenc_runner.runners
    assert crash.wait().pid == runner.pid


@pytest.mark.pynenc(app="fragile:app")
@by_processes
@pytest.mark.usefixtures("pynenc_runner")
def test_the_runner_cannot_start():
    """Never begin."""
