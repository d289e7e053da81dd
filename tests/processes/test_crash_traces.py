"""What crash points leave behind in processes, variables and folders: nothing."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

from pytest_pynenc_state.processes import crash_points
from pytest_pynenc_state.processes.crash_control import crash_control_of
from pytest_pynenc_state.processes.crash_files import CRASHES_VARIABLE
from tests.processes import crashing
from tests.processes.looking import START_S, status

if TYPE_CHECKING:
    from pynenc import Pynenc

    from pytest_pynenc_state import Backend
    from pytest_pynenc_state.processes.child import Children
    from pytest_pynenc_state.processes.racing import Races

pytestmark = pytest.mark.pynenc_backends("sqlite")


def test_nothing_is_left_of_it(
    pynenc_app: Pynenc, pynenc_backend: Backend, pynenc_process: Children, registered: str
) -> None:
    """No variable, no folder, no thread, nothing wrapped; what was paused goes on."""
    construct = BaseOrchestrator.__init__
    threads = threading.active_count()
    with crash_control_of(pynenc_backend, START_S, seed=1) as control:
        folder = Path(os.environ[CRASHES_VARIABLE].partition(":")[2])
        pause = control.when("pending", action="pause")
        child = pynenc_process(crashing.move, registered, "pending")
        pause.wait()
        control.at_random(child, within_s=(60.0, 60.0))
        crash_points.install()  # what the plugin would do in a process that may be hit
        assert BaseOrchestrator.__init__ is construct
        assert folder.is_dir()

    assert child.result()
    assert status(pynenc_app, registered) == "pending"
    assert CRASHES_VARIABLE not in os.environ
    assert not folder.exists()
    assert threading.active_count() == threads
    assert vars(pynenc_app.orchestrator).get("set_invocation_status") is None


def test_a_process_that_outlives_the_crash_points_of_its_test_looks_for_none(
    pynenc_backend: Backend, pynenc_process: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been started at the very end, and have the variable still."""
    with crash_control_of(pynenc_backend, START_S, seed=1):
        variable = os.environ[CRASHES_VARIABLE]
    monkeypatch.setenv(CRASHES_VARIABLE, variable)
    child = pynenc_process(crashing.process_id)

    assert child.result() == child.pid


def test_only_the_processes_of_a_test_with_crash_points_have_anything_wrapped(
    pynenc_process: Children, pynenc_backend: Backend
) -> None:
    """Also of those in which the next test finds them."""
    without = pynenc_process(is_wrapped).result()
    with crash_control_of(pynenc_backend, START_S, seed=1):
        within = pynenc_process(is_wrapped).result()

    assert (without, within) == (False, True)


def test_a_racer_has_nothing_wrapped_after_a_test_with_crash_points(
    pynenc_race: Races, pynenc_backend: Backend
) -> None:
    """The very same process."""
    with crash_control_of(pynenc_backend, START_S, seed=1):
        within = pynenc_race(is_wrapped, 2)
    without = pynenc_race(is_wrapped, 2)

    assert [outcome.value for outcome in within.outcomes] == [True, True]
    assert [outcome.value for outcome in without.outcomes] == [False, False]
    assert [each.pid for each in within.outcomes] == [each.pid for each in without.outcomes]


def is_wrapped(app: Pynenc) -> bool:
    return "set_invocation_status" in vars(app.orchestrator)
