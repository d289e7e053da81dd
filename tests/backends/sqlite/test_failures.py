"""A file that cannot be used is refused in our words, by its name, and left as it is."""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_pynenc_state.backends.backend import Space
from pytest_pynenc_state.backends.sqlite import connection
from pytest_pynenc_state.backends.sqlite.connection import Database, open_database
from pytest_pynenc_state.backends.sqlite.place import open_place
from pytest_pynenc_state.backends.sqlite.schema import empty_file, prepare_file
from pytest_pynenc_state.conformance.making import new_history
from pytest_pynenc_state.errors import BackendTimeout, StoreFull, StoreUnusable
from tests.backends.sqlite import workers

if TYPE_CHECKING:
    from pynenc.app import Pynenc

InProcess = Callable[..., Any]
Started = Callable[..., tuple[Any, Any]]

MIB = 2**20


def _text(path: Path) -> None:
    path.write_text("not a database, but the only copy of something\n" * 100)


def _short_text(path: Path) -> None:
    path.write_text("notes")


def _damaged_header(path: Path) -> None:
    path.write_bytes(b"sqlite" + empty_file()[6:])


def _other_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as foreign:
        foreign.execute("CREATE TABLE theirs (number)")
        foreign.execute("PRAGMA user_version=5")


def _other_version(path: Path) -> None:
    prepare_file(path)
    open_database(path).write("PRAGMA user_version=5")
    open_database(path).close()


def _foreign_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as foreign:
        foreign.execute("CREATE TABLE state_backend_results (theirs)")


REFUSED: dict[str, Callable[[Path], None]] = {
    "text": _text,
    "short text": _short_text,
    "damaged header": _damaged_header,
    "other schema version": _other_version,
    "version of another program": _other_program,
    "foreign table by our name": _foreign_table,
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
class TestRefusedFile:
    """A file that is not ours is not touched."""

    def test_it_is_named(self, path: Path, make: Callable[[Path], None]) -> None:
        """The error says which file it is about, and what to do."""
        make(path)
        with pytest.raises(StoreUnusable) as caught:
            prepare_file(path)
        assert (str(path) in caught.value.message, caught.value.remedies != ()) == (True, True)

    def test_its_bytes_stay(self, path: Path, make: Callable[[Path], None]) -> None:
        """Neither the file nor the folder around it changes, however often it is tried."""
        make(path)
        before = _contents(path.parent)
        for _ in range(2):
            with pytest.raises(StoreUnusable):
                prepare_file(path)
        open_database(path).close()
        assert _contents(path.parent) == before

    def test_an_app_on_it_fails_at_once(self, path: Path, make: Callable[[Path], None]) -> None:
        """Both components refuse to be made, with the same error."""
        make(path)
        app = workers.build_app(path)
        with pytest.raises(StoreUnusable):
            app.state_backend  # noqa: B018 - a property that does something
        with pytest.raises(StoreUnusable):
            app.orchestrator  # noqa: B018


def _contents(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def test_a_directory_is_refused_by_name(tmp_path: Path) -> None:
    """A folder where the file should be is named, and stays."""
    with pytest.raises(StoreUnusable, match="is a directory") as caught:
        prepare_file(tmp_path)
    assert (str(tmp_path) in caught.value.message, tmp_path.is_dir()) == (True, True)


def test_a_folder_that_is_a_file_is_refused_by_name(tmp_path: Path) -> None:
    """A file where the folder should be is named, and keeps its content."""
    folder = tmp_path / "folder"
    folder.write_text("kept")
    with pytest.raises(StoreUnusable) as caught:
        prepare_file(folder / "store.db")
    message = caught.value.message
    assert (str(folder / "store.db") in message, folder.read_text()) == (True, "kept")


@pytest.fixture
def unwritable() -> Iterator[Path]:
    """A ready file of which neither it nor its folder can be written, but by root."""
    # Not below pytest's own folder, which nobody but its owner may enter.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare_file(folder / "store.db")
        open_database(folder / "store.db").close()
        (folder / "store.db").chmod(0o444)
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)


@pytest.mark.parametrize("name", ["store.db", "new.db", "new folder/store.db"])
def test_an_unwritable_folder_is_told(unwritable: Path, in_process: InProcess, name: str) -> None:
    """A file that is there, a new one, and a new folder: each error names the file."""
    path = unwritable / name
    error = in_process(workers.outcome_as_nobody, workers.read_a_result, path)
    assert (type(error), str(path) in str(error)) == (StoreUnusable, True)


@pytest.fixture
def app(path: Path) -> Pynenc:
    """An app on a file of its own, with one result stored."""
    found = workers.build_app(path, sqlite_timeout_s=0.2)
    found.orchestrator.count_invocations()
    found.state_backend._set_result("invocation", "kept")
    return found


def _damage_page_of_results(path: Path, database: Database) -> None:
    ((root_page,),) = database.read(
        "SELECT rootpage FROM sqlite_master WHERE name = 'state_backend_results'"
    )
    ((page_size,),) = database.read("PRAGMA page_size")
    database.close()
    content = bytearray(path.read_bytes())
    content[(root_page - 1) * page_size : root_page * page_size] = b"\xff" * page_size
    path.write_bytes(content)


def _cut_in_half(path: Path, database: Database) -> None:
    database.close()
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize("damage", [_damage_page_of_results, _cut_in_half])
@pytest.mark.parametrize("method", ["_get_result", "_set_result"])
def test_a_damaged_file_is_told_and_left_alone(
    app: Pynenc, path: Path, damage: Callable[[Path, Database], None], method: str
) -> None:
    """Reading and writing what is damaged both fail by name, and mend nothing."""
    damage(path, open_database(path))
    before = path.read_bytes()
    arguments = ["invocation", "text"][: 1 + (method == "_set_result")]
    with pytest.raises(StoreUnusable, match="is damaged") as caught:
        getattr(app.state_backend, method)(*arguments)
    open_database(path).close()
    assert (str(path) in caught.value.message, path.read_bytes()) == (True, before)


def _delete(path: Path) -> None:
    open_database(path).close()
    for each in path.parent.glob("store.db*"):
        each.unlink()


@pytest.mark.parametrize("method", ["_get_result", "_set_result"])
def test_a_deleted_file_is_told_and_not_made_again(app: Pynenc, path: Path, method: str) -> None:
    """Nobody goes on in a fresh empty file as if all data had never been."""
    _delete(path)
    arguments = ["invocation", "text"][: 1 + (method == "_set_result")]
    with pytest.raises(StoreUnusable, match="missing") as caught:
        getattr(app.state_backend, method)(*arguments)
    assert (str(path) in caught.value.message, path.exists()) == (True, False)


def test_a_deleted_file_that_is_prepared_again_is_usable(app: Pynenc, path: Path) -> None:
    """The remedy that the error names works, for the same app."""
    _delete(path)
    prepare_file(path)
    app.state_backend._set_result("invocation", "new")
    assert app.state_backend._get_result("invocation") == "new"


def test_a_lock_of_another_process_ends_in_a_timeout(
    app: Pynenc, path: Path, started: Started
) -> None:
    """After the configured time the writer is told; readers are not disturbed."""
    _, pipe = started(workers.hold_write_lock, path)
    assert pipe.recv() == "locked"
    began_s = time.monotonic()
    with pytest.raises(BackendTimeout, match=r"0\.2 s") as caught:
        app.state_backend._set_result("invocation", "lost")
    waited_s = time.monotonic() - began_s
    kept = app.state_backend._get_result("invocation")
    assert (str(path) in caught.value.message, waited_s >= 0.2, kept) == (True, True, "kept")


def test_a_store_is_usable_after_a_timeout(app: Pynenc, path: Path, started: Started) -> None:
    """Once the lock is gone, the same app writes as before."""
    process, pipe = started(workers.hold_write_lock, path)
    assert pipe.recv() == "locked"
    with pytest.raises(BackendTimeout):
        app.state_backend._set_result("invocation", "lost")
    pipe.send("release")
    process.join()
    app.state_backend._set_result("invocation", "written")
    assert app.state_backend._get_result("invocation") == "written"


def test_the_timeout_holds_for_a_file_that_is_not_prepared_yet(
    path: Path, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Making the tables waits for a lock as long as the app is configured to, too."""
    monkeypatch.setattr(connection, "DEFAULT_TIMEOUT_S", 1.0)
    _, pipe = started(workers.hold_write_lock, path)
    assert pipe.recv() == "locked"
    app = workers.build_app(path, sqlite_timeout_s=0.2)
    with pytest.raises(BackendTimeout, match=r"0\.2 s"):
        app.state_backend  # noqa: B018 - a property that does something


def _leave_room(path: Path, pages: int) -> None:
    """Let the file of this thread's connection grow by so many pages only."""
    database = open_database(path)
    ((used,),) = database.read("PRAGMA page_count")
    database.read(f"PRAGMA max_page_count={used + pages}")


def test_a_full_disk_is_told(app: Pynenc, path: Path) -> None:
    """The error names the file; what was there before is there."""
    _leave_room(path, 3)
    with pytest.raises(StoreFull) as caught:
        app.state_backend._set_result("invocation", "x" * MIB)
    kept = app.state_backend._get_result("invocation")
    assert (str(path) in caught.value.message, kept) == (True, "kept")


def test_a_batch_that_fills_the_disk_is_rolled_back_as_a_whole(app: Pynenc, path: Path) -> None:
    """None of its rows are left, those that had room neither."""
    ids = [f"invocation {number}" for number in range(5000)]
    _leave_room(path, 3)
    with pytest.raises(StoreFull):
        app.state_backend._add_histories(ids, new_history("any"))
    histories = [app.state_backend.get_history(each) for each in (ids[0], ids[-1])]
    assert histories == [[], []]


def test_a_store_is_usable_once_there_is_room_again(app: Pynenc, path: Path) -> None:
    """The write that failed succeeds, and the file is sound."""
    _leave_room(path, 3)
    with pytest.raises(StoreFull):
        app.state_backend._set_result("invocation", "x" * MIB)
    _leave_room(path, 1000)
    app.state_backend._set_result("invocation", "x" * MIB)
    integrity = open_database(path).read("PRAGMA integrity_check")
    assert (len(app.state_backend._get_result("invocation")), integrity) == (MIB, [("ok",)])


def test_no_configured_file_is_told() -> None:
    """An empty path is a mistake in the configuration, not a file in the working directory."""
    with pytest.raises(ValueError, match="sqlite_db_path"):
        workers.build_app("").state_backend  # noqa: B018 - a property that does something


@pytest.mark.parametrize(
    ("number", "expected"), [(errno.ENOSPC, StoreFull), (errno.EACCES, StoreUnusable)]
)
def test_a_place_for_which_there_is_no_room_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, expected: type[Exception]
) -> None:
    """The error names the file, a part of which had been written."""

    def write_a_part(path: Path, content: bytes) -> None:
        with path.open("wb") as file:
            file.write(content[:100])
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_bytes", write_a_part)
    with pytest.raises(expected, match=r"some_test\.db'.*" + os.strerror(number)):
        open_place(Space("some_test", tmp_path / "some_test", tmp_path))
    assert list(tmp_path.iterdir()) == []
