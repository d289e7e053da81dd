"""What a test leaves behind fails it, by name; what it may leave, and ends itself, does not."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from tests.plugin.living import lives

# Hang guard for a whole inner run.
RUN_S = 60.0


@pytest.fixture
def run(
    pytester: pytest.Pytester, copy_inner: Callable[..., None], descendants: Callable[[], list[str]]
) -> Callable[..., pytest.RunResult]:
    """Run tests of the inner module by name; afterwards no process of them may be left."""
    copy_inner("test_leaking.py", "daemon.py")
    pytester.makeini("[pytest]\npythonpath = .")

    def ran(name: str, *arguments: str) -> pytest.RunResult:
        result = pytester.runpytest_subprocess(
            f"test_leaking.py::test_{name}", *arguments, timeout=RUN_S
        )
        assert descendants() == []
        return result

    return ran


@pytest.mark.parametrize(
    ("name", "file", "command"),
    [
        ("leaves_a_process", "process.pid", "*signal.pause() process"),
        (
            "leaves_a_process_that_does_not_know_the_environment",
            "stranger.pid",
            "*signal.pause() stranger",
        ),
        ("leaves_a_daemon", "daemon", "*daemon.py daemon"),
        ("leaves_a_forked_daemon", "forked", "*pytest*test_leaves_a_forked_daemon*"),
    ],
)
def test_a_process_that_is_left_is_named_and_killed(
    run: Callable[..., pytest.RunResult],
    pytester: pytest.Pytester,
    name: str,
    file: str,
    command: str,
) -> None:
    """Whatever it has done to leave its family."""
    result = run(name)

    result.assert_outcomes(passed=1, errors=1)
    pid = (pytester.path / file).read_text()
    result.stdout.fnmatch_lines(
        [
            f"*ERROR at teardown of test_{name}*",
            "E *ProcessLeaked: the test left this behind (processes were killed):",
            f"E *process {pid}, *.* s old: {command}",
            "E *- end it in the test, or *",
        ]
    )
    assert not lives(int(pid))


def test_a_thread_that_is_left_is_named_with_its_stack(
    run: Callable[..., pytest.RunResult],
) -> None:
    """It cannot be ended, but pytest ends nevertheless."""
    result = run("leaves_a_thread")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "E *ProcessLeaked: the test left this behind:",
            "E *thread lonely, *.* s old:",
            "E *test_leaking.py*in wait_here",
        ]
    )


def test_a_socket_that_is_left_is_named(
    run: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    """With its address: that says whose it is."""
    result = run("leaves_a_socket")

    result.assert_outcomes(passed=1, errors=1)
    port = (pytester.path / "port").read_text()
    result.stdout.fnmatch_lines([f"E *socket, file descriptor *: TCP 127.0.0.1 port {port}"])


def test_a_thread_of_a_pool_is_left_if_it_has_something_to_do(
    run: Callable[..., pytest.RunResult],
) -> None:
    """Idle, it is the pool's, and ends with it."""
    result = run("leaves_a_pool_at_work")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["E *ProcessLeaked: *", "E *thread pool_0, *.* s old:"])


@pytest.mark.parametrize("name", ["fails_with_a_socket_open", "fails_with_a_pool_open"])
def test_a_failed_test_is_not_failed_again_by_what_its_traceback_holds(
    run: Callable[..., pytest.RunResult], name: str
) -> None:
    run(name).assert_outcomes(failed=1)


@pytest.mark.parametrize(
    ("name", "passed"),
    [
        ("uses_what_a_wider_fixture_has_started", 2),
        ("uses_a_thread_of_a_wider_event_loop", 1),
        ("ends_what_it_starts", 1),
        ("refers_to_itself", 1),
    ],
)
def test_a_test_that_leaves_nothing_passes(
    run: Callable[..., pytest.RunResult], name: str, passed: int
) -> None:
    run(name).assert_outcomes(passed=passed)


@pytest.mark.parametrize("source", ["marker", "option", "ini"])
def test_a_test_may_be_allowed_to_leave_something(
    pytester: pytest.Pytester,
    copy_inner: Callable[..., None],
    descendants: Callable[[], list[str]],
    source: str,
) -> None:
    """It then outlives also the run, if that ends as it should."""
    copy_inner("test_leaking.py", "daemon.py")
    pytester.makeini("[pytest]\npythonpath = .\n" + "pynenc_check_leaks = off" * (source == "ini"))
    arguments = ["--pynenc-check-leaks=off"] if source == "option" else []
    name, file = ("may_leave_a_process", "allowed.pid")
    if source != "marker":
        name, file = ("leaves_a_daemon", "daemon")

    result = pytester.runpytest_subprocess(f"test_leaking.py::test_{name}", *arguments)

    result.assert_outcomes(passed=1)
    assert len(descendants()) == 1
    os.kill(int((pytester.path / file).read_text()), signal.SIGKILL)
