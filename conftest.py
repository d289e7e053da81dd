"""What holds for every test of this repository: nothing is left behind."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from pytest_pynenc_state.processes import guarding

# Tests of the plugin run pytest inside pytest; only the root conftest may load that plugin.
pytest_plugins = ["pytester"]

OPEN_FILES = Path("/proc/self/fd")


def open_stores() -> list[str]:
    """The SQLite files that this process has open."""
    gc.collect()
    targets = []
    for descriptor in OPEN_FILES.iterdir():
        try:
            targets.append(str(descriptor.readlink()))
        except FileNotFoundError:  # the one that listed the folder
            continue
    return sorted(target for target in targets if ".db" in target)


def living_children() -> list[str]:
    """The commands of this process's children, but for those that end with the run.

    They are the guard, the warm processes for races, and the server that other workers of the
    run still use.
    """
    ending = [str(guarding._SCRIPT), "pytest_pynenc_state.processes.serving"]
    if "PYTEST_XDIST_WORKER" in os.environ:
        ending.append("pytest_pynenc_state.backends.mongo.server")
    commands = []
    for child in psutil.Process().children(recursive=True):
        # One that has ended and was not waited for has no command any more.
        with suppress(psutil.ZombieProcess, psutil.NoSuchProcess):
            commands.append(" ".join(child.cmdline()))
    return sorted(each for each in commands if not any(end in each for end in ending))


def runner_threads() -> list[str]:
    """The threads of runners and of their tasks."""
    names = [thread.name for thread in threading.enumerate()]
    return sorted(name for name in names if "pynenc" in name or "invocation" in name)


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_left(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """After the last test no store is open, no child lives, no thread runs, no place is left."""
    yield

    assert open_stores() == []
    assert living_children() == []
    assert runner_threads() == []
    # The last test's place goes after all fixtures, this one too; a failed one's is kept.
    places = tmp_path_factory.getbasetemp() / "pynenc"
    left = {each.name.partition(".")[0] for each in places.glob("pynenc_t_*")}
    assert len(left) <= 1 + request.session.testsfailed, left
