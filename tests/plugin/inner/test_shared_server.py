"""Tests that use the mongomock server of their run, and do not always get to an end."""

# ruff: noqa: ANN001, ANN201
# Written as the author of an application would, without annotations.

from __future__ import annotations

import os
import signal
from pathlib import Path

import office
import psutil
import pytest

from pytest_pynenc_state.waiting import wait_until

# Hang guards: the test that runs this one kills it, or its controller; a worker has to start.
FOR_EVER_S = START_S = 60.0

pytestmark = [pytest.mark.pynenc(app="office:app"), pytest.mark.pynenc_backends("mongomock")]


@pytest.mark.parametrize("number", range(6))
def test_uses(pynenc_app, pynenc_place, number):
    """Find nothing, leave something, and say on which server."""
    assert pynenc_app.orchestrator.count_invocations() == 0
    office.add(number, number)
    assert pynenc_app.orchestrator.count_invocations() == 1
    with Path("seen.txt").open("a") as seen:
        seen.write(f"{os.getpid()} {pynenc_place.values['mongo_url']}\n")
    assert wait_until(all_workers_have_come, START_S)


def all_workers_have_come():
    """Whether each worker of this run uses the server: who is done early ends it for the others."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", "alone")
    Path(f"{run}-{os.environ.get('PYTEST_XDIST_WORKER')}").touch()
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return len(list(Path().glob(f"{run}-*"))) >= workers


@pytest.mark.parametrize("number", range(2))
@pytest.mark.usefixtures("pynenc_app")
def test_kills_its_process(number):  # noqa: ARG001 - one of several
    """End as the kernel ends who takes too much memory."""
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("number", range(2))
@pytest.mark.usefixtures("pynenc_app")
def test_waits(number):
    """Wait for somebody to kill this process."""
    Path(f"waiting-{number}").touch()
    wait_until(lambda: False, FOR_EVER_S)


@pytest.mark.pynenc_no_history_check  # nobody can read them any more
@pytest.mark.parametrize("number", range(2))
def test_kills_the_server(pynenc_app, number):
    """End what all tests need; only the first one can."""
    assert number == 0
    assert pynenc_app.orchestrator.count_invocations() == 0
    for process in psutil.Process().children():
        if "pytest_pynenc_state.backends.mongo.server" in process.cmdline():
            process.kill()
