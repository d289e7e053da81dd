"""Tests that change all they can of an author's app and of pynenc, and end in every way."""

# ruff: noqa: ANN001, ANN201
# Written as the author of an application would, without annotations.

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import signal

import jobs
import office
import pytest
from pynenc import Pynenc, context

pytestmark = pytest.mark.pynenc(app="office:app", print_arguments=False)


@pytest.fixture
def disturbed(pynenc_app, pynenc_runner):
    """Use the app, its runner and its tasks, and change what is global."""
    assert pynenc_runner.kind == "thread"
    assert office.add(3, 4).result == 7
    assert not office.app.conf.print_arguments
    pickle.loads(pickle.dumps(pynenc_app))
    pynenc_app.reporting = "changed"
    pynenc_app.task(jobs.greet)
    office.add.note = "changed"
    Pynenc(config_values={"app_id": "stranger"}).logger.setLevel(logging.CRITICAL)
    pynenc_app.logger.addHandler(logging.NullHandler())
    context.set_current_app(pynenc_app)
    context.swap_dist_invocation_context("office", office.add(5, 6))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    multiprocessing.set_start_method("spawn", force=True)
    os.environ["PYNENC__ORCHESTRATOR_CLS"] = "changed"
    os.environ.pop("PYNENC__STATE_BACKEND_CLS")


@pytest.fixture
def broken_setup(disturbed):  # noqa: ARG001 - it comes first, and goes last
    """Fail before the test begins."""
    raise RuntimeError


@pytest.fixture
def broken_teardown(disturbed):  # noqa: ARG001 - it comes first, and goes last
    """Fail after the test has passed."""
    yield
    raise RuntimeError


@pytest.mark.usefixtures("disturbed")
def test_passes():
    """Pass."""


@pytest.mark.usefixtures("disturbed")
def test_fails():
    """Fail."""
    raise RuntimeError


@pytest.mark.usefixtures("broken_setup")
def test_raises_in_setup():
    """Never begin."""


@pytest.mark.usefixtures("broken_teardown")
def test_raises_in_teardown():
    """Pass, and fail afterwards."""


@pytest.mark.usefixtures("disturbed")
def test_is_interrupted():
    """End as if somebody pressed Ctrl-C."""
    raise KeyboardInterrupt
