"""What the tests of forks do, in a process of their own; none of it may hang.

A forked child ends through `os._exit`, with status 0 if all went well: anything else
would let it return into its parent's code. The one child that is to end like any program
does so in a process that does nothing else.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pytest_pynenc_state.backends.sqlite.connection import Database, open_database
from tests.backends.sqlite.workers import build_app

if TYPE_CHECKING:
    from multiprocessing.connection import Connection as Pipe

# A hang guard: a child that works needs milliseconds.
CHILD_DEADLINE_S = 10.0

FORKS = 20


class Child:
    """A forked child that runs one function.

    :param work: What the child does.
    :param leave: How it ends; by default at once, without any clean-up.
    """

    def __init__(
        self, work: Callable[[], object], leave: Callable[[int], NoReturn] = os._exit
    ) -> None:
        # The child's end closes when it ends, however it ends: that is what is waited for.
        self._alive, child_end = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._alive)
            leave(_status_of(work))
        os.close(child_end)

    def status(self) -> int | str:
        """Return the exit status, or ``"hung"`` after ending a child that did not end."""
        ended, _, _ = select.select([self._alive], [], [], CHILD_DEADLINE_S)
        os.close(self._alive)
        if not ended:
            os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status) if ended else "hung"


def _status_of(work: Callable[[], object]) -> int:
    try:
        work()
    except BaseException:  # noqa: BLE001 - a child must not return into its parent's code
        traceback.print_exc()
        return 1
    return 0


def _insert(database: Database, number: int) -> None:
    database.write("INSERT INTO numbers VALUES (?)", (number,))


def _numbers(database: Database) -> list[int]:
    return [number for (number,) in database.read("SELECT number FROM numbers ORDER BY rowid")]


def write_on_both_sides(path: Path) -> tuple[int | str, list[int]]:
    """Write before the fork, in the child, and in the parent after the child's end."""
    database = open_database(path)
    _insert(database, 1)
    status = Child(lambda: _insert(database, 2)).status()
    _insert(database, 3)
    return status, _numbers(database)


def look_for_the_connection_of_the_parent(path: Path) -> int | str:
    """Return the exit status of a child that uses its parent's connection: not 0."""
    database = open_database(path)
    database.write("CREATE TEMP TABLE of_this_connection (number)")
    read = "SELECT number FROM temp.of_this_connection"
    database.read(read)
    return Child(lambda: database.read(read)).status()


def leave_the_child_like_any_program(path: Path, pipe: Pipe) -> None:
    """Let the child use and close the file, and end with all clean-up; send the outcome."""
    database = open_database(path)
    _insert(database, 1)

    def use_and_close() -> None:
        _insert(database, 2)
        database.close()

    status = Child(use_and_close, sys.exit).status()
    _insert(database, 3)
    pipe.send((status, _numbers(database), database.read("PRAGMA integrity_check")[0][0]))


def write_in_the_child_after_the_parent_closed(path: Path) -> tuple[int | str, list[int]]:
    """Let the child write before and after its parent closes its connections."""
    database = open_database(path)
    _insert(database, 1)
    told_read, told = os.pipe()
    heard, tell = os.pipe()

    def write_twice() -> None:
        _insert(database, 2)
        os.write(tell, b"x")
        os.read(told_read, 1)
        _insert(database, 3)

    child = Child(write_twice)
    os.read(heard, 1)
    database.close()
    os.write(told, b"x")
    return child.status(), _numbers(database)


def fork_while_threads_write(path: Path, *, short_lived: bool) -> tuple[list[int | str], int]:
    """Fork again and again while threads write; each child writes, too.

    :param short_lived: Whether each write is the only one of its thread, so that
        connections are opened and closed all the time.
    :returns: The exit statuses up to the first bad one, and how many children wrote.
    """
    database = open_database(path)

    def write() -> None:
        if short_lived:
            thread = threading.Thread(target=_insert, args=(database, 0))
            thread.start()
            thread.join()
        else:
            _insert(database, 0)

    return _fork_amid(write, lambda: _insert(database, 1)), sum(_numbers(database))


def fork_while_threads_use_triggers(path: Path) -> tuple[list[int | str], int]:
    """Fork again and again while threads ask for triggers and claim them; each child does, too.

    :returns: The exit statuses up to the first bad one, and how many children claimed.
    """
    trigger = build_app(path, trigger_cls="PytestSQLiteTrigger").trigger

    def claim(run_id: str) -> None:
        trigger.get_valid_conditions()
        trigger.claim_trigger_run(run_id)

    statuses = _fork_amid(
        lambda: claim(f"thread {threading.get_ident()}"), lambda: claim(f"child {os.getpid()}")
    )
    read_claims = f"SELECT trigger_run_id FROM {trigger.tables.TRIGGER_RUN_CLAIMS}"  # noqa: S608
    claims = open_database(path).read(read_claims)
    return statuses, sum(run_id.startswith("child") for (run_id,) in claims)


def _fork_amid(in_thread: Callable[[], object], in_child: Callable[[], object]) -> list[int | str]:
    """Fork while threads do something, until a child has a bad exit status; return all statuses."""
    stop = threading.Event()

    def go_on() -> None:
        while not stop.is_set():
            in_thread()

    threads = [threading.Thread(target=go_on) for _ in range(4)]
    for thread in threads:
        thread.start()
    statuses: list[int | str] = []
    try:
        while len(statuses) < FORKS and not any(statuses):
            statuses.append(Child(in_child).status())
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return statuses
