"""Tests that change all they can of an author's app and of pynenc, and end in every way."""

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
def broken_setup(disturbed):
    """Fail before the test begins."""
    raise RuntimeError


@pytest.fixture
def broken_teardown(disturbed):
    """Fail after the test has passed."""
    yield
    raise RuntimeError


def test_passes(disturbed):
    """Pass."""


def test_fails(disturbed):
    """Fail."""
    raise RuntimeError


def test_raises_in_setup(broken_setup):
    """Never begin."""


def test_raises_in_teardown(broken_teardown):
    """Pass, and fail afterwards."""


def test_is_interrupted(disturbed):
    """End as if somebody pressed Ctrl-C."""
    raise KeyboardInterrupt
