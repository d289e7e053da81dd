"""What pytest started does not outlive it, also when it is killed (-9)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from pytest_pynenc_state.processes.guard import VARIABLE, has_mark, is_dead
from pytest_pynenc_state.processes.guarding import Guard
from pytest_pynenc_state.processes.tree import (
    described,
    gone_within,
    has_ended,
    kill_session,
    session_members,
)
from pytest_pynenc_state.waiting import wait_until

DEADLINE_S = 10.0

# Prints a line once its own child runs, then both wait for ever and ignore SIGTERM.
PARENT = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = "import signal; signal.signal(15, signal.SIG_IGN); print(flush=True); signal.pause()"
process = subprocess.Popen([sys.executable, "-c", child], stdout=subprocess.PIPE)
process.stdout.readline()
print(flush=True)
signal.pause()
"""

IDLE = "import signal; signal.pause()"

# Ends its first thread, while another one waits for ever.
HEADLESS = """
import ctypes, signal, threading
threading.Thread(target=signal.sigwait, args=({signal.SIGUSR1},)).start()
ctypes.CDLL(None).pthread_exit(None)
"""

# Prints the ids of its guard, of a program that leads a session, and of a fork that does.
STARTER = f"""
import os, signal, subprocess, sys
from pytest_pynenc_state.processes.guarding import Guard
guard = Guard()
with guard.marking():
    program = subprocess.Popen([sys.executable, "-c", {IDLE!r}], start_new_session=True)
    guard.start()
    fork = os.fork()
    if not fork:
        os.setsid()
        os.closerange(0, 256)
        signal.pause()
    print(guard.pid, program.pid, fork, flush=True)
    signal.pause()
"""


# Prints the folder of its guard, which it closes when its input ends.
HOLDER = """
import pathlib, sys
from pytest_pynenc_state.processes.guarding import Guard
guard = Guard()
pathlib.Path(guard.folder, "file").touch()
print(guard.folder, flush=True)
sys.stdin.read()
guard.close()
"""

# Forks itself, with a guard if it gets an argument. The fork prints the folder of a guard that it
# starts, and ends without closing it; then this one waits until its input ends.
FORKING = """
import os, sys
from pytest_pynenc_state.processes.guarding import Guard
guard = Guard()
with guard.marking():
    if sys.argv[1:]:
        guard.start()
    fork = os.fork()
    if not fork:
        print(guard.folder, flush=True)
        os._exit(0)
    os.waitpid(fork, 0)
    sys.stdin.read()
guard.close()
"""


@pytest.fixture
def stubborn_session() -> Iterator[subprocess.Popen[bytes]]:
    """A process that leads a session, with a child of its own; both ignore SIGTERM."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def test_a_session_has_its_leader_and_the_leaders_children(
    stubborn_session: subprocess.Popen[bytes],
) -> None:
    """Children of children are found by their session, whoever their parent is."""
    members = session_members(stubborn_session.pid)

    assert len(members) == 2
    assert f"pid {stubborn_session.pid}" in described(members)


def test_an_orphan_still_belongs_to_its_session(
    stubborn_session: subprocess.Popen[bytes],
) -> None:
    """A worker whose runner was killed is found, although init has adopted it."""
    stubborn_session.kill()
    stubborn_session.wait()

    orphans = session_members(stubborn_session.pid)

    assert [orphan.pid for orphan in orphans] != []
    assert stubborn_session.pid not in [orphan.pid for orphan in orphans]


def test_a_process_has_not_ended_before_its_last_thread_has() -> None:
    """The kernel calls it a zombie once the first has, and its parent cannot reap it yet."""
    with subprocess.Popen([sys.executable, "-c", HEADLESS], start_new_session=True) as process:
        seen = psutil.Process(process.pid)
        try:
            assert wait_until(lambda: seen.status() == psutil.STATUS_ZOMBIE, DEADLINE_S)
            assert [member.pid for member in session_members(process.pid)] == [process.pid]
            assert (has_ended(seen), is_dead(process.pid)) == (False, False)
        finally:
            os.kill(process.pid, signal.SIGKILL)
        assert wait_until(lambda: has_ended(seen), DEADLINE_S)
        assert is_dead(process.pid)
        assert process.poll() == -signal.SIGKILL


def test_killing_a_session_ends_every_member(stubborn_session: subprocess.Popen[bytes]) -> None:
    """Also those that ignore SIGTERM, and orphans."""
    assert kill_session(stubborn_session.pid, DEADLINE_S)

    assert session_members(stubborn_session.pid) == []


def test_a_living_session_is_not_gone(stubborn_session: subprocess.Popen[bytes]) -> None:
    """The answer is about processes, not about time."""
    assert not gone_within(stubborn_session.pid, 0.0)


def test_the_guard_kills_what_is_watched_when_its_input_ends(
    stubborn_session: subprocess.Popen[bytes],
) -> None:
    """The kernel closes the pipe of a killed process, and the guard notices."""
    guard = Guard()
    guard.watch(stubborn_session.pid)

    guard.close()

    assert stubborn_session.wait(DEADLINE_S) == -signal.SIGKILL
    assert gone_within(stubborn_session.pid, DEADLINE_S)


def test_the_guard_spares_what_was_forgotten(stubborn_session: subprocess.Popen[bytes]) -> None:
    """A number that has become another process's must not be killed."""
    guard = Guard()
    guard.watch(stubborn_session.pid)
    guard.forget(stubborn_session.pid)

    guard.close()

    assert stubborn_session.poll() is None


def test_a_guard_that_watched_nothing_starts_no_process() -> None:
    """A session that starts no child pays for none."""
    before = {process.pid for process in session_members(os.getsid(0))}
    guard = Guard()
    guard.close()

    assert {process.pid for process in session_members(os.getsid(0))} <= before


def test_waiting_returns_as_soon_as_the_condition_holds() -> None:
    """It looks at least once, also when no time is left."""
    looks = iter([False, False, True])

    assert wait_until(lambda: next(looks), DEADLINE_S)
    assert wait_until(lambda: True, 0.0)
    assert not wait_until(lambda: False, 0.0)


def test_what_is_marked_dies_with_its_starter_in_whatever_session_it_is() -> None:
    """The guard was told of no session: it finds the mark."""
    with (
        subprocess.Popen([sys.executable, "-c", IDLE], start_new_session=True) as stranger,
        subprocess.Popen([sys.executable, "-c", STARTER], stdout=subprocess.PIPE) as starter,
    ):
        assert starter.stdout is not None
        guard, *marked = [int(pid) for pid in starter.stdout.readline().split()]
        starter.kill()

        assert wait_until(lambda: all(is_dead(pid) for pid in (*marked, guard)), DEADLINE_S)
        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.parametrize("is_killed", [False, True], ids=["closed", "killed"])
def test_the_folder_goes_with_whoever_has_the_guard(*, is_killed: bool) -> None:
    """With all that is in it, as the socket of a process that is killed too."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        folder = Path(os.fsdecode(holder.stdout.readline()).strip())
        assert (folder / "file").exists()
        if is_killed:
            holder.kill()

    assert wait_until(lambda: not folder.exists(), DEADLINE_S)


@pytest.mark.parametrize("arguments", [[], ["with"]], ids=["without", "with"])
def test_the_guard_of_a_fork_spares_its_parent(arguments: list[str]) -> None:
    """A fork that ends, as those of multiprocessing do, must not take pytest with it."""
    with subprocess.Popen(
        [sys.executable, "-c", FORKING, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        folder = Path(os.fsdecode(parent.stdout.readline()).strip())
        # The last thing that the fork's guard does.
        assert wait_until(lambda: not folder.exists(), DEADLINE_S)

    assert parent.returncode == 0


def test_what_is_marked_outlives_a_guard_that_is_closed() -> None:
    """Only what is watched ends with a run that ends as it should."""
    guard = Guard()
    with guard.marking(), subprocess.Popen([sys.executable, "-c", IDLE]) as marked:
        guard.start()
        guard.close()

        assert marked.poll() is None
        marked.kill()


def test_a_mark_is_in_the_environment_and_in_the_memory_of_forks() -> None:
    """One or the other is lost by what a process may do, but not both."""
    guard = Guard()
    with guard.marking(), subprocess.Popen([sys.executable, "-c", IDLE], env={}) as without:
        child = os.fork()
        if not child:
            os.environ.clear()
            signal.pause()
        try:
            assert has_mark(child, guard.mark)
            assert not has_mark(without.pid, guard.mark)
            assert not has_mark(child, guard.mark[:-1])
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            without.kill()
    assert VARIABLE not in os.environ
