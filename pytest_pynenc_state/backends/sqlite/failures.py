"""SQLite's errors in this package's words, told apart by error code, never by text."""

from __future__ import annotations

import errno
import os
import sqlite3

from pytest_pynenc_state.errors import BackendError, BackendTimeout, StoreFull, StoreUnusable

# The primary code is the low byte; the rest says more about the cause.
_PRIMARY = 0xFF

# PROTOCOL: two connections raced for the first locks of a write-ahead log.
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})


def _code(error: sqlite3.Error) -> int:
    # Errors of the Python binding itself (a closed connection) carry no code.
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE) & _PRIMARY


def is_busy(error: sqlite3.Error) -> bool:
    """Whether somebody else's lock was in the way, so that trying again makes sense."""
    return _code(error) in _BUSY


def translated(error: sqlite3.Error, path: str, timeout_s: float = 0.0) -> BackendError:
    """Return *error*, which happened on the file *path*, as one of this package's errors."""
    code = _code(error)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    where = f"SQLite file {path!r}"
    if code in _BUSY:
        return BackendTimeout(
            f"{where} was locked by another connection for {timeout_s:g} s; "
            "this operation was rolled back",
            "end the program that holds it, or raise sqlite_timeout_s",
        )
    if code == sqlite3.SQLITE_FULL:
        return StoreFull(
            f"{where} has no room left ({name}); this operation was rolled back",
            "free space on its file system, or raise its max_page_count",
        )
    if code in _REASONS:
        reason, remedy = _REASONS[code]
        return StoreUnusable(f"{where} {reason} ({name}: {error})", remedy)
    return BackendError(f"{where} refused an operation ({name}: {error}); it was rolled back")


def unwritten(error: OSError, path: str | os.PathLike[str]) -> BackendError:
    """Return *error*, for which the new file *path* was not written, as one of ours."""
    where = f"SQLite file {str(path)!r}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFull(f"{where}: no room for it: {error}", "free space on its file system")
    return StoreUnusable(f"{where} cannot be created: {error}", "give it a writable folder")


_ELSEWHERE = "point sqlite_db_path at another file; nothing was written to this one"
_REASONS = {
    sqlite3.SQLITE_NOTADB: ("is no SQLite database", _ELSEWHERE),
    sqlite3.SQLITE_CORRUPT: ("is damaged", _ELSEWHERE),
    sqlite3.SQLITE_READONLY: ("cannot be written", "make the file and its folder writable"),
    sqlite3.SQLITE_PERM: ("cannot be written", "make the file and its folder writable"),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot be opened: it is missing, or its folder cannot be written",
        "create it with init_tables(path), or open its place again",
    ),
    sqlite3.SQLITE_IOERR: ("could not be read or written", "check its file system"),
}
