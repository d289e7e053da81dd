"""What children and racers do in the tests. Each process imports this module."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pynenc import Pynenc, context
from pynenc.exceptions import InvocationStatusError
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.waiting import wait_for_instant, wait_until

FOREVER_S = 3600.0


class OddError(Exception):
    """Its `__init__` takes other arguments than it passes on."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{reason} ({code})")
        self.code = code


class LockedError(Exception):
    """Cannot be pickled."""

    def __init__(self) -> None:
        super().__init__("it holds a lock")
        self.lock = threading.Lock()


class Slow:
    """An argument that takes its time to arrive."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __reduce__(self) -> tuple[Any, ...]:
        return after, (self.seconds,)


def after(seconds: float) -> float:
    wait_until(lambda: False, seconds)
    return seconds


def echo(_: Pynenc, *arguments: Any) -> tuple[Any, ...]:
    return arguments


def who(app: Pynenc) -> tuple[int, str]:
    return os.getpid(), app.app_id


def session_id(_: Pynenc) -> int:
    return os.getsid(0)


def move_to_pending(app: Pynenc, invocation_id: str) -> str:
    """Return the runner that owns the invocation now."""
    runner_id = f"process {os.getpid()}, thread {threading.get_ident()}"
    app.orchestrator._atomic_status_transition(
        invocation_id, InvocationStatus.PENDING, runner_id=runner_id
    )
    return runner_id


def attempts(
    app: Pynenc, ids: list[str], first_ns: int, period_ns: int
) -> list[tuple[bool, int, int]]:
    """Try to win one invocation after the other, each at an instant that all racers know.

    :returns: Of each: whether it was won, and when the attempt began and ended.
    """
    outcomes = []
    for number, invocation_id in enumerate(ids):
        wait_for_instant(first_ns + number * period_ns)
        started_ns = time.monotonic_ns()
        try:
            move_to_pending(app, invocation_id)
            has_won = True
        except InvocationStatusError:
            has_won = False
        outcomes.append((has_won, started_ns, time.monotonic_ns()))
    return outcomes


def task_names(app: Pynenc) -> list[str]:
    return sorted(task_id.func_name for task_id in app._tasks if "core" not in task_id.module)


def address(app: Pynenc) -> int:
    return id(app)


def surroundings(_: Pynenc, variable: str) -> tuple[str | None, str, list[str]]:
    return os.environ.get(variable), str(Path.cwd()), list(sys.path)


def return_much(_: Pynenc, size_bytes: int) -> bytes:
    return b"x" * size_bytes


def fail(_: Pynenc, text: str) -> None:
    raise ValueError(text)


async def fail_later(_: Pynenc) -> None:
    raise AssertionError


def fail_when_asked(_: Pynenc) -> Iterator[None]:
    yield
    raise AssertionError


async def fail_when_asked_later(_: Pynenc) -> AsyncIterator[None]:
    yield
    raise AssertionError


class FailsLater:
    """Can be called as a coroutine function can."""

    async def __call__(self, _: Pynenc) -> None:
        """Fail, if anybody awaits it."""
        raise AssertionError


NEVER_RUN = {
    "functions.fail_later is a coroutine": fail_later,
    "functions.fail_when_asked is a generator": fail_when_asked,
    "functions.fail_when_asked_later is an asynchronous generator": fail_when_asked_later,
    "functions.FailsLater .* is a coroutine": FailsLater(),
    "partial of .*functions.fail_later is a coroutine": partial(fail_later),
}


def fail_oddly(_: Pynenc) -> None:
    raise OddError(41, "odd")


def fail_with_a_lock(_: Pynenc) -> None:
    raise LockedError


def fail_like_a_test(_: Pynenc) -> None:
    pytest.fail("the child does not like it")


def return_a_lock(_: Pynenc) -> Any:
    return threading.Lock()


def leave(_: Pynenc, code: int) -> None:
    sys.stderr.write("about to leave\n")
    sys.exit(code)


def die(_: Pynenc) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_if(app: Pynenc, is_to: bool) -> None:  # noqa: FBT001 - racers get positional arguments
    """Die, or wait for ever for the one that does."""
    if is_to:
        die(app)
    wait_until(lambda: False, FOREVER_S)


def speak(_: Pynenc) -> None:
    sys.stdout.write("to one\n")
    sys.stderr.write("to the other\n")


def block(_: Pynenc, sign_of_life: str, *, deaf: bool = False) -> None:
    """Make a file, and never end; *deaf* to SIGTERM."""
    if deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(sign_of_life).touch()
    wait_until(lambda: False, FOREVER_S)


def wait_for_file(_: Pynenc, sign_of_life: str, awaited: str) -> str:
    """Make a file, and return once there is another one."""
    Path(sign_of_life).touch()
    wait_until(Path(awaited).exists, FOREVER_S)
    return "it came"


def start_grandchild(_: Pynenc) -> int:
    """Leave a process behind, and return its id."""
    command = [sys.executable, "-c", "import signal; signal.pause()"]
    return subprocess.Popen(command).pid


def block_with_grandchild(app: Pynenc, sign_of_life: str) -> None:
    pid = start_grandchild(app)
    unfinished = Path(f"{sign_of_life}.unfinished")
    unfinished.write_text(str(pid))
    unfinished.rename(sign_of_life)
    wait_until(lambda: False, FOREVER_S)


def pollute(app: Pynenc) -> None:
    """Leave in this process what pynenc leaves there, and what a careless function does."""
    Pynenc._instances["known by its id"] = app
    runner_context = context.get_or_create_runner_context(app.app_id)
    context.set_runner_context("in a context", runner_context)
    logging.getLogger("pynenc.with a logger")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.environ["LEFT_BY_ANOTHER_TEST"] = "yes"
    os.chdir("/")
    sys.path.append("/left/by/another/test")


def pollution(_: Pynenc) -> set[str]:
    """What another test has left in this process."""
    found = {*Pynenc._instances, *getattr(context.thread_local, "runner_context", {})}
    found |= {name for name in logging.Logger.manager.loggerDict if "pynenc.with" in name}
    found |= {name for name in os.environ if name == "LEFT_BY_ANOTHER_TEST"}
    found |= {entry for entry in sys.path if entry.startswith("/left")}
    found |= {"the directory"} if Path.cwd() == Path("/") else set()
    found |= {"a handler"} if signal.getsignal(signal.SIGTERM) == signal.SIG_IGN else set()
    return found
