"""A file of our own for each test, and processes that outlive one test to save time."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import pytest

from pytest_pynenc_state.backends.sqlite.connection import Database, open_database
from pytest_pynenc_state.backends.sqlite.schema import prepare_file
from tests.backends.sqlite.other_process import OtherProcess, run_at_once

PROCESSES = 4


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """Where a test may put its file; afterwards this process has closed it."""
    yield tmp_path / "store.db"
    open_database(tmp_path / "store.db").close()


@pytest.fixture
def database(path: Path) -> Database:
    """A ready file with one table ``numbers``, which no schema of ours minds."""
    prepare_file(path)
    found = open_database(path)
    found.write("CREATE TABLE numbers (number)")
    return found


@pytest.fixture(scope="session")
def _spawning() -> Iterator[None]:
    """Afterwards end what multiprocessing starts beside the first process it spawns.

    It would go on until this process ends, as a child that nobody started on purpose.
    """
    yield
    resource_tracker._resource_tracker._stop()


@pytest.fixture(scope="session")
def other_processes(_spawning: None) -> Iterator[list[OtherProcess]]:
    """Spawned processes that do what they are told, one thing after the other."""
    with ExitStack() as stack:
        yield [stack.enter_context(closing(OtherProcess())) for _ in range(PROCESSES)]


@pytest.fixture
def in_process(other_processes: list[OtherProcess]) -> Callable[..., Any]:
    """Return a function that does something in another process, and returns the outcome."""
    return other_processes[0].run


@pytest.fixture
def in_processes(other_processes: list[OtherProcess]) -> Callable[..., list[Any]]:
    """Return a function that does something in `PROCESSES` processes at once.

    It takes a function, and a tuple of arguments for each of the processes.
    """

    def run(function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        return run_at_once(other_processes, function, arguments)

    return run


@pytest.fixture
def started(_spawning: None) -> Iterator[Callable[..., Any]]:
    """Return a function that starts a process of its own, and returns it and a pipe to it.

    For what is killed, or must not be in a process with others. The function to run gets
    its end of the pipe as the last argument. After the test the process is killed.
    """
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:

        def start(function: Callable[..., Any], *arguments: Any) -> Any:
            ours, theirs = context.Pipe()
            stack.callback(ours.close)
            process = context.Process(target=function, args=(*arguments, theirs))
            process.start()
            stack.callback(process.join)
            stack.callback(process.kill)
            theirs.close()  # so that the end of the process is seen on ours
            return process, ours

        yield start
