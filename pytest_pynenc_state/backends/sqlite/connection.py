"""The one owner of SQLite connections: threads, forks, retries, and errors in words.

A `Database` is one file as this process sees it. Each thread has a connection of its
own, opened on first use and closed when the thread ends.

Forks: SQLite keeps, per process, which locks it holds on a file. A child that inherits
these notes believes it holds locks that are its parent's, and its writes can be lost. So
all connections are closed before a fork, and both sides open new ones on next use. The
process id is compared on every use as well: a connection that could not be
closed is neither used nor closed by the child
(https://www.sqlite.org/howtocorrupt.html, section 2.6).

Work is retried as a whole transaction, never as a single statement: a deferred
transaction that fails to upgrade its lock would fail for ever.
"""

from __future__ import annotations

import os
import random
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from pytest_pynenc_state.backends.sqlite.failures import is_busy, translated, unwritten
from pytest_pynenc_state.backends.sqlite.forks import Doorway
from pytest_pynenc_state.errors import StoreUnusable

Outcome = TypeVar("Outcome")
Row = tuple[Any, ...]
Transaction: TypeAlias = "AbstractContextManager[Connection]"

#: How long an operation waits for a lock before it gives up, unless configured.
DEFAULT_TIMEOUT_S = 30.0

# SQLite's own busy handler sleeps up to 100 ms at a time, so that a waiter oversleeps
# many short transactions; pauses of this size let four writers take fair turns.
_SHORTEST_PAUSE_S = 20e-6
_LONGEST_PAUSE_S = 2e-3

# Those who come and find the lock free overtake those who sleep: whoever has been overtaken for so
# long looks more often. Not for ever: somebody who holds the lock for longer than any transaction
# takes is not found sooner that way.
_OVERTAKEN_S, _STALLED_S = 5e-3, 0.5
_LONGEST_PAUSE_OF_OVERTAKEN_S = 0.2e-3

# Statements a connection keeps compiled; all those of this package fit.
_CACHED_STATEMENTS = 256


class Connection(sqlite3.Connection):
    """A connection as transactions see it: SQLite's own, and nothing in front of it."""


class _SurrogateConnection(Connection):
    """A connection that can also store text which no UTF-8 can: lone surrogates.

    Such text is bound as the bytes of its ``surrogatepass`` form; `text` reads both. Looking at
    each value costs some time: a thread gets such a connection when it first needs it.
    """

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Execute one statement."""
        return super().execute(sql, storable(parameters))

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        """Execute one statement for each row of a list."""
        return super().executemany(sql, [storable(row) for row in parameters])


def storable(parameters: Sequence[Any]) -> list[Any]:
    """Return *parameters* as any connection can store them."""
    return [_as_bytes_if_needed(value) for value in parameters]


def _as_bytes_if_needed(value: Any) -> Any:
    # Only text that needs it: other text must stay equal to what was stored as text.
    if not isinstance(value, str) or value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")
    return value


def text(value: str | bytes) -> str:
    """Return the text that was stored as *value*."""
    return value if isinstance(value, str) else value.decode("utf-8", "surrogatepass")


def optional_text(value: str | bytes | None) -> str | None:
    """Return the text that was stored as *value*, or None."""
    return None if value is None else text(value)


def texts(rows: list[Row]) -> list[Row]:
    """Return *rows*, all of whose bytes are such text, with that text."""
    # Hardly any row has any, and rows are read by the thousand.
    if bytes not in map(type, chain.from_iterable(rows)):
        return rows
    return [tuple(map(_text_if_bytes, row)) for row in rows]


def _text_if_bytes(value: Any) -> Any:
    return text(value) if isinstance(value, bytes) else value


class _Lease:
    """One thread's connection to one file, in the process that opened it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.pid = os.getpid()
        # Held while the connection is used: whoever closes it meanwhile, or forks, waits.
        self.busy = threading.RLock()
        self.connection: Connection | None = None
        self._class: type[Connection] = Connection

    def open(self) -> None:
        """Open the connection; do nothing if there is one."""
        try:
            with _doorway.lock, self.busy:
                if self.connection is None:
                    self.connection = _doorway.entered(self, _connect(self.path, self._class))
        finally:
            _doorway.tidy()

    def close(self) -> None:
        """Close the connection; the next use opens another one."""
        try:
            with _doorway.lock, self.busy:
                self.connection = None
                _doorway.close(self)
        finally:
            _doorway.tidy()

    def allow_surrogates(self) -> bool:
        """Let the next connection store any text; whether this one did not."""
        if self._class is _SurrogateConnection:
            return False
        self._class = _SurrogateConnection
        self.close()
        return True


class _PerThread(threading.local):
    lease: _Lease | None = None


_doorway: Doorway[_Lease] = Doorway()

_databases: weakref.WeakValueDictionary[str, Database] = weakref.WeakValueDictionary()


def _connect(path: str, connection_class: type[Connection]) -> Connection:
    connection = sqlite3.connect(
        f"{Path(path).as_uri()}?mode=rw",
        uri=True,
        timeout=0,  # waiting is ours, see _LONGEST_PAUSE_S
        isolation_level=None,  # transactions are explicit
        check_same_thread=False,  # a thread's end, or a place's, closes it elsewhere
        cached_statements=_CACHED_STATEMENTS,
        factory=connection_class,
    )
    try:
        # Survives the kill of any process; only a power cut could lose or tear what the
        # operating system has not written yet, and no test outlives that.
        connection.execute("PRAGMA synchronous=OFF")
    except BaseException:
        connection.close()
        raise
    return connection


class Database:
    """One SQLite file. Use `open_database`, which returns one object per file.

    :param path: The file; it must exist and hold this package's schema. How long an
        operation waits for somebody else's lock is ``timeout_s``.

    Concurrency: every method is safe against threads, processes and forks, and blocks
    nobody longer than its own transaction. Methods must not be called inside a
    function given to `transaction` or `snapshot`.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.timeout_s = DEFAULT_TIMEOUT_S
        self._local = _PerThread()

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Return all rows of one SELECT, which sees one state of the store."""
        return self._run(lambda connection: connection.execute(sql, parameters).fetchall())

    def write(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Execute one writing statement as a transaction; return the number of rows changed."""
        return self._run(lambda connection: connection.execute(sql, parameters).rowcount)

    def write_all(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Execute one writing statement for each of *rows*: for all of them, or for none."""
        if len(rows) == 1:  # one statement is a transaction by itself
            self.write(sql, rows[0])
        elif rows:
            self.transaction(lambda connection: connection.executemany(sql, rows))

    def transaction(self, work: Callable[[Connection], Outcome]) -> Outcome:
        """Return ``work(connection)``, executed under the file's write lock.

        :param work: What to do: it reads and writes through the connection it is given,
            and nothing else. It may be called again after a lost race for the lock.
        :raises BackendError: The store failed. Whatever *work* raises is raised again.
            In both cases nothing is left written.
        """

        def locked(connection: Connection) -> Outcome:
            connection.execute("BEGIN IMMEDIATE")
            outcome = work(connection)
            connection.execute("COMMIT")
            return outcome

        return self._run(locked)

    def snapshot(self, work: Callable[[Connection], Outcome]) -> Outcome:
        """Return ``work(connection)``, all of whose reads see one state of the store."""

        def reading(connection: Connection) -> Outcome:
            connection.execute("BEGIN")
            outcome = work(connection)
            connection.execute("COMMIT")
            return outcome

        return self._run(reading)

    def begin(self) -> tuple[Connection, Transaction]:
        """Begin a transaction, for work that cannot be repeated because it is somebody else's.

        Only the beginning waits for the file's write lock. Inside another one of the same thread,
        it is part of that one.

        :returns: The connection to work on, and an entered context. Leaving that, in the same
            thread, commits; or rolls back if there was an exception.
        :raises BackendError: The store failed, here or on leaving; nothing is left written.

        Concurrency: whoever forks waits until it has ended. So it lasts no longer than its
        statements take, and nothing in between uses another file.
        """

        def begun(connection: Connection) -> tuple[Connection, Transaction]:
            transaction = self._held(connection)
            return transaction.__enter__(), transaction

        return self._run(begun)

    @contextmanager
    def _held(self, connection: Connection) -> Iterator[Connection]:
        lease = self._local.lease
        assert lease is not None  # the connection is its
        if connection.in_transaction:
            yield connection
            return
        # A generator lets go of the lock also when it is just dropped.
        with lease.busy:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException as error:
                _roll_back(connection)
                if isinstance(error, sqlite3.Error):
                    raise translated(error, self.path, self.timeout_s) from error
                raise

    def close(self) -> None:
        """Close this process's connections to the file; a later use opens a new one."""
        for lease in _doorway.leases():
            if lease.path == self.path:
                lease.close()

    def _run(self, work: Callable[[Connection], Outcome]) -> Outcome:
        since_s: float | None = None
        while True:
            lease = self._local.lease
            if lease is None or lease.pid != os.getpid():
                lease = self._local.lease = _Lease(self.path)
            try:
                with lease.busy:
                    if (connection := lease.connection) is not None:
                        try:
                            return work(connection)
                        except BaseException:
                            _roll_back(connection)
                            raise
                # Not above: whoever forks has the doorway, and waits for who is busy.
                lease.open()
            except UnicodeEncodeError:
                if not lease.allow_surrogates():
                    raise
            except sqlite3.Error as error:
                since_s = self._pause(error, since_s)

    def _pause(self, error: sqlite3.Error, since_s: float | None) -> float:
        """Wait a little before the work is tried again, and return since when it has been."""
        now_s = time.monotonic()
        since_s = now_s if since_s is None else since_s
        waited_s = now_s - since_s
        if not is_busy(error) or waited_s >= self.timeout_s:
            raise translated(error, self.path, self.timeout_s) from error
        is_overtaken = _OVERTAKEN_S < waited_s < _STALLED_S
        longest_s = _LONGEST_PAUSE_OF_OVERTAKEN_S if is_overtaken else _LONGEST_PAUSE_S
        time.sleep(random.uniform(_SHORTEST_PAUSE_S, longest_s))  # noqa: S311 - jitter
        return since_s


def _roll_back(connection: Connection) -> None:
    # SQLite has already rolled back by itself after some errors (a full disk is one).
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def open_database(path: str | os.PathLike[str], timeout_s: float | None = None) -> Database:
    """Return this process's `Database` of *path*; nothing is opened before its first use.

    :param timeout_s: If given, the timeout of all who use the file in this process.
    """
    # Mostly it is given as it is known here: no test's set-up need take it apart several times.
    database = _databases.get(os.fspath(path))
    if database is None:
        absolute = str(Path(path).absolute())
        database = _databases.get(absolute) or _databases.setdefault(absolute, Database(absolute))
    if timeout_s is not None:
        database.timeout_s = timeout_s
    return database


def create_file(path: Path, prepare: Callable[[Connection], None]) -> None:
    """Open *path*, create it if it is missing, and let *prepare* write its schema.

    *prepare* runs under the write lock and is called again after a lost race for it.

    :raises StoreUnusable: *path* is a directory, no database, or cannot be written.
    """
    if path.is_dir():
        message = f"SQLite file {str(path)!r} is a directory"
        raise StoreUnusable(message, "give the path of a file in sqlite_db_path")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # An empty file is a database without tables.
        path.touch()
    except OSError as error:
        raise unwritten(error, path) from error
    database = open_database(path)
    database.transaction(prepare)
    # Readers and one writer do not block each other; the mode is kept in the file. Set
    # last, so that a file that *prepare* refuses is left as it was.
    database.read("PRAGMA journal_mode=WAL")
