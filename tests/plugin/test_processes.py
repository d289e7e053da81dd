"""Children and races in whole runs of pytest: reports, leaks, and nothing that is left."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable

import psutil
import pytest

from pytest_pynenc_state.waiting import wait_until

# Hang guard for a whole inner run.
RUN_S = 100.0

INI = """
    [pytest]
    pythonpath = .
    addopts = --pynenc-backend=sqlite
    filterwarnings =
        error
        ignore:keys will default to True:DeprecationWarning
        ignore:The `dateutil.zoneinfo` module:DeprecationWarning
"""
_MARK = "RACERS_RUN"


@pytest.fixture(autouse=True)
def project(pytester: pytest.Pytester, copy_inner: Callable[..., None]) -> None:
    """Have an app, and functions for children and racers."""
    copy_inner("office.py", "racers.py", "test_children.py")
    pytester.makeini(INI)


@pytest.fixture
def descendants(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """List what an inner run has started and is still there, also if it was adopted."""
    mark = uuid.uuid4().hex
    monkeypatch.setenv(_MARK, mark)

    def listed() -> list[str]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.pid != os.getpid() and process.environ().get(_MARK) == mark:
                    found.append(f"{process.pid}: {' '.join(process.cmdline())}")
            except psutil.Error:
                continue
        return found

    return listed


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess(*arguments, timeout=RUN_S)


def test_a_child_that_outlives_its_test_fails_it_and_is_killed(
    pytester: pytest.Pytester, descendants: Callable[[], list[str]]
) -> None:
    """The report names it, and shows where it was."""
    result = run(pytester, "-k", "a_child_is_left")

    result.assert_outcomes(passed=1, errors=1, deselected=10)
    pid = pytester.path.joinpath("left.txt").read_text()
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_a_child_is_left*",
            f"E *ProcessLeaked: a child outlived its test*: racers.stay in child process {pid}:",
            "E *racers.py* in stay",
        ]
    )
    assert descendants() == []


def test_an_error_of_a_child_that_nobody_asked_for_fails_the_test(
    pytester: pytest.Pytester,
) -> None:
    """With its traceback there."""
    result = run(pytester, "-k", "not_asked_for")

    result.assert_outcomes(passed=1, errors=1, deselected=10)
    result.stdout.fnmatch_lines(
        ["E *ValueError: wrong elsewhere", "E *raised in child process *", "E *racers.py*in fail"]
    )


def test_a_child_of_a_test_with_crash_points_ends_before_they_do(
    pytester: pytest.Pytester, descendants: Callable[[], list[str]]
) -> None:
    """Whatever the order of the arguments: killed there, paused there, or never come by."""
    result = run(pytester, "-k", "crash_point or still_starting")

    result.assert_outcomes(passed=3, deselected=8)
    assert (pytester.path / "counted").read_text() == "yes"
    assert descendants() == []


def test_the_report_of_a_failed_test_has_its_last_race_and_what_was_printed(
    pytester: pytest.Pytester, descendants: Callable[[], list[str]]
) -> None:
    """And the seed that repeats its pauses: the one that was given."""
    result = run(pytester, "-k", "fails_after", "--pynenc-seed=31", "--pynenc-processes=3")

    result.assert_outcomes(failed=1, deselected=10)
    result.stdout.fnmatch_lines(
        ["E *<Race of 3: 3 returned, 0 raised, * of 3 pairs overlapped>*"],
    )
    result.stdout.fnmatch_lines(
        ["*- pynenc child log -*", "<Child racers.speak, pid *:", "a word from elsewhere"]
    )
    result.stdout.fnmatch_lines(
        [
            "*- pynenc races -*",
            "race 1, seed 31: <Race of 3*",
            *(f"  {index}  pid * us  returned None" for index in range(3)),
            "*--pynenc-seed 31",
            "pid *:",
            "a word from elsewhere",
        ]
    )
    assert descendants() == []


def test_a_seed_is_drawn_for_each_run(pytester: pytest.Pytester) -> None:
    """And told, so that it can be given again."""
    runs = [run(pytester, "-k", "fails_after").stdout.str() for _ in range(2)]

    seeds = [re.findall(r"--pynenc-seed (\d+)", output) for output in runs]
    assert [len(found) for found in seeds] == [1, 1]
    assert seeds[0] != seeds[1]


def test_the_same_racers_serve_test_after_test_on_the_app_of_each(
    pytester: pytest.Pytester, descendants: Callable[[], list[str]]
) -> None:
    """Also where warnings are errors; with the run they end."""
    result = run(pytester, "-k", "a_race")

    result.assert_outcomes(passed=4, deselected=7)
    told = [(pytester.path / f"pids{number}.txt").read_text().split() for number in (1, 2, 3)]
    pids, app_ids = ([set(words[part::2]) for words in told] for part in (0, 1))
    assert len(pids[0]) == 4
    assert pids[0] == pids[1] == pids[2]
    assert len(set.union(*app_ids)) == 3
    assert descendants() == []


def test_each_worker_of_xdist_has_racers_of_its_own(
    pytester: pytest.Pytester, descendants: Callable[[], list[str]]
) -> None:
    """They end with it."""
    result = run(pytester, "-k", "a_race", "-n", "2", "--pynenc-processes=2")

    result.assert_outcomes(passed=4)
    assert descendants() == []


def test_nothing_outlives_a_killed_pytest(
    pytester: pytest.Pytester, descendants: Callable[[], list[str]]
) -> None:
    """Neither children, however they were started, nor racers, busy or idle."""
    command = [sys.executable, "-m", "pytest", "test_children.py::test_pytest_is_killed"]
    nowhere = subprocess.DEVNULL
    victim = pytester.popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere)
    signs = [pytester.path / name for name in ("life", "other", "life-fork", "life-forkserver")]
    try:
        assert wait_until(
            lambda: all(sign.exists() for sign in signs) or victim.poll() is not None, RUN_S
        )
        # Pytest and its guard, three children, the fork server and what tracks its resources,
        # and four racers, two of which are idle.
        assert len(descendants()) >= 11
    finally:
        victim.send_signal(signal.SIGKILL)
        victim.wait()

    assert wait_until(lambda: descendants() == [], 1.0), descendants()
