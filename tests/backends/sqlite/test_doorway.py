"""The doorway of connections: what is gone is closed, and nobody waits for a deletion."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_pynenc_state.backends.sqlite.forks import Doorway
from pytest_pynenc_state.conformance.together import HANG_GUARD_S


class Lease:
    """A thread's connection, as the doorway sees it."""

    def __init__(self, doorway: Doorway[Lease]) -> None:
        self.busy: Any = threading.RLock()
        self._doorway = doorway

    def close(self) -> None:
        """Close the connection."""
        self._doorway.close(self)


class InterruptedLock:
    """A lock during whose first acquisition a signal arrives."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_interrupted = False

    def acquire(self) -> None:
        """Wait for the lock."""
        if not self._is_interrupted:
            self._is_interrupted = True
            raise KeyboardInterrupt
        self._lock.acquire()

    def release(self) -> None:
        """Let go of the lock, which must be held."""
        self._lock.release()


@pytest.fixture
def doorway() -> Doorway[Lease]:
    return Doorway()


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(":memory:", check_same_thread=False)
    yield opened
    opened.close()


def is_open(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return False
    return True


def test_a_connection_is_closed_with_the_last_reference_to_its_lease(
    doorway: Doorway[Lease], connection: sqlite3.Connection
) -> None:
    """Its thread has ended, and nobody else can use it."""
    lease = Lease(doorway)
    doorway.entered(lease, connection)
    was_open = is_open(connection)
    del lease
    assert (was_open, is_open(connection), doorway.leases()) == (True, False, [])


def test_what_is_deleted_while_somebody_has_the_doorway_is_closed_by_them(
    doorway: Doorway[Lease], connection: sqlite3.Connection
) -> None:
    """Who deletes it does not wait: it may have what the other one waits for."""
    lease = Lease(doorway)
    doorway.entered(lease, connection)
    has_it, may_leave = threading.Event(), threading.Event()

    def stand_in_the_doorway() -> None:
        with doorway.lock:
            has_it.set()
            may_leave.wait(HANG_GUARD_S)
        doorway.tidy()

    thread = threading.Thread(target=stand_in_the_doorway)
    thread.start()
    has_it.wait(HANG_GUARD_S)
    del lease
    was_open = is_open(connection)
    may_leave.set()
    thread.join()
    assert (was_open, is_open(connection)) == (True, False)


def test_a_connection_of_another_process_is_kept_and_not_closed(
    doorway: Doorway[Lease], connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing it here would let go of the locks that the other one holds."""
    lease = Lease(doorway)
    doorway.entered(lease, connection)
    monkeypatch.setattr("os.getpid", lambda: -1)
    lease.close()
    assert (doorway.leases(), is_open(connection)) == ([], True)


def test_a_fork_that_is_interrupted_closes_all_and_lets_others_in_afterwards(
    doorway: Doorway[Lease], connection: sqlite3.Connection
) -> None:
    """Python ignores what the signal's handler raises, and forks."""
    lease = Lease(doorway)
    lease.busy = InterruptedLock()
    doorway.entered(lease, connection)
    with pytest.raises(KeyboardInterrupt):
        doorway._shut()
    was_open = is_open(connection)
    doorway._open()
    entered = threading.Event()

    def enter() -> None:
        with doorway.lock:
            entered.set()

    threading.Thread(target=enter, daemon=True).start()
    assert (was_open, entered.wait(HANG_GUARD_S)) == (False, True)
