"""Crash points that cannot be, refused when they are asked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from pytest_pynenc_state import starting
from pytest_pynenc_state.errors import CrashRefused, NotShared
from pytest_pynenc_state.processes.crash_files import CRASHES_VARIABLE
from tests.processes import crashing

if TYPE_CHECKING:
    from pytest_pynenc_state import Backend, CrashControl

pytestmark = pytest.mark.pynenc_backends("sqlite")
on_both = pytest.mark.pynenc_backends("sqlite", "mongomock")


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda c: c.when("runing"), r"no status 'runing'\n- did you mean 'running'\?"),
        (lambda c: c.before("set_invocation_resul"), r"did you mean 'set_invocation_result'\?"),
        (lambda c: c.after("orchestrator.purg"), r"did you mean 'orchestrator\.purge'\?"),
        (lambda c: c.after("nothing.purge"), "purge"),
        (lambda c: c.before("__init__"), "no method '__init__'"),
        (
            lambda c: c.before("purge"),
            r"write 'orchestrator\.purge'\n- write 'state_backend\.purge'",
        ),
        (lambda c: c.before("broker.purge", task="a.b"), "no invocation is an argument"),
        (lambda c: c.when("running", task=crashing.add_one), "expected a task or its key"),
        (lambda c: c.when("running", nth=0), "whole number from 1 on; got 0"),
        (lambda c: c.when("running", action="kil"), r"did you mean 'kill'\?"),
        (lambda c: c.at_random(os.getpid()), "this test has no such process"),
        (lambda c: c.at_random(os.getppid()), "this test has no such process"),
    ],
)
def test_what_cannot_be_is_refused_at_once(pynenc_crash: CrashControl, ask: Any, said: str) -> None:
    """With a name that is near, or with what to write instead."""
    with pytest.raises(CrashRefused, match=said):
        ask(pynenc_crash)


@pytest.mark.pynenc_backends("memory")
@pytest.mark.parametrize("pynenc_backend", ["memory"], indirect=True)
def test_a_state_of_one_process_is_refused(
    request: pytest.FixtureRequest, pynenc_backend: Backend
) -> None:
    """No other process could come by."""
    with (
        pytest.raises(NotShared, match="pynenc_crash needs a second process"),
        starting.crash_control(request, pynenc_backend),
    ):
        pytest.fail("it was not refused")
    assert CRASHES_VARIABLE not in os.environ
