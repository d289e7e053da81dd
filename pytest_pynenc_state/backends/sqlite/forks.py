"""The doorway that connections come and go by, shut while this process forks.

A child that is forked while another thread is inside SQLite inherits SQLite's locks as they are
at that instant, and nobody is there to release them. So a fork waits until no thread uses its
connection, or opens or closes one; and all connections are closed before it.

Whoever uses a connection that is open holds its lease's lock, and not the doorway. Two rules keep
that from hanging. Whoever has the doorway may wait for a lease, never the other way round. And what
is deleted waits for nothing, since that may happen at any instant, in any thread: its connection
is closed by whoever has the doorway, when that leaves it.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar


class Lease(Protocol):
    """One thread's connection, as a fork sees it.

    :ivar busy: A lock that is held by whoever uses the connection; re-entrant.
    """

    busy: Any

    def close(self) -> None:
        """Close the connection."""


Leased = TypeVar("Leased", bound=Lease)
Opened = TypeVar("Opened", bound=sqlite3.Connection)


class Doorway(Generic[Leased]):
    """What whoever opens or closes a connection goes through.

    :ivar lock: Held by whoever does, who calls `tidy` afterwards; re-entrant. It is not this class
        that is the context manager: between its methods' lines, the handler of a signal may raise
        when the lock is held, and nobody would ever let go of it.

    Concurrency: one thread at a time. A fork waits for it, and for whoever is busy with a
    connection; meanwhile, nobody else gets any further than to the next use of one.
    """

    def __init__(self) -> None:
        # Held during a fork, so that its owner is the one thread that the child has. Re-entrant,
        # because a lease may be deleted while this thread holds it.
        self.lock = threading.RLock()
        # What is open, and in which process it was opened. Its lease may be gone: see `tidy`.
        self._opened: dict[weakref.ref[Leased], tuple[sqlite3.Connection, int]] = {}
        # A parent's connections, in a forked child: kept, so that nothing closes them.
        self._inherited: list[sqlite3.Connection] = []
        self._held_up: list[Leased] = []
        os.register_at_fork(
            before=self._shut, after_in_parent=self._open, after_in_child=self._open
        )

    def entered(self, lease: Leased, connection: Opened) -> Opened:
        """Note that *lease* has opened *connection*, and return that."""
        self._opened[weakref.ref(lease, self.tidy)] = connection, os.getpid()
        return connection

    def close(self, lease: Leased) -> None:
        """Close the connection of *lease*, if there is one."""
        self._close(weakref.ref(lease))

    def leases(self) -> list[Leased]:
        """All that have a connection."""
        found = (reference() for reference in list(self._opened))
        return [lease for lease in found if lease is not None]

    def tidy(self, _: object = None) -> None:
        """Close the connections of leases that are gone, unless somebody has the doorway.

        Whoever has it does so later.
        """
        while gone := [each for each in list(self._opened) if each() is None]:
            if not self.lock.acquire(blocking=False):
                return
            try:
                for reference in gone:
                    self._close(reference)
            finally:
                self.lock.release()

    def _close(self, reference: weakref.ref[Leased]) -> None:
        connection, pid = self._opened.pop(reference, (None, 0))
        if connection is None:
            return
        if pid == os.getpid():
            connection.close()
        else:
            self._inherited.append(connection)

    def _shut(self) -> None:
        interrupts = _insist(self.lock.acquire)
        self.tidy()
        for lease in self.leases():
            interrupts += _insist(lease.busy.acquire)
            self._held_up.append(lease)
            reference = weakref.ref(lease)
            # A transaction that is open now belongs to the thread that forks, inside it.
            if reference in self._opened and not self._opened[reference][0].in_transaction:
                lease.close()
        if interrupts:
            raise interrupts[0]

    def _open(self) -> None:
        for lease in self._held_up:
            lease.busy.release()
        self._held_up = []
        self.lock.release()
        self.tidy()


def _insist(acquire: Callable[[], object]) -> list[BaseException]:
    """Call *acquire* until it returns; what handlers of signals have raised meanwhile.

    Python forks even if this is interrupted: it tells of what is raised before, and ignores it.
    """
    interrupts: list[BaseException] = []
    while True:
        try:
            acquire()
        except BaseException as interrupt:  # noqa: BLE001 - raised again once all is held
            interrupts.append(interrupt)
        else:
            return interrupts
