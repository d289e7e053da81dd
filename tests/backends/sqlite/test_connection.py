"""Connections: one per thread and process, closed in time; transactions that are whole."""

from __future__ import annotations

import gc
import itertools
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

import psutil
import pytest

from pytest_pynenc_state.backends.sqlite import connection, forks
from pytest_pynenc_state.backends.sqlite.connection import Connection, Database, open_database
from pytest_pynenc_state.conformance.together import HANG_GUARD_S, in_threads
from pytest_pynenc_state.errors import BackendError, BackendTimeout
from tests.backends.sqlite import forking


def _open_count(path: str | Path) -> int:
    return sum(each.path == str(path) for each in psutil.Process().open_files())


def _insert(database: Database, number: int) -> None:
    database.write("INSERT INTO numbers VALUES (?)", (number,))


def _numbers(database: Database) -> list[Any]:
    return [number for (number,) in database.read("SELECT number FROM numbers ORDER BY rowid")]


def test_a_file_is_one_database(path: Path) -> None:
    """Whoever opens a file in this process gets the same object."""
    assert open_database(path) is open_database(str(path))


def test_opening_a_database_opens_no_file(path: Path) -> None:
    """A file that is missing stays so until something is prepared in it."""
    open_database(path)
    assert not path.exists()


def test_each_thread_has_a_connection_of_its_own(database: Database) -> None:
    """A temporary table, which belongs to a connection, is in nobody's way."""

    def own_table() -> int:
        database.write("CREATE TEMP TABLE own (number)")
        return len(database.read("SELECT number FROM temp.own"))

    assert in_threads([own_table] * 4) == [0, 0, 0, 0]


def test_a_thread_keeps_its_connection(database: Database) -> None:
    """Opening is the slow part, so a connection is used again."""
    database.write("CREATE TEMP TABLE own (number)")
    database.transaction(lambda connection: connection.execute("INSERT INTO own VALUES (1)"))
    assert database.read("SELECT number FROM temp.own") == [(1,)]


def test_a_connection_is_closed_when_its_thread_ends(database: Database) -> None:
    """Threads come and go; what they opened is not left to the garbage collector."""
    # SQLite itself keeps a file open as long as any connection of the process has a lock.
    database.close()
    in_threads([lambda: _numbers(database)] * 4)
    assert _open_count(database.path) == 0


def test_close_closes_the_connections_of_all_threads(database: Database) -> None:
    """Also those of threads that are still alive; a later use opens a new one."""
    is_used, may_end = threading.Event(), threading.Event()

    def use_twice() -> list[Any]:
        _insert(database, 1)
        is_used.set()
        may_end.wait()
        return _numbers(database)

    def close() -> int:
        is_used.wait()
        database.close()
        open_count = _open_count(database.path)
        may_end.set()
        return open_count

    assert in_threads([use_twice, close]) == [[1], 0]


# A connection that was just made, and that nobody has yet, goes with whoever made it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_who_is_interrupted_while_opening_or_closing_lets_others_in(database: Database) -> None:
    """The handler of a signal may raise whenever a function begins or ends."""

    def open_and_close() -> None:
        database.close()
        database.read("SELECT 1")
        database.close()

    interrupted = itertools.takewhile(
        lambda count: _interrupted(open_and_close, count), itertools.count(1)
    )
    was_free = [_is_free_for_others(connection._doorway.lock) for _ in interrupted]
    gc.collect()
    assert len(was_free) > 10
    assert all(was_free)


def _interrupted(work: Callable[[], object], count: int) -> bool:
    """Do *work*; whether it got so far as to be interrupted, at that call or return of ours."""
    remaining = count

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal remaining
        if frame.f_code.co_filename not in (connection.__file__, forks.__file__):
            return None
        if event in ("call", "return"):
            remaining -= 1
            if remaining == 0:
                raise KeyboardInterrupt
        return trace

    former = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(former)
    return False


def _is_free_for_others(lock: Any) -> bool:
    def try_it() -> bool:
        if is_free := lock.acquire(blocking=False):
            lock.release()
        return is_free

    return in_threads([try_it])[0]


def test_a_transaction_is_retried_while_the_file_is_locked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock that goes in time is waited for; the work is done once, when it is gone."""
    calls = []
    with closing(sqlite3.connect(database.path, isolation_level=None)) as rival:
        rival.execute("BEGIN IMMEDIATE")

        def let_go(_: float) -> None:
            if rival.in_transaction:
                rival.execute("ROLLBACK")

        # In the first pause the rival lets go. Other threads of this process sleep, too: so
        # not the function is replaced, but what the module of connections has of it.
        monkeypatch.setattr(connection, "time", SimpleNamespace(**{**vars(time), "sleep": let_go}))
        database.transaction(calls.append)
    assert len(calls) == 1


def test_whoever_is_overtaken_for_long_looks_more_often(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who come and find the lock free would overtake it for ever; a long stall is none."""
    now_s, pauses_s = 0.0, []

    with closing(sqlite3.connect(database.path, isolation_level=None)) as rival:
        rival.execute("BEGIN IMMEDIATE")

        def sleep(seconds: float) -> None:
            nonlocal now_s
            pauses_s.append((now_s, seconds))
            now_s += seconds
            if now_s > 1.0 and rival.in_transaction:
                rival.execute("ROLLBACK")

        clock = {"sleep": sleep, "monotonic": lambda: now_s}
        monkeypatch.setattr(connection, "time", SimpleNamespace(**{**vars(time), **clock}))
        database.transaction(lambda _: None)

    impatient = [pause_s for at_s, pause_s in pauses_s if 0.01 < at_s < 0.4]
    stalled = [pause_s for at_s, pause_s in pauses_s if at_s > 0.6]
    assert max(impatient) < 0.5e-3 < max(stalled) < 5e-3


def test_work_that_lost_a_race_is_done_again_as_a_whole(database: Database) -> None:
    """What the first call wrote is gone when the second one begins."""
    seen = []

    def work(connection: Connection) -> None:
        seen.append(connection.execute("SELECT count(*) FROM numbers").fetchone()[0])
        connection.execute("INSERT INTO numbers VALUES (1)")
        if len(seen) < 3:
            raise _busy()

    database.transaction(work)
    assert (seen, _numbers(database)) == ([0, 0, 0], [1])


def _busy() -> sqlite3.OperationalError:
    # The text is another error's, because only the code tells errors apart.
    error = sqlite3.OperationalError("no such table: numbers")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY_SNAPSHOT
    return error


def test_work_that_is_always_too_late_gives_up(database: Database) -> None:
    """After the timeout the error is ours, and nothing is written."""
    database.timeout_s = 0.05

    def work(connection: Connection) -> None:
        connection.execute("INSERT INTO numbers VALUES (1)")
        raise _busy()

    with pytest.raises(BackendTimeout, match=r"0\.05 s"):
        database.transaction(work)
    assert _numbers(database) == []


@pytest.mark.parametrize(
    "error", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError]
)
@pytest.mark.parametrize("kind", ["transaction", "snapshot"])
def test_an_exception_in_the_work_rolls_everything_back(
    database: Database, kind: str, error: type[BaseException]
) -> None:
    """Whatever was raised is raised again; nothing is written, and the file is free."""

    def work(connection: Connection) -> None:
        connection.execute("INSERT INTO numbers VALUES (1)")
        raise error

    with pytest.raises(error):
        getattr(database, kind)(work)
    # From another thread, whose connection would wait for a transaction left open here.
    in_threads([lambda: _insert(database, 2)])
    assert _numbers(database) == [2]


def test_an_error_of_the_database_rolls_everything_back(database: Database) -> None:
    """A broken constraint is an error of ours, with the driver's as its cause."""
    database.write("CREATE UNIQUE INDEX once ON numbers (number)")

    def work(connection: Connection) -> None:
        for number in (1, 2, 1):
            connection.execute("INSERT INTO numbers VALUES (?)", (number,))

    with pytest.raises(BackendError, match="SQLITE_CONSTRAINT_UNIQUE") as caught:
        database.transaction(work)
    assert (_numbers(database), type(caught.value.__cause__)) == ([], sqlite3.IntegrityError)


def test_a_snapshot_sees_one_state(database: Database) -> None:
    """What others commit between two reads of a snapshot is not in it."""

    def read_twice(connection: Connection) -> list[int]:
        counts = []
        for number in (1, 2):
            counts.append(connection.execute("SELECT count(*) FROM numbers").fetchone()[0])
            in_threads([lambda: _insert(database, number)])  # noqa: B023 - called at once
        return counts

    assert (database.snapshot(read_twice), _numbers(database)) == ([0, 0], [1, 2])


def test_a_snapshot_ends(database: Database) -> None:
    """No read transaction is left open that would keep the log from being truncated."""
    database.snapshot(lambda connection: connection.execute("SELECT * FROM numbers").fetchall())
    _insert(database, 1)
    with closing(sqlite3.connect(database.path)) as rival:
        is_blocked, _, _ = rival.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert is_blocked == 0


def test_a_reader_is_not_blocked_by_a_writer(database: Database) -> None:
    """While somebody writes, others read what was committed before."""
    _insert(database, 1)

    def read_meanwhile(connection: Connection) -> list[Any]:
        connection.execute("INSERT INTO numbers VALUES (2)")
        (found,) = in_threads([lambda: _numbers(database)])
        return found

    assert database.transaction(read_meanwhile) == [1]


TEXTS = ("plain", "\ud800", "plain", "\udfff\0", "")


def test_rows_with_lone_surrogates_are_written_once_each(database: Database) -> None:
    """A row that no UTF-8 can hold does not repeat the rows before it."""
    insert = "INSERT INTO numbers VALUES (?)"
    database.transaction(lambda each: each.executemany(insert, [(text,) for text in TEXTS]))
    (count,) = database.read("SELECT count(*) FROM numbers")[0]
    assert count == len(TEXTS)


def test_text_beside_lone_surrogates_stays_text(database: Database) -> None:
    """A key is found again, whatever is stored beside it."""
    database.write("CREATE TABLE pairs (pair_key, value)")
    database.write("INSERT INTO pairs VALUES (?, ?)", ("key", "\ud800"))
    found = database.read("SELECT count(*) FROM pairs WHERE pair_key = ?", ("key",))
    assert found == [(1,)]


InProcess = Callable[..., Any]
Started = Callable[..., tuple[Any, Any]]


def test_a_fork_leaves_both_sides_working(database: Database, in_process: InProcess) -> None:
    """Parent and child write, one after the other, and all of it is there."""
    outcome = in_process(forking.write_on_both_sides, Path(database.path))
    assert outcome == (0, [1, 2, 3])


def test_a_forked_child_does_not_use_the_connection_of_its_parent(
    database: Database, in_process: InProcess
) -> None:
    """A temporary table of the parent's connection does not exist for the child."""
    status = in_process(forking.look_for_the_connection_of_the_parent, Path(database.path))
    assert status == 1


def test_a_forked_child_that_closes_and_ends_harms_nobody(
    database: Database, started: Started
) -> None:
    """A child that is torn down like any program leaves its parent's connection alone."""
    _, pipe = started(forking.leave_the_child_like_any_program, Path(database.path))
    assert pipe.poll(HANG_GUARD_S)
    assert pipe.recv() == (0, [1, 2, 3], "ok")


def test_what_a_forked_child_writes_outlives_the_connection_of_its_parent(
    database: Database, in_process: InProcess
) -> None:
    """The child's locks are its own: its parent is not the last one to use the file."""
    database.close()
    outcome = in_process(forking.write_in_the_child_after_the_parent_closed, Path(database.path))
    assert outcome == (0, [1, 2, 3])


@pytest.mark.parametrize("short_lived", [False, True], ids=["long-lived", "short-lived"])
def test_a_fork_amid_writing_threads_does_not_hang_the_child(
    database: Database,
    in_process: InProcess,
    short_lived: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """No child inherits a lock that a thread of its parent held inside SQLite."""
    statuses, written = in_process(_fork_while_threads_write, Path(database.path), short_lived)
    assert (statuses, written) == ([0] * forking.FORKS, forking.FORKS)


def _fork_while_threads_write(path: Path, short_lived: bool) -> Any:  # noqa: FBT001
    return forking.fork_while_threads_write(path, short_lived=short_lived)
