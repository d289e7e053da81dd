"""Several workers, and several runs at once: nobody meets anybody."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# Hang guard for a whole inner run.
RUN_S = 100.0


@pytest.fixture(autouse=True)
def project(pytester: pytest.Pytester, copy_inner: Callable[..., None]) -> None:
    """Have more tests than workers."""
    copy_inner("office.py", "test_many.py")
    pytester.makeini("[pytest]\npythonpath = .\naddopts = --pynenc-backend=sqlite")


def seen(pytester: pytest.Pytester) -> list[tuple[str, ...]]:
    """Return worker, namespace and location of each test that told."""
    lines = pytester.path.joinpath("seen.txt").read_text().splitlines()
    return [tuple(line.split(" ", 2)) for line in lines]


def test_workers_share_nothing_and_the_controller_lists_what_is_kept(
    pytester: pytest.Pytester,
) -> None:
    """A place is where the test ran; who reads the summary sees the controller's."""
    result = pytester.runpytest_subprocess("-n", "2", timeout=RUN_S)

    result.assert_outcomes(passed=5, failed=1)
    assert "pynenc: backend sqlite (--pynenc-backend)" in result.outlines
    workers, namespaces, locations = (set(column) for column in zip(*seen(pytester), strict=True))
    assert workers <= {"gw0", "gw1"}
    assert len(namespaces) == len(locations) == 4
    # Runs have the first part in common, workers do not.
    assert {name.rsplit("_", 1)[0][-3:] for name in namespaces} == workers
    assert len({name[:17] for name in namespaces}) == 1

    result.stdout.fnmatch_lines(
        ["*= kept pynenc places =*", "test_many.py::test_fails[[]sqlite[]]: sqlite: */pynenc_*.db"]
    )
    (line,) = (line for line in result.outlines if line.startswith("test_many.py::test_fails["))
    assert Path(line.split(": ")[-1]).exists()


def test_a_bad_option_is_told_once_by_the_controller(pytester: pytest.Pytester) -> None:
    """No worker has to be started to find out."""
    result = pytester.runpytest_subprocess("-n", "2", "--pynenc-backend=sqlit", timeout=RUN_S)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().count("did you mean 'sqlite'?") == 1


def test_two_runs_in_one_directory_do_not_disturb_each_other(pytester: pytest.Pytester) -> None:
    """Without a common controller that could keep them apart."""
    command = [sys.executable, "-m", "pytest", "-k", "alone", "-p", "no:cacheprovider"]
    streams = {"stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
    runs = [pytester.popen(command, **streams) for _ in range(2)]

    outputs = [run.communicate(timeout=RUN_S)[0].decode() for run in runs]

    assert [run.returncode for run in runs] == [0, 0], "\n".join(outputs)
    _, namespaces, locations = (set(column) for column in zip(*seen(pytester), strict=True))
    assert len(namespaces) == len(locations) == 8
