"""Runners: ready, really elsewhere, and gone afterwards, whatever happens to them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_pynenc_state.errors import OptionsError
from pytest_pynenc_state.processes.runner import RunnerControl
from tests.plugin.living import lives

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


@pytest.fixture(autouse=True)
def project(pytester: pytest.Pytester, copy_inner: Callable[..., None]) -> None:
    """Have an app, and functions to make tasks of."""
    copy_inner("office.py", "jobs.py", "fragile.py")
    pytester.makeini(INI)


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

    result.assert_outcomes(passed=9)
    assert descendants() == []


def test_a_worker_that_has_done_its_task_ends_by_itself(pytester: pytest.Pytester) -> None:
    """Pynenc would kill it, and what it writes at its end, like its coverage, would be lost."""
    pytester.makepyfile(
        """
        import office
        import pytest

        @pytest.mark.pynenc(app="office:app")
        def test_it(pynenc_runner):
            assert office.last_words("said").result is None
        """
    )

    run(pytester, "--pynenc-runner=process").assert_outcomes(passed=1)

    assert (pytester.path / "said").exists()


def test_two_runners_of_each_kind_compete_for_one_queue(
    pytester: pytest.Pytester,
    copy_inner: Callable[..., None],
    descendants: Callable[[], list[str]],
) -> None:
    """Both get some of the work."""
    copy_inner("test_competing.py")

    result = run(pytester)

    result.assert_outcomes(passed=6)
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


@pytest.mark.parametrize("kind", ["process", "command-line"])
def test_the_option_chooses_the_kind_and_the_process_finds_the_tests_modules(
    pytester: pytest.Pytester, kind: str
) -> None:
    """In this process, because only there no variable leads the runner to the modules."""
    pytester.path.joinpath("office.py").rename(pytester.mkdir("src") / "office.py")
    pytester.makefile(".ini", pytest="[pytest]\npythonpath = src")
    pytester.makepyfile(
        f"""
        import office, os

        def test_it(pynenc_runner):
            assert pynenc_runner.kind == "{kind}"
            assert office.process_id().result != os.getpid()
        """
    )

    result = pytester.runpytest_inprocess(
        "--pynenc-backend=sqlite", f"--pynenc-runner={kind}", "--pynenc-app=office:app"
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


def test_a_runner_that_was_killed_leaves_no_files(
    pytester: pytest.Pytester,
    copy_inner: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it had open to talk to its workers, it cannot remove itself."""
    copy_inner("test_mishaps.py")
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    result = run_mishap(pytester, "the_runner_dies", "--pynenc-timeout=90")

    result.assert_outcomes(passed=1)
    assert list(tmp_path.iterdir()) == []


def test_what_a_dead_runner_left_unwritten_is_no_violation(
    pytester: pytest.Pytester, copy_inner: Callable[..., None]
) -> None:
    """It may die anywhere, also between a status and its record."""
    copy_inner("test_mishaps.py")

    result = run_mishap(pytester, "the_runner_dies_before_it_writes")

    result.assert_outcomes(passed=1)


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


def test_the_command_line_needs_an_app_that_it_can_import(pytester: pytest.Pytester) -> None:
    """A test's own app exists in its process only; that is said before anything starts."""
    pytester.makepyfile("def test_it(pynenc_runner): pass")

    result = pytester.runpytest_inprocess("--pynenc-backend=sqlite", "--pynenc-runner=command-line")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "E *AppError: the command-line runner needs an app*",
            "E *- name *--pynenc-app pkg.mod:app*",
        ]
    )


def test_the_command_line_must_not_take_another_app(pytester: pytest.Pytester) -> None:
    """It takes the first one of a module by name, whatever the test names."""
    pytester.makepyfile(
        several="from pynenc import Pynenc\nfirst = Pynenc()\nsecond = Pynenc()",
        test_several="def test_it(pynenc_runner): pass",
    )

    result = pytester.runpytest_inprocess(
        "--pynenc-backend=sqlite", "--pynenc-runner=command-line", "--pynenc-app=several:second"
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["E *AppError: pynenc's command line takes another app of module several than *:second'"]
    )


@pytest.mark.pynenc_backends("memory")
@pytest.mark.parametrize("count", ["2", 1.5, 0])
def test_a_number_of_runners_that_is_none_is_refused(
    pynenc_runner: RunnerControl, count: Any
) -> None:
    """And no runner is started."""
    before = [*pynenc_runner.runners]

    with pytest.raises(OptionsError, match=re.escape(f"how many runners, got {count!r}")):
        pynenc_runner.start(count)

    assert pynenc_runner.runners == before
