"""Runners: ready, really elsewhere, and gone afterwards, whatever happens to them."""

from __future__ import annotations

import os
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

# As an author would have it: every warning is an error, but for those of pynenc itself.
INI = """
    [pytest]
    pythonpath = .
    addopts = --pynenc-backend=sqlite
    filterwarnings =
        error
        ignore:keys will default to True:DeprecationWarning
        ignore:The `dateutil.zoneinfo` module:DeprecationWarning
"""

_MARK = "OFFICE_RUN"


@pytest.fixture(autouse=True)
def project(pytester: pytest.Pytester, copy_inner: Callable[..., None]) -> None:
    """Have an app, and functions to make tasks of."""
    copy_inner("office.py", "jobs.py", "fragile.py")
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


def lives(pid: int) -> bool:
    """Whether the process exists, and is more than an entry that nobody has asked for yet."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess(*arguments, timeout=RUN_S)


def run_mishap(pytester: pytest.Pytester, name: str, *arguments: str) -> pytest.RunResult:
    return run(pytester, f"test_mishaps.py::test_{name}", *arguments)


def test_each_kind_runs_the_tasks_of_an_authors_app(
    pytester: pytest.Pytester,
    copy_inner: Callable[..., None],
    descendants: Callable[[], list[str]],
) -> None:
    """Also with warnings as errors; nothing of them is left."""
    copy_inner("test_kinds.py")

    result = run(pytester)

    result.assert_outcomes(passed=7)
    assert descendants() == []


def test_each_kind_runs_the_tasks_that_a_test_registers(
    pytester: pytest.Pytester,
    copy_inner: Callable[..., None],
    descendants: Callable[[], list[str]],
) -> None:
    """Persistent processes look for tasks, not for functions, so they are not among them."""
    copy_inner("test_fresh_kinds.py")

    result = run(pytester)

    result.assert_outcomes(passed=3)
    assert descendants() == []


def test_the_option_chooses_the_kind_and_the_process_finds_the_tests_modules(
    pytester: pytest.Pytester,
) -> None:
    """In this process, because only there no variable leads the runner to the modules."""
    pytester.path.joinpath("office.py").rename(pytester.mkdir("src") / "office.py")
    pytester.makefile(".ini", pytest="[pytest]\npythonpath = src")
    pytester.makepyfile(
        """
        import office, os

        def test_it(pynenc_runner):
            assert pynenc_runner.kind == "process"
            assert office.process_id().result != os.getpid()
        """
    )

    result = pytester.runpytest_inprocess(
        "--pynenc-backend=sqlite", "--pynenc-runner=process", "--pynenc-app=office:app"
    )

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("leak", ["a_process_outlives_the_runner", "a_runner_outlives_the_test"])
def test_a_process_that_outlives_its_test_fails_it_and_is_killed(
    pytester: pytest.Pytester,
    copy_inner: Callable[..., None],
    descendants: Callable[[], list[str]],
    leak: str,
) -> None:
    """The report names the process, and the place is kept to see what it was doing."""
    copy_inner("test_mishaps.py", "hermit.py")

    result = run_mishap(pytester, leak)

    result.assert_outcomes(passed=1, errors=1)
    pid = int(pytester.path.joinpath("left.txt").read_text())
    result.stdout.fnmatch_lines(
        [f"*ERROR at teardown of test_{leak}*", "E *ProcessLeaked: processes of the *outlived it*"]
    )
    result.stdout.fnmatch_lines([f"E *pid {pid} (*", "*= kept pynenc places =*"])
    assert not lives(pid)
    assert descendants() == []


def test_a_thread_that_outlives_its_test_fails_it(
    pytester: pytest.Pytester, copy_inner: Callable[..., None]
) -> None:
    """It cannot be ended; the report shows where it is, and pytest ends nevertheless."""
    copy_inner("test_mishaps.py")

    result = run_mishap(pytester, "a_thread_outlives_the_test")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["E *ProcessLeaked: the thread runner did not stop within 0.5 s*", "E *office.py*in block*"]
    )


def test_a_result_that_never_comes_fails_the_test_with_the_log(
    pytester: pytest.Pytester,
    copy_inner: Callable[..., None],
    descendants: Callable[[], list[str]],
) -> None:
    """Within the timeout; what the worker printed last is in the report."""
    copy_inner("test_mishaps.py")

    result = run_mishap(pytester, "a_result_never_comes", "--pynenc-timeout=6")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *ResultTimeout: waited in vain for the result of *: nothing came within 6 s",
            "E *- or raise --pynenc-timeout*",
            "*- pynenc runner log -*",
            "about to block",
        ]
    )
    assert descendants() == []


def test_a_runner_that_dies_ends_the_wait_at_once_and_is_named(
    pytester: pytest.Pytester,
    copy_inner: Callable[..., None],
    descendants: Callable[[], list[str]],
) -> None:
    """The timeout is for slow tasks; nothing can come of a dead runner."""
    copy_inner("test_mishaps.py")

    result = run_mishap(pytester, "the_runner_dies", "--pynenc-timeout=90")

    pid, message = pytester.path.joinpath("message.txt").read_text().split("\n", 1)
    assert result.duration < RUN_S / 2
    assert "no runner is alive" in message
    assert pid in message
    result.assert_outcomes(passed=1)
    assert descendants() == []


def test_a_runner_that_cannot_start_fails_the_setup_with_its_log(
    pytester: pytest.Pytester,
    copy_inner: Callable[..., None],
    descendants: Callable[[], list[str]],
) -> None:
    """At once, and not after the timeout."""
    copy_inner("test_mishaps.py")

    result = run_mishap(pytester, "the_runner_cannot_start", "--pynenc-timeout=90")

    result.assert_outcomes(errors=1)
    assert result.duration < RUN_S / 2
    result.stdout.fnmatch_lines(
        ["E *ProcessNotReady: the process runner ended at once", "E *this module is too fragile"]
    )
    assert descendants() == []


def test_nothing_outlives_a_killed_pytest(
    pytester: pytest.Pytester,
    copy_inner: Callable[..., None],
    descendants: Callable[[], list[str]],
) -> None:
    """Also not a task that does not listen to signals."""
    copy_inner("test_mishaps.py")
    life = pytester.path / "life"
    command = [sys.executable, "-m", "pytest", "test_mishaps.py::test_pytest_is_killed"]
    nowhere = subprocess.DEVNULL
    victim = pytester.popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere)
    try:
        assert wait_until(lambda: life.exists() or victim.poll() is not None, RUN_S)
        assert lives(int(life.read_text()))
    finally:
        victim.send_signal(signal.SIGKILL)
        victim.wait()

    assert wait_until(lambda: descendants() == [], 1.0), descendants()
