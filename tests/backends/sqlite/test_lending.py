"""Blocks of pynenc's code on our connection: when a transaction begins, and how it ends."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pynenc.trigger import sqlite_trigger
from pynenc.util.sqlite_utils import SQLiteConnection

from pytest_pynenc_state.backends.sqlite import connection
from pytest_pynenc_state.backends.sqlite.connection import Database
from pytest_pynenc_state.backends.sqlite.lending import Block, LentFile, lend_connections
from pytest_pynenc_state.conformance.together import in_threads
from pytest_pynenc_state.errors import BackendError, BackendTimeout

INSERT = "INSERT INTO numbers VALUES (?)"
READ = "SELECT number FROM numbers ORDER BY rowid"


def _numbers(database: Database) -> list[Any]:
    return [number for (number,) in database.read(READ)]


def _numbers_of_others(database: Database) -> list[Any]:
    """What another connection sees: what is committed."""
    return in_threads([lambda: _numbers(database)])[0]


def _in_block(database: Database, work: Callable[[Block], object]) -> None:
    with Block(database) as block:
        work(block)


def test_only_a_file_of_ours_leads_to_our_connection(path: Path, database: Database) -> None:
    """Any other path, be it the same file's, leads to pynenc's own."""
    lend_connections()
    open_connection: Any = sqlite_trigger.sqlite_conn
    ours, theirs = open_connection(LentFile(database)), open_connection(str(path))
    theirs.close()
    assert (type(ours), type(theirs)) == (Block, SQLiteConnection)


def test_a_lent_file_is_its_path(database: Database) -> None:
    """For whoever only wants to know where the file is."""
    assert LentFile(database) == database.path


@pytest.mark.parametrize("fetch", ["one by one", "all"])
def test_rows_are_fetched_in_their_order(database: Database, fetch: str) -> None:
    """As from a cursor, and None after the last one."""
    database.write_all(INSERT, [(1,), (2,)])
    with Block(database) as block:
        cursor = block.execute(READ)
        found = cursor.fetchall() if fetch == "all" else [cursor.fetchone() for _ in range(3)]
        cursor.close()
    assert found == [(1,), (2,), None][: len(found)]


def test_a_block_that_reads_is_in_nobodys_way(database: Database) -> None:
    """Between two statements others write, also with the same connection closed meanwhile."""
    found = []
    with Block(database) as block:
        for number in (1, 2):
            in_threads([lambda: database.write(INSERT, (number,))])  # noqa: B023 - called at once
            database.close()
            found.append(block.execute(" \n" + READ).fetchall())
    assert found == [[(1,)], [(1,), (2,)]]


def test_the_first_statement_that_writes_begins_a_transaction(database: Database) -> None:
    """Others see nothing of it before the block ends, and cannot write themselves."""
    database.timeout_s = 0.05
    with Block(database) as block:
        block.execute(INSERT, (1,))
        with pytest.raises(BackendTimeout):
            in_threads([lambda: database.write(INSERT, (2,))])
        seen = block.execute(READ).fetchall(), _numbers_of_others(database)
    assert (seen, _numbers_of_others(database)) == (([(1,)], []), [1])


def test_a_commit_ends_it(database: Database) -> None:
    """What is written afterwards belongs to the next one."""

    def write_twice(block: Block) -> None:
        block.execute(INSERT, (1,))
        block.commit()
        block.execute(INSERT, (2,))
        raise KeyError

    with pytest.raises(KeyError):
        _in_block(database, write_twice)
    assert _numbers_of_others(database) == [1]


@pytest.mark.parametrize(
    "error", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError]
)
def test_an_exception_in_the_block_rolls_everything_back(
    database: Database, error: type[BaseException]
) -> None:
    """Whatever was raised is raised again; nothing is written, and the file is free."""

    def write(block: Block) -> None:
        block.execute(INSERT, (1,))
        raise error

    with pytest.raises(error):
        _in_block(database, write)
    in_threads([lambda: database.write(INSERT, (2,))])
    assert _numbers(database) == [2]


@pytest.mark.parametrize("first", [READ, INSERT.replace("?", "1")], ids=["outside", "inside"])
def test_an_error_of_the_database_is_ours(database: Database, first: str) -> None:
    """It names the file, outside of a transaction and inside; nothing is written."""

    def ask(block: Block) -> None:
        block.execute(first)
        block.execute("SELECT * FROM missing")

    with pytest.raises(BackendError, match=r"store\.db.*SQLITE_ERROR"):
        _in_block(database, ask)
    assert _numbers_of_others(database) == []


def test_a_lock_is_waited_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by SQLite's own handler, and once the lock is gone, the block goes on."""
    with closing(sqlite3.connect(database.path, isolation_level=None)) as rival:
        rival.execute("BEGIN IMMEDIATE")

        def let_go(_: float) -> None:
            if rival.in_transaction:
                rival.execute("ROLLBACK")

        monkeypatch.setattr(connection, "time", SimpleNamespace(**{**vars(time), "sleep": let_go}))
        with Block(database) as block:
            block.execute(INSERT, (1,))
    assert _numbers(database) == [1]


def test_an_inner_block_belongs_to_the_transaction_of_the_outer_one(database: Database) -> None:
    """Its commit, or its end, commits nothing yet."""
    seen = []

    def write_inside(outer: Block) -> None:
        outer.execute(INSERT, (1,))
        with Block(database) as inner:
            seen.append(inner.execute(READ).fetchall())
            inner.execute(INSERT, (2,))
            inner.commit()
        seen.append(outer.execute(READ).fetchall())
        raise KeyError

    with pytest.raises(KeyError):
        _in_block(database, write_inside)
    assert (seen, _numbers(database)) == ([[(1,)], [(1,), (2,)]], [])


def test_an_inner_block_that_fails_rolls_the_outer_one_back(database: Database) -> None:
    """There is one transaction, and its error comes out of both."""

    def fail_inside(outer: Block) -> None:
        outer.execute(INSERT, (1,))
        _in_block(database, lambda inner: inner.execute("INSERT INTO missing VALUES (1)"))

    with pytest.raises(BackendError, match="SQLITE_ERROR"):
        _in_block(database, fail_inside)
    assert _numbers(database) == []


def test_a_block_that_is_dropped_lets_others_in(database: Database) -> None:
    """So that nobody waits for what an interrupted thread has left behind."""
    block = Block(database)
    block.execute(INSERT, (1,))
    del block
    in_threads([lambda: database.write(INSERT, (2,))])
    assert _numbers(database) == [2]


def test_lone_surrogates_are_written_and_found(database: Database) -> None:
    """In a transaction and outside, as by everything else on the file."""
    with Block(database) as block:
        block.execute(INSERT, ("\ud800",))
    with Block(database) as block:
        found = block.execute("SELECT count(*) FROM numbers WHERE number = ?", ("\ud800",))
    assert found.fetchone() == (1,)
