"""Ctrl-C: pytest tears the interrupted test down when the run ends, where errors would end it."""

from __future__ import annotations

from collections.abc import Callable

import pytest


def test_what_an_interrupted_test_has_left_comes_before_the_summary(
    pytester: pytest.Pytester, copy_inner: Callable[..., None]
) -> None:
    """A traceback in its place would hide which tests have failed until then."""
    copy_inner("office.py", "test_interrupted.py")
    pytester.makeini("[pytest]\npythonpath = .\naddopts = --pynenc-backend=sqlite")

    result = pytester.runpytest_subprocess("test_interrupted.py")

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
