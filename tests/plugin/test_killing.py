"""Whatever is killed (-9), nothing of a test is left, wherever it went."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pytest_pynenc_state.options import RUNNER_KINDS
from pytest_pynenc_state.waiting import wait_until

# Hang guard for a whole inner run.
RUN_S = 100.0

# How long may go by from the death of pytest to that of the last process it has started.
GONE_S = 1.0

SEPARATE_KINDS = RUNNER_KINDS[1:]


@pytest.fixture(autouse=True)
def project(pytester: pytest.Pytester, copy_inner: Callable[..., None]) -> None:
    """Have an app whose task starts a daemon."""
    copy_inner("office.py", "daemon.py", "test_killed.py")
    pytester.makeini("[pytest]\npythonpath = .\naddopts = --pynenc-backend=sqlite")


@pytest.fixture
def start(pytester: pytest.Pytester) -> Callable[..., subprocess.Popen[bytes]]:
    """Start a run, and return once its daemon runs."""

    def started(test: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "pytest", f"test_killed.py::test_{test}", *arguments]
        nowhere = subprocess.DEVNULL
        run = pytester.popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere)
        ready = pytester.path / "ready"
        assert wait_until(lambda: ready.exists() or run.poll() is not None, RUN_S)
        assert ready.exists()
        return run

    return started


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Have a folder for temporary ones, which this returns."""
    # Not below that of the test: the path of a socket may not be that long.
    with TemporaryDirectory() as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


def without_idle_workers(descendants: Callable[[], list[str]], ready: Path) -> list[str]:
    """All of a run but xdist's workers; the one that says that it is ready is no exception."""
    busy = f"{ready.read_text()}: "
    return [it for it in descendants() if it.startswith(busy) or "exec(eval(sys.stdin" not in it]


@pytest.mark.parametrize("distribution", [(), ("-n", "2")], ids=["alone", "xdist"])
@pytest.mark.parametrize(
    "what",
    [
        *(("pytest_is_killed", f"--pynenc-runner={kind}") for kind in RUNNER_KINDS),
        ("pytest_is_killed_with_children",),
    ],
    ids=[*RUNNER_KINDS, "children"],
)
def test_nothing_outlives_a_killed_pytest_but_for_a_second(
    pytester: pytest.Pytester,
    start: Callable[..., subprocess.Popen[bytes]],
    descendants: Callable[[], list[str]],
    temporary: Path,
    what: tuple[str, ...],
    distribution: tuple[str, ...],
) -> None:
    """Also not a daemon that a task, a child or a racer has started or forked, nor a folder."""
    test, *arguments = what
    run = start(test, *arguments, *distribution)

    run.kill()
    run.wait()

    # The other worker of xdist has nothing to do with it, and takes its time.
    ours = functools.partial(without_idle_workers, descendants, pytester.path / "ready")
    assert wait_until(lambda: ours() == [], GONE_S), ours()
    assert wait_until(lambda: descendants() == [], RUN_S), descendants()
    assert list(temporary.glob("pynenc-*")) == []


def test_nothing_outlives_a_killed_worker_of_xdist_but_for_a_second(
    pytester: pytest.Pytester,
    start: Callable[..., subprocess.Popen[bytes]],
    descendants: Callable[[], list[str]],
) -> None:
    """The run goes on without it, and without what it has started."""
    run = start("pytest_is_killed", "--pynenc-runner=process", "-n", "2")

    os.kill(int((pytester.path / "ready").read_text()), signal.SIGKILL)

    assert wait_until(lambda: not any("daemon.py" in it for it in descendants()), GONE_S)
    assert run.wait(RUN_S) == pytest.ExitCode.TESTS_FAILED
    assert wait_until(lambda: descendants() == [], GONE_S), descendants()


@pytest.mark.parametrize(
    ("kind", "distribution"),
    [*((kind, ()) for kind in SEPARATE_KINDS), ("process", ("-n", "2"))],
    ids=[*SEPARATE_KINDS, "process-xdist"],
)
def test_whatever_a_test_kills_its_daemon_is_named_and_nothing_is_left(
    pytester: pytest.Pytester,
    descendants: Callable[[], list[str]],
    kind: str,
    distribution: tuple[str, ...],
) -> None:
    """A killed runner cannot end its workers, and nobody but the check finds the daemon."""
    arguments = ["test_killed.py", "-k", "one_is_killed", f"--pynenc-runner={kind}"]

    result = pytester.runpytest_subprocess(*arguments, *distribution, timeout=RUN_S)

    assert descendants() == []
    assert result.parseoutcomes()["passed"] == 3
    for victim in ("runner", "worker"):
        daemon = (pytester.path / victim).read_text()
        result.stdout.fnmatch_lines(
            [
                "*ProcessLeaked: the test left this behind (processes were killed):",
                f"* process {daemon}, * s old: *daemon.py {victim}",
            ]
        )


def test_a_daemon_that_a_child_or_a_racer_leaves_is_named_and_killed(
    pytester: pytest.Pytester, descendants: Callable[[], list[str]]
) -> None:
    """The racers themselves live on for the next test."""
    result = pytester.runpytest_subprocess("-k", "children_leave_daemons", timeout=RUN_S)

    assert descendants() == []
    result.assert_outcomes(passed=1, errors=1, deselected=5)
    for name in ("racer-0", "racer-1", "spawn", "fork"):
        result.stdout.fnmatch_lines([f"E *process {(pytester.path / name).read_text()}, *"])
