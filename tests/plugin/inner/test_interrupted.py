"""A test that fails, and some that are interrupted."""

# ruff: noqa: ANN001, ANN201, ARG001
# Written as the author of an application would, without annotations.

from __future__ import annotations

import os
from pathlib import Path

import office
import pytest

from pytest_pynenc_state.waiting import wait_until

pytestmark = pytest.mark.pynenc(app="office:app")

# Hang guard: a thread only has to begin.
START_S = 30.0


def end(app):
    """End without an answer."""
    os._exit(1)


def test_fails():
    """Fail, before anybody loses patience."""
    raise RuntimeError


def test_is_interrupted(pynenc_process):
    """End as if somebody pressed Ctrl-C, while nobody has asked what became of the children."""
    for _ in range(2):
        pynenc_process(end)
    raise KeyboardInterrupt


def test_exits(pynenc_process):
    """End the run, while nobody has asked what became of the child."""
    pynenc_process(end)
    pytest.exit("enough", returncode=7)


def test_hangs(pynenc_runner):
    """End as if somebody pressed Ctrl-C, while a task runs that never ends."""
    office.block("blocked")
    assert wait_until(Path("blocked").exists, START_S)
    raise KeyboardInterrupt
