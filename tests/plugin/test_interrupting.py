"""Ctrl-C and `pytest.exit`: pytest tears the test down when the run ends, where errors end it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

# Longer than anybody would wait who has pressed Ctrl-C: the default timeout.
LONG_S = 30.0


@pytest.fixture(autouse=True)
def project(pytester: pytest.Pytester, copy_inner: Callable[..., None]) -> None:
    """Have tests that end as if somebody pressed Ctrl-C."""
    copy_inner("office.py", "test_interrupted.py")
    pytester.makeini("[pytest]\npythonpath = .\naddopts = --pynenc-backend=sqlite")


def test_what_an_interrupted_test_has_left_comes_before_the_summary(
    pytester: pytest.Pytester,
) -> None:
    """A traceback in its place would hide which tests have failed until then."""
    result = pytester.runpytest_subprocess("test_interrupted.py", "-k=fails or interrupted")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(
        [
            "=*= pynenc: the interrupted test =*",
            "*test_interrupted.end in child process * ended*",
            "*test_interrupted.end in child process * ended*",
            "*= FAILURES =*",
            "FAILED test_interrupted.py::test_fails*",
            "*KeyboardInterrupt*",
        ]
    )
    assert "Traceback" not in result.stdout.str() + result.stderr.str()


def test_a_task_that_hangs_is_not_waited_for(pytester: pytest.Pytester) -> None:
    """Who presses Ctrl-C has waited already."""
    result = pytester.runpytest_subprocess("test_interrupted.py::test_hangs", timeout=LONG_S)

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(
        ["=*= pynenc: the interrupted test =*", "the thread runner did not stop within 3 s*"]
    )
    # What the runner logs when it is stopped comes after pytest has closed its standard error.
    assert "Logging error" not in result.stderr.str()


def test_a_test_that_ends_the_run_says_first_what_it_has_left(pytester: pytest.Pytester) -> None:
    """The exit status is the one that it asked for."""
    result = pytester.runpytest_subprocess("test_interrupted.py", "-k=fails or exits")

    assert result.ret == 7
    result.stdout.fnmatch_lines(
        [
            "=*= pynenc: the interrupted test =*",
            "*test_interrupted.end in child process * ended*",
            "*1 failed, *",
            "*Exit: enough*",
        ]
    )
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
