"""Recorded operations as an author meets them: saved beside a failure, and judged again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_pynenc_state.history.operations import load_operations
from tests.plugin.test_runners import INI, run


@pytest.fixture(autouse=True)
def project(pytester: pytest.Pytester, copy_inner: Callable[..., None]) -> None:
    """Have tests that record."""
    copy_inner("jobs.py", "office.py", "test_recording.py")
    pytester.makeini(INI)


def saved_by(result: pytest.RunResult) -> Path:
    """The one file that a run says it has saved."""
    (line,) = [each for each in result.outlines if " of 2 processes or threads: " in each]
    return Path(line.rpartition(": ")[2])


@pytest.fixture
def broken(pytester: pytest.Pytester) -> pytest.RunResult:
    """A run of the test in which a counter is lost."""
    return run(pytester, "-k", "broken", "--basetemp", "kept")


def test_a_sound_store_passes_and_nothing_is_saved(pytester: pytest.Pytester) -> None:
    """Not beside a test that passes."""
    result = run(pytester, "-k", "sound", "--basetemp", "kept")

    result.assert_outcomes(passed=1)
    assert not [*pytester.path.rglob("*.jsonl")]


def test_a_broken_store_fails_with_a_witness_and_a_file(broken: pytest.RunResult) -> None:
    """It says what to do with the file."""
    broken.assert_outcomes(failed=1)
    broken.stdout.fnmatch_lines(
        [
            "E  * retries: violated, 3 operations",
            "E  *got get_invocation_retries() = 0",
            "E  *but a correct store would have answered 1",
            "*judge them again with: pytest --pynenc-replay *.jsonl",
        ]
    )
    assert broken.stdout.str().count("violated, 3 operations") <= 2  # once more in the summary
    names = [each.name for each in load_operations(saved_by(broken))]
    assert names[-2:] == ["increment_invocation_retries", "get_invocation_retries"]


def test_operations_are_saved_whatever_has_failed(pytester: pytest.Pytester) -> None:
    """Junit has the file, too; and nothing is kept where nothing is to be kept."""
    junit = pytester.path / "junit.xml"
    result = run(pytester, "-k", "wrong_elsewhere", f"--junitxml={junit}")
    nothing = run(pytester, "-k", "wrong_elsewhere", "--pynenc-keep=none")

    assert f": {saved_by(result)}&#10;judge them again" in junit.read_text()
    nothing.assert_outcomes(failed=1)
    nothing.stdout.no_fnmatch_line("*--pynenc-replay*")


def test_a_replay_comes_to_the_same_verdict_without_any_backend(
    pytester: pytest.Pytester, broken: pytest.RunResult
) -> None:
    """A test for each model, and none of those that the project has."""
    result = run(pytester, "--pynenc-replay", str(saved_by(broken)), "-v")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*[[]status[]]*PASSED*", "*[[]retries[]]*FAILED*"])
    result.stdout.fnmatch_lines(["retries: violated, 3 operations", "*would have answered 1"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_replay_is_drawn(pytester: pytest.Pytester, broken: pytest.RunResult) -> None:
    """The operation that is impossible, in the report of the run."""
    report = pytester.path / "report.json"
    run(pytester, "--pynenc-replay", str(saved_by(broken)), f"--pynenc-report={report}")

    (test,) = json.loads(report.read_text())["tests"]
    (picture,) = test["pictures"]
    assert test["nodeid"].endswith("[retries]")
    assert picture["kind"] == "operations"
    assert [mark["rule"] for mark in picture["marks"]] == ["impossible (retries)"]


def test_named_tests_run_beside_a_replay(
    pytester: pytest.Pytester, broken: pytest.RunResult
) -> None:
    """Also by two workers."""
    pytester.makepyfile(test_mine="def test_mine(): pass")
    result = run(
        pytester, "--pynenc-replay", str(saved_by(broken)), "test_mine.py", "-n2", "-pxdist"
    )

    result.assert_outcomes(passed=2, failed=1)


LINE = '["p", "k", "set_result", ["x"], "ok", null, 1, 2]\n'
REVIVED = '["p", "k", "atomic_status_transition", ["revived", "r"], "ok", ["revived", "r"], 1, 2]\n'


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "*--pynenc-replay: *No such file*"),
        (b"no json\n", "*--pynenc-replay: *operations, line 1 is no operation*"),
        (b"\xff\xfe", "*--pynenc-replay: *operations is no text*"),
        (LINE.replace('["x"]', "[]").encode(), "*line 1 is no operation: set_result has 1 *"),
        ((LINE + LINE.replace("1,", '"1",')).encode(), "*line 2 is no operation: start and end*"),
        (
            REVIVED.encode(),
            "*--pynenc-replay: *line 1: the installed pynenc has no status 'revived'*",
        ),
        (b"", "*--pynenc-replay: *operations has no operation that a model is about*"),
    ],
    ids=["missing", "garbage", "binary", "arguments", "types", "status", "empty"],
)
def test_a_file_that_cannot_be_judged_is_a_usage_error(
    pytester: pytest.Pytester, content: bytes | None, complaint: str
) -> None:
    """With the file's name."""
    if content is not None:
        (pytester.path / "operations").write_bytes(content)

    result = run(pytester, "--pynenc-replay", "operations")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([complaint])


def test_operations_that_cannot_be_saved_are_told_of(pytester: pytest.Pytester) -> None:
    """The run goes on."""
    folder = pytester.mkdir("kept")
    pytester.makeconftest(
        "import pytest\n"
        "from pytest_pynenc_state.processes import recorder\n"
        "def full(*_): raise OSError(28, 'no space left')\n"
        "recorder.save_operations = full\n"
    )

    result = run(pytester, "-k", "wrong_elsewhere", "--basetemp", str(folder / "it"))

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*could not be saved: *no space left*"])


@pytest.mark.parametrize("kind", ["process", "persistent-process", "multi-thread", "command-line"])
def test_runners_and_their_workers_are_recorded(pytester: pytest.Pytester, kind: str) -> None:
    """Whatever kind of processes they are."""
    run(pytester, "-k", "test_runner", f"--pynenc-runner={kind}").assert_outcomes(passed=1)
