"""The file: made once by whoever comes first, shared by apps and programs, found by index."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_pynenc_state.backends.sqlite import orchestrator as orchestrator_module
from pytest_pynenc_state.backends.sqlite import state_backend as state_backend_module
from pytest_pynenc_state.backends.sqlite.connection import open_database
from pytest_pynenc_state.backends.sqlite.schema import (
    _STATEMENTS,
    SCHEMA_VERSION,
    empty_file,
    prepare_file,
)
from pytest_pynenc_state.backends.sqlite.state_backend import PytestSQLiteStateBackend
from pytest_pynenc_state.conformance.making import LOOK_ALIKES
from pytest_pynenc_state.errors import BackendTimeout
from tests.backends.sqlite import workers

if TYPE_CHECKING:
    from pynenc.app import Pynenc

InProcess = Callable[..., Any]

#: Table names on pynenc's API pages; programs that look into the file rely on them.
STATE_BACKEND_TABLES = {
    "RESULTS": "state_backend_results",
    "EXCEPTIONS": "state_backend_exceptions",
    "INVOCATIONS": "state_backend_invocations",
    "RUNNER_CONTEXTS": "state_backend_runner_contexts",
    "HISTORY": "state_backend_history",
    "WORKFLOWS": "state_backend_workflows",
    "APP_INFO": "state_backend_app_info",
    "WORKFLOW_DATA": "state_backend_workflow_data",
    "WORKFLOW_SUB_INVOCATIONS": "state_backend_workflow_sub_invocations",
}
ORCHESTRATOR_TABLES = {
    "INVOCATIONS": "orchestrator_invocations",
    "INVOCATION_ARGS": "orchestrator_invocation_args",
    "BLOCKING_EDGES": "orchestrator_blocking_edges",
    "RUNNER_HEARTBEATS": "orchestrator_runner_heartbeats",
}


@pytest.fixture
def rival(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program's connection to the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def _schema(path: Path) -> list[tuple[str, str]]:
    return open_database(path).read(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
    )


def test_the_template_is_a_ready_file(path: Path) -> None:
    """Its bytes, copied, need no preparation: it stays as it is, and an app works on it."""
    path.write_bytes(empty_file())
    prepare_file(path)
    before = path.read_bytes()
    workers.set_result(path, "app", "invocation", "text")
    result = workers.build_app(path).state_backend._get_result("invocation")
    assert (before, result) == (empty_file(), "text")


def test_the_template_has_the_schema_of_a_file_that_was_prepared(
    path: Path, tmp_path: Path
) -> None:
    """A copy and a file that grew in place do not differ in tables, indexes or log."""
    prepare_file(path)
    copy = tmp_path / "copy.db"
    copy.write_bytes(empty_file())
    pragmas = ("user_version", "journal_mode", "page_size", "encoding", "auto_vacuum")
    settings = [
        [open_database(each).read(f"PRAGMA {name}") for name in pragmas] for each in (path, copy)
    ]
    schemas = [_schema(each) for each in (path, copy)]
    open_database(copy).close()
    assert (settings[0], schemas[0]) == (settings[1], schemas[1])


def test_preparing_again_keeps_everything(path: Path) -> None:
    """Tables that are there stay, with their rows."""
    state_backend_module.init_tables(str(path))
    workers.set_result(path, "app", "invocation", "kept")
    before = _schema(path)
    state_backend_module.init_tables(str(path))
    workers.build_app(path).orchestrator._init_tables()
    result = workers.build_app(path).state_backend._get_result("invocation")
    assert (_schema(path), result) == (before, "kept")


def test_an_empty_file_is_prepared(path: Path) -> None:
    """A temporary file that was made for its name only is as good as none."""
    path.touch()
    workers.set_result(path, "app", "invocation", "text")
    assert workers.build_app(path).state_backend._get_result("invocation") == "text"


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    """The file's folder need not exist."""
    path = tmp_path / "one" / "two" / "store.db"
    prepare_file(path)
    open_database(path).close()
    assert path.is_file()


def test_a_file_may_hold_tables_of_other_programs(path: Path, rival: sqlite3.Connection) -> None:
    """Names that are not ours are no concern of ours; pynenc's broker uses the same file."""
    rival.execute("CREATE TABLE theirs (number)")
    rival.execute("INSERT INTO theirs VALUES (1)")
    workers.set_result(path, "app", "invocation", "text")
    theirs = rival.execute("SELECT number FROM theirs").fetchall()
    result = workers.build_app(path).state_backend._get_result("invocation")
    assert (theirs, result) == ([(1,)], "text")


@pytest.mark.parametrize("round_number", range(5))
def test_processes_that_make_the_file_at_once_all_find_it_ready(
    path: Path, in_processes: InProcess, round_number: int
) -> None:
    """One of them makes the tables, none of them fails, and no write is lost."""
    folder = path.parent / str(round_number)
    arguments = [(folder / path.name, "app", str(number), "text") for number in range(4)]
    in_processes(workers.set_result, arguments)
    backend = workers.build_app(folder / path.name).state_backend
    results = [backend._get_result(str(number)) for number in range(4)]
    open_database(folder / path.name).close()
    assert results == ["text"] * 4


def test_tables_that_another_process_has_made_are_known_while_the_file_is_locked(
    path: Path,
) -> None:
    """Whoever makes a file locks it once more, to change its journal, when the tables are there."""
    path.touch()
    database = open_database(path)
    database.timeout_s = 0.05
    database.read("SELECT 1 FROM sqlite_master")
    with closing(sqlite3.connect(path, isolation_level=None)) as rival:
        rival.executescript(";".join(_STATEMENTS))
        rival.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        prepare_file(path)
        rival.execute("BEGIN EXCLUSIVE")
        with pytest.raises(BackendTimeout):
            database.write("INSERT INTO client_data VALUES ('app', 'key', 'value')")
    database.close()


def test_apps_of_other_processes_are_discovered(
    path: Path, in_processes: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every app that ever used the configured file is found, whoever made it."""
    monkeypatch.setenv("PYNENC__SQLITE_DB_PATH", str(path))
    ids = LOOK_ALIKES[:4]
    in_processes(workers.set_result, [(path, app_id, "invocation", "text") for app_id in ids])
    assert sorted(PytestSQLiteStateBackend.discover_app_infos()) == sorted(ids)


def test_discovery_makes_no_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is not there holds no app, and is not there afterwards."""
    monkeypatch.setenv("PYNENC__SQLITE_DB_PATH", str(path))
    found = PytestSQLiteStateBackend.discover_app_infos()
    assert (found, path.exists()) == ({}, False)


def test_discovery_leaves_a_file_of_another_program_as_it_is(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It only reads: no table is made, no version stamped, no mode changed."""
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE customers (name)")
    former = path.read_bytes()
    monkeypatch.setenv("PYNENC__SQLITE_DB_PATH", str(path))
    found = PytestSQLiteStateBackend.discover_app_infos()
    assert (found, path.read_bytes() == former) == ({}, True)


def test_discovery_without_a_configured_file_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks for apps in a file that nobody named."""
    monkeypatch.delenv("PYNENC__SQLITE_DB_PATH", raising=False)
    with pytest.raises(ValueError, match="PYNENC__SQLITE_DB_PATH"):
        PytestSQLiteStateBackend.discover_app_infos()


@pytest.mark.parametrize(
    ("module", "expected"),
    [(state_backend_module, STATE_BACKEND_TABLES), (orchestrator_module, ORCHESTRATOR_TABLES)],
    ids=["state backend", "orchestrator"],
)
def test_tables_have_their_documented_names(
    path: Path, module: Any, expected: dict[str, str]
) -> None:
    """Each name on the API page is that of a table in the file."""
    prepare_file(path)
    tables = {name for name, _ in _schema(path)}
    named = {attribute: getattr(module.Tables, attribute) for attribute in expected}
    assert (named, set(named.values()) - tables) == (expected, set())


def test_every_row_belongs_to_an_app(path: Path) -> None:
    """No table of ours, and no index, begins with anything but the app's id.

    Apart from the one number that the file's histories go on after.
    """
    prepare_file(path)
    database = open_database(path)
    indexed = database.read(
        "SELECT each.name, used.name FROM sqlite_master AS each, "
        "pragma_index_info(each.name) AS used WHERE each.type = 'index' AND used.seqno = 0"
    )
    tables = database.read(
        "SELECT each.name FROM sqlite_master AS each WHERE each.type = 'table' "
        "AND each.name NOT GLOB 'sqlite_*' "
        "AND each.name <> 'state_backend_history_numbers' "
        "AND 'app_id' NOT IN (SELECT name FROM pragma_table_info(each.name))"
    )
    assert ({first for _, first in indexed}, tables) == ({"app_id"}, [])


def test_an_app_on_a_relative_path_uses_the_same_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path is taken from the working directory at the time, once and for all."""
    monkeypatch.chdir(path.parent)
    app: Pynenc = workers.build_app(path.name)
    app.state_backend._set_result("invocation", "text")
    monkeypatch.chdir("/")
    results = [
        app.state_backend._get_result("invocation"),
        workers.build_app(path).state_backend._get_result("invocation"),
    ]
    assert results == ["text", "text"]
