"""The mongomock server of a run: one for all workers, which nobody has to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress

import psutil
import pytest

from pytest_pynenc_state.waiting import wait_until

# The promise: when nobody uses it any more, it has ended after this time.
GONE_S = 1.0

# Hang guard for a whole inner run, and for its start.
RUN_S = 100.0

_MARK = "PYTEST_PYNENC_TEST_RUN"

Processes = Callable[[], list[psutil.Process]]
Servers = Callable[[], list[int]]


@pytest.fixture(autouse=True)
def project(pytester: pytest.Pytester, copy_inner: Callable[..., None]) -> None:
    """Have tests that share a server."""
    copy_inner("office.py", "test_shared_server.py")
    pytester.makeini("[pytest]\npythonpath = .\naddopts = -p no:cacheprovider")


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Processes:
    """List what the inner runs have started and still runs, however adopted."""
    mark = uuid.uuid4().hex
    monkeypatch.setenv(_MARK, mark)

    def listed() -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.pid != os.getpid() and process.environ().get(_MARK) == mark:
                    found.append(process)
        return found

    return listed


@pytest.fixture
def servers(processes: Processes) -> Iterator[Servers]:
    """List the servers among them; none is left after the test."""

    def listed() -> list[int]:
        return [process.pid for process in processes() if is_server(process)]

    yield listed
    assert wait_until(lambda: listed() == [], GONE_S)


def is_server(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return "pytest_pynenc_state.backends.mongo.server" in process.cmdline()
    return False


def run(pytester: pytest.Pytester, tests: str, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-k", tests, *arguments, timeout=RUN_S)


def start(pytester: pytest.Pytester, *arguments: str) -> subprocess.Popen[bytes]:
    """Run pytest without waiting for its end."""
    return pytester.popen(
        [sys.executable, "-m", "pytest", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def seen(pytester: pytest.Pytester) -> tuple[set[str], set[str]]:
    """Return the processes that ran tests, and the servers they used."""
    lines = pytester.path.joinpath("seen.txt").read_text().splitlines()
    processes, urls = zip(*(line.split() for line in lines), strict=True)
    return set(processes), set(urls)


def test_all_workers_use_one_server(pytester: pytest.Pytester, servers: Servers) -> None:
    """It is gone with the run, as are its files."""
    result = run(pytester, "uses", "-n", "2")

    result.assert_outcomes(passed=6)
    processes, urls = seen(pytester)
    assert (len(processes), len(urls)) == (2, 1)
    assert servers() == []
    base = pytester.path.joinpath("runpytest-0")
    assert list(base.rglob("server.fifo")) == list(base.rglob("server.json")) == []


def test_a_run_without_workers_has_a_server_of_its_own(
    pytester: pytest.Pytester, servers: Servers
) -> None:
    """Which has ended before the run has."""
    result = run(pytester, "uses")

    result.assert_outcomes(passed=6)
    assert servers() == []


def test_no_server_is_started_that_no_test_needs(
    pytester: pytest.Pytester, servers: Servers
) -> None:
    """Also if mongomock is selected: the first place on it starts the server."""
    pytester.makepyfile(
        test_thrifty="""
        import psutil, pytest

        @pytest.mark.pynenc_requires("real_engine")
        def test_it(pynenc_app):
            assert psutil.Process().children() == []
        """
    )

    result = pytester.runpytest_subprocess("test_thrifty.py", timeout=RUN_S)

    result.assert_outcomes(passed=2)
    assert servers() == []


def test_two_runs_at_once_have_two_servers(pytester: pytest.Pytester, servers: Servers) -> None:
    """In one directory, and with workers."""
    arguments = ("-k", "uses", "-n", "2")
    runs = [start(pytester, *arguments) for _ in range(2)]

    outputs = [process.communicate(timeout=RUN_S)[0].decode() for process in runs]

    assert [process.returncode for process in runs] == [0, 0], "\n".join(outputs)
    processes, urls = seen(pytester)
    assert (len(processes), len(urls)) == (4, 2)
    assert servers() == []


def test_killed_workers_neither_end_the_server_nor_leave_it(
    pytester: pytest.Pytester, servers: Servers
) -> None:
    """Those that xdist starts in their place go on with it."""
    result = run(pytester, "kills_its_process or uses", "-n", "2")

    result.assert_outcomes(passed=6, failed=2)
    _, urls = seen(pytester)
    assert len(urls) == 1
    assert wait_until(lambda: servers() == [], GONE_S)


@pytest.mark.parametrize("workers", [0, 2])
def test_no_server_outlives_a_killed_run(
    pytester: pytest.Pytester, processes: Processes, servers: Servers, workers: int
) -> None:
    """Nobody is left who could end it. Workers take some seconds to notice; it does not."""
    pytest_run = start(pytester, "-k", "waits", "-n", str(workers))
    begun = pytester.path.glob
    assert wait_until(lambda: len(list(begun("waiting-*"))) == (workers or 1), RUN_S)
    assert len(servers()) == 1

    os.kill(pytest_run.pid, signal.SIGKILL)
    pytest_run.communicate(timeout=RUN_S)  # until the last worker has ended, too

    assert wait_until(lambda: processes() == [], GONE_S)


def test_tests_after_the_servers_death_say_so(pytester: pytest.Pytester, servers: Servers) -> None:
    """And do not wait for it, or start one without the data of the others."""
    result = run(pytester, "kills_the_server", "--pynenc-missing=fail")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["E *BackendUnavailable: the mongomock server of this run has ended*", "E *- look for *"]
    )
    assert servers() == []
