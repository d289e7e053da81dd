"""Crash points in the runners of inner runs: who is hit, who is spared, what is left."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.plugin.test_runners import INI, run


@pytest.fixture(autouse=True)
def temporary(
    pytester: pytest.Pytester, copy_inner: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Have an app, its tests, and a folder for temporary ones, which this returns."""
    copy_inner("office.py", "test_crashing.py")
    pytester.makeini(INI)
    # Not below that of the test: the path of a socket may not be that long.
    with TemporaryDirectory() as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


def run_crash(pytester: pytest.Pytester, name: str, *arguments: str) -> pytest.RunResult:
    return run(pytester, "test_crashing.py", "-k", name, *arguments)


def folders_left(temporary: Path) -> list[str]:
    return [path.name for path in temporary.glob("pynenc-*")]


def test_exactly_the_process_at_the_point_is_killed(
    pytester: pytest.Pytester, temporary: Path
) -> None:
    """A worker of each kind of runner, or the runner."""
    result = run_crash(pytester, "is_killed", "--pynenc-backend=mongomock")

    result.assert_outcomes(passed=10)  # on sqlite, too
    assert folders_left(temporary) == []


def test_a_paused_worker_of_each_kind_goes_on_when_it_is_told_to(
    pytester: pytest.Pytester,
) -> None:
    """And finishes what it was about to do."""
    run_crash(pytester, "goes_on_when").assert_outcomes(passed=3)


def test_a_worker_that_is_still_paused_goes_on_before_its_runner_is_stopped(
    pytester: pytest.Pytester,
) -> None:
    """Some runners would give it ten seconds, and then kill it."""
    run_crash(pytester, "stays_paused").assert_outcomes(passed=1)

    assert (pytester.path / "state").read_text() != "stopped"


def test_a_runner_in_the_pytest_process_is_refused(pytester: pytest.Pytester) -> None:
    """At once, and with what to choose instead."""
    run_crash(pytester, "never_hit").assert_outcomes(passed=1)


def test_a_point_that_nobody_reaches_fails_the_test_within_the_timeout(
    pytester: pytest.Pytester, temporary: Path
) -> None:
    """The message names the point, who looked for it, and what came by."""
    result = run_crash(pytester, "nobody_comes_by", "--pynenc-timeout=6")

    assert (pytester.path / "waiting").exists()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *CrashNotReached: no process came to when('failed'), task office.add within 6 s",
            "E *1 processes looked for it, *",
            "E *pid *: success of office.add",
        ]
    )
    assert folders_left(temporary) == []


def test_a_state_of_one_process_is_an_error_of_the_set_up(pytester: pytest.Pytester) -> None:
    """The test does not begin."""
    pytester.makepyfile(
        test_memory="""
        import pytest

        @pytest.mark.pynenc_backends("memory")
        def test_it(pynenc_crash, pynenc_app): pass
        """
    )

    result = pytester.runpytest_inprocess("test_memory.py", "--pynenc-backend=memory")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["E *NotShared: pynenc_crash needs a second process*"])


def test_nothing_of_it_is_in_the_pytest_process_then_or_later(
    pytester: pytest.Pytester, temporary: Path
) -> None:
    """Nor in the processes of a test that does not ask for it."""
    result = run_crash(pytester, "only_asks or knows_nothing")

    result.assert_outcomes(passed=2)
    assert folders_left(temporary) == []
    assert "PYTEST_PYNENC_CRASHES" not in os.environ
