"""Tests that leave something behind, and tests that do not."""

# ruff: noqa: ANN001, ANN003, ANN201
# Written as the author of an application would, without annotations.

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from daemon import become_daemon

from pytest_pynenc_state.waiting import wait_until

pytestmark = [pytest.mark.usefixtures("pynenc_app"), pytest.mark.pynenc_backends("memory")]

FOR_EVER = "import signal, sys, pathlib; pathlib.Path(sys.argv[1]).touch(); signal.pause()"

# Hang guard: a program only has to start.
START_S = 30.0

# What lives on when its test has ended, as what refers to a socket of an application does.
kept = []


def started(name, **options):
    """Return a process that runs for ever."""
    process = subprocess.Popen([sys.executable, "-c", FOR_EVER, name], **options)
    Path(f"{name}.pid").write_text(str(process.pid))
    assert wait_until(Path(name).exists, START_S)
    return process


def wait_here():
    """Go on until the test run ends."""
    threading.Event().wait()


def listening():
    """Return a socket that others could connect to."""
    listener = socket.create_server(("127.0.0.1", 0))
    kept.append(listener)
    return listener


def test_leaves_a_process():
    """Forget to end it."""
    kept.append(started("process"))


def test_leaves_a_process_that_does_not_know_the_environment():
    """It is still a child of ours."""
    kept.append(started("stranger", env={}, start_new_session=True))


def test_leaves_a_daemon():
    """A program that is nobody's child any more, in a session of its own."""
    subprocess.run([sys.executable, "daemon.py", "daemon"], check=True)
    assert wait_until(Path("daemon").exists, START_S)


def test_leaves_a_forked_daemon():
    """The same without another program: it has none of our variables."""
    become_daemon(Path("forked"))
    assert wait_until(Path("forked").exists, START_S)


def test_leaves_a_thread():
    """Forget to end it."""
    threading.Thread(target=wait_here, name="lonely", daemon=True).start()


def test_leaves_a_socket():
    """Forget to close it."""
    Path("port").write_text(str(listening().getsockname()[1]))


def test_fails_with_a_socket_open():
    """Fail for a reason of its own."""
    listening()
    raise RuntimeError


@pytest.mark.pynenc_no_leak_check
def test_may_leave_a_process():
    """Leave it to somebody else to end it."""
    process = started("allowed")
    process.returncode = 0  # no warning of subprocess's


@pytest.fixture(scope="module")
def service():
    """Start a thread, a process and a socket for all tests of the module."""
    process = started("service")
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    yield process
    ended.set()
    thread.join()
    listener.close()
    process.kill()
    process.wait()


@pytest.mark.parametrize("number", [1, 2])
def test_uses_what_a_wider_fixture_has_started(service, number):
    """Leave it as it is."""
    assert number
    assert service.poll() is None


@pytest.fixture(scope="module")
def loop():
    """Make an event loop for all tests of the module, as plugins for asynchronous tests do."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def test_uses_a_thread_of_a_wider_event_loop(loop):
    """The loop starts it now, and keeps it."""
    loop.run_until_complete(asyncio.to_thread(os.getpid))


@pytest.fixture(scope="module")
def pool():
    """Make a pool that works until the last test of the module has ended."""
    ended = threading.Event()
    with ThreadPoolExecutor(1, thread_name_prefix="pool") as pool:
        yield lambda: pool.submit(ended.wait)
        ended.set()


def test_leaves_a_pool_at_work(pool):
    """Forget to wait for it."""
    pool()


def test_fails_with_a_pool_open():
    """Fail for a reason of its own."""
    pool = ThreadPoolExecutor(1)
    pool.submit(os.getpid).result()
    raise RuntimeError


def test_ends_what_it_starts():
    """Also what a killed process has left, and what needs a moment to end."""
    process = started("ended")
    process.kill()
    process.wait()
    with listening():
        pass
    about_to_end = started("soon", start_new_session=True)
    about_to_end.returncode = 0
    threading.Timer(0.2, os.killpg, (about_to_end.pid, signal.SIGKILL)).start()


def test_refers_to_itself():
    """What is only not collected yet is no leak."""
    ring = [socket.create_server(("127.0.0.1", 0))]
    ring.append(ring)
