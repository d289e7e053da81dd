"""Crashes at no point of the code: after a delay that follows from the seed of the run."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import TYPE_CHECKING, Any, cast

import psutil
import pytest

from pytest_pynenc_state.errors import CrashNotReached, CrashRefused
from pytest_pynenc_state.processes.crash_control import crash_control_of
from pytest_pynenc_state.waiting import wait_until
from tests.processes import crashing
from tests.processes.looking import START_S, has_died

if TYPE_CHECKING:
    from pytest_pynenc_state import Backend, CrashControl, RunnerControl
    from pytest_pynenc_state.processes.child import Children

pytestmark = pytest.mark.pynenc_backends("sqlite")


def test_a_process_is_killed_from_outside_after_a_delay_of_the_seed(
    pynenc_backend: Backend, pynenc_process: Children
) -> None:
    """The same seed, the same delays; whatever the process is doing."""
    delays = []
    for _ in range(2):
        with crash_control_of(pynenc_backend, START_S, seed=3) as control:
            child = pynenc_process(crashing.block)
            crash = control.at_random(child, within_s=(0.0, 0.05))
            [delay] = control._delays
            delays.append(delay._delay_s)
            hit = crash.wait()
            assert (hit.pid, hit.invocation_id) == (child.pid, None)
            assert has_died(child)

    assert delays[0] == delays[1]
    assert 0.0 <= delays[0] <= 0.05


def test_a_process_that_has_ended_before_its_delay_is_not_hit(pynenc_crash: CrashControl) -> None:
    """There is nothing left to kill, and the message says so."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        ended = psutil.Process(process.pid)
        assert wait_until(lambda: ended.status() == psutil.STATUS_ZOMBIE, START_S)
        crash = pynenc_crash.at_random(process.pid, within_s=(0.0, 0.0))

        with pytest.raises(CrashNotReached, match=rf"pid {process.pid}: had ended before"):
            crash.wait(timeout_s=1.0)


@pytest.mark.parametrize("within_s", [(0.5, 0.1), 0.5, (-1, 0), (0.1,), ("0", "1"), (0, math.inf)])
def test_a_refused_range_of_delays_says_what_is_expected(
    pynenc_crash: CrashControl, pynenc_process: Children, within_s: Any
) -> None:
    """And what was got."""
    child = pynenc_process(crashing.process_id)

    with pytest.raises(CrashRefused, match="the shortest delay, then the longest") as caught:
        pynenc_crash.at_random(child, within_s=within_s)
    assert f"within_s={within_s!r}" in str(caught.value)
    assert child.result() == child.pid


@pytest.mark.parametrize("pynenc_runner", ["process"], indirect=True)
@pytest.mark.pynenc_no_history_check
def test_a_runner_that_is_the_only_one_need_not_be_named(
    pynenc_crash: CrashControl, pynenc_runner: RunnerControl
) -> None:
    """Of several, it has to be; of those that have ended, none is meant."""
    (runner,) = pynenc_runner.runners
    crash = pynenc_crash.at_random(pynenc_runner, within_s=(0.0, 0.0))
    assert crash.wait().pid == cast("Any", runner).pid

    with pytest.raises(CrashRefused, match="0 of its runners are alive") as caught:
        pynenc_crash.at_random(pynenc_runner)
    assert caught.value.remedies == ("give one of pynenc_runner.runners",)


@pytest.mark.parametrize("pynenc_runner", ["thread"], indirect=True)
def test_a_runner_in_the_pytest_process_is_not_hit_at_random(
    pynenc_crash: CrashControl, pynenc_runner: RunnerControl
) -> None:
    """Nor is anything that is no process at all."""
    for given in (pynenc_runner, *pynenc_runner.runners):
        with pytest.raises(CrashRefused, match="in the pytest process, which is never") as caught:
            pynenc_crash.at_random(given)  # type: ignore[arg-type]
        assert "--pynenc-runner process" in caught.value.remedies[0]
    with pytest.raises(CrashRefused, match=r"at_random\(None\): this test has no such process"):
        pynenc_crash.at_random(None)  # type: ignore[arg-type]
