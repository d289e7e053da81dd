"""Other processes for tests, which outlive one test to save time, and an app for them."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any

import pytest

from pytest_pynenc_state import Backend
from tests.backends.other_process import OtherProcess, run_at_once
from tests.backends.workers import AppAddress

if TYPE_CHECKING:
    from pynenc.app import Pynenc

PROCESSES = 4


@pytest.fixture
def address(pynenc_app: Pynenc, pynenc_backend: Backend) -> AppAddress:
    """Where other processes find the app under test, which is ready for them."""
    return AppAddress.of(pynenc_app, pynenc_backend)


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
