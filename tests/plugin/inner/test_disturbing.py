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

pytestmark = pytest.mark.pynenc(app="office:app", print_arguments=False, max_retries=3)


@pytest.fixture
def disturbed(pynenc_app, pynenc_runner):
    """Use the app, its runner and its tasks, and change what is global."""
    assert pynenc_runner.kind == "thread"
    assert office.add(3, 4).result == 7
    assert office.app.conf.print_arguments is False
    assert office.add.conf.max_retries == 3
    pynenc_app.reporting = "changed"
    pynenc_app.task(jobs.greet)
    office.add.note = "changed"
    stranger = Pynenc(config_values={"app_id": "stranger"})
    stranger.logger.setLevel(logging.CRITICAL)
    pickle.loads(pickle.dumps(stranger))
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
