"""Tests with children and races, as an author would write them."""

# ruff: noqa: ANN001, ANN201

from __future__ import annotations

from pathlib import Path

import pytest
import racers

from pytest_pynenc_state.waiting import wait_until

# Hang guard: a child only has to start.
START_S = 30.0


def is_there(sign_of_life):
    """Return once a child says that it lives."""
    assert wait_until(Path(sign_of_life).exists, START_S)


def test_a_child_is_left(pynenc_process):
    """Pass, and leave a child behind that does not listen."""
    child = pynenc_process(racers.stay, "life")
    is_there("life")
    Path("left.txt").write_text(str(child.pid))


def test_an_error_is_not_asked_for(pynenc_process):
    """Pass, although the child has failed."""
    pynenc_process(racers.fail)


def test_fails_after_children(pynenc_process, pynenc_race):
    """Fail, with something to report of both."""
    pynenc_process(racers.speak).result()
    assert pynenc_race(racers.who, 2).winners
    assert not pynenc_race(racers.speak).winners


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_race(pynenc_race, pynenc_app, number):
    """Tell who has raced, and on which app."""
    race = pynenc_race(racers.who)
    assert {app_id for _, app_id in race.values} == {pynenc_app.app_id}
    with Path(f"pids{number}.txt").open("a") as file:
        file.writelines(f"{pid} {app_id}\n" for pid, app_id in race.values)


@pytest.mark.pynenc(app="office:app")
def test_a_race_on_the_authors_app(pynenc_race):
    """As it is imported there."""
    assert [app_id for _, app_id in pynenc_race(racers.who, 2).values] == ["office", "office"]


def test_pytest_is_killed(pynenc_process, pynenc_race):
    """Wait for somebody to kill this process, with children of every kind."""
    assert pynenc_race(racers.who).winners
    for method in ("spawn", "fork", "forkserver"):
        pynenc_process(racers.stay, f"life-{method}", method=method)
        is_there(f"life-{method}")
    pynenc_race(racers.stay, each=[("life",), ("other",)])


def test_a_child_is_killed_at_a_crash_point(pynenc_process, pynenc_crash):
    """Pass, and wait for nothing but the crash."""
    crash = pynenc_crash.before("orchestrator.count_invocations")
    child = pynenc_process(racers.count)
    assert crash.wait().pid == child.pid


def test_a_child_is_still_paused_at_a_crash_point(pynenc_process, pynenc_crash):
    """Pass, and have the end of the test let it go on."""
    crash = pynenc_crash.before("orchestrator.count_invocations", action="pause")
    pynenc_process(racers.count, "counted")
    crash.wait()


@pytest.mark.usefixtures("pynenc_process", "pynenc_crash")
def test_a_child_is_still_starting(pynenc_process):
    """Pass at once."""
    pynenc_process(racers.count)
