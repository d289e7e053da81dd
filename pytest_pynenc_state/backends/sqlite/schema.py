"""The tables of one file, their version, and an empty file ready to be copied.

Every table starts with ``app_id``, and so does every key: one file holds several apps,
and ids that look alike never meet. One table, of numbers that are used up, is the file's.
Time stamps are integers of microseconds. ``seq`` columns number rows in the order they
were committed.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

from pytest_pynenc_state.backends.sqlite.connection import (
    Connection,
    create_file,
    open_database,
)
from pytest_pynenc_state.errors import StoreUnusable

#: Written to each file's ``user_version``. "pp" and a number, so that the version of
#: some other program's database is not taken for ours.
SCHEMA_VERSION = 0x70700005


class StateBackendTables:
    """Names of the state backend's tables."""

    RESULTS = "state_backend_results"
    EXCEPTIONS = "state_backend_exceptions"
    INVOCATIONS = "state_backend_invocations"
    RUNNER_CONTEXTS = "state_backend_runner_contexts"
    HISTORY = "state_backend_history"
    HISTORY_NUMBERS = "state_backend_history_numbers"
    WORKFLOWS = "state_backend_workflows"
    APP_INFO = "state_backend_app_info"
    WORKFLOW_DATA = "state_backend_workflow_data"
    WORKFLOW_SUB_INVOCATIONS = "state_backend_workflow_sub_invocations"


class OrchestratorTables:
    """Names of the orchestrator's tables."""

    INVOCATIONS = "orchestrator_invocations"
    INVOCATION_ARGS = "orchestrator_invocation_args"
    BLOCKING_EDGES = "orchestrator_blocking_edges"
    RUNNER_HEARTBEATS = "orchestrator_runner_heartbeats"
    ATOMIC_SERVICE_EXECUTIONS = "orchestrator_atomic_service_executions"


class BrokerTables:
    """Names of the broker's tables."""

    QUEUE = "broker_queue"


class ClientDataTables:
    """Names of the client data store's tables."""

    VALUES = "client_data"


_SCHEMA = f"""
CREATE TABLE {StateBackendTables.RESULTS} (
    app_id, invocation_id, value NOT NULL,
    PRIMARY KEY (app_id, invocation_id)
);
CREATE TABLE {StateBackendTables.EXCEPTIONS} (
    app_id, invocation_id, value NOT NULL,
    PRIMARY KEY (app_id, invocation_id)
);
CREATE TABLE {StateBackendTables.INVOCATIONS} (
    app_id, invocation_id, call_id_key NOT NULL, arguments_json NOT NULL,
    workflow_id, workflow_type_key, parent_workflow_id,
    parent_invocation_id, parent_event_id,
    PRIMARY KEY (app_id, invocation_id)
);
CREATE INDEX state_backend_children
    ON {StateBackendTables.INVOCATIONS} (app_id, parent_invocation_id)
    WHERE parent_invocation_id IS NOT NULL;
CREATE INDEX state_backend_event_children
    ON {StateBackendTables.INVOCATIONS} (app_id, parent_event_id)
    WHERE parent_event_id IS NOT NULL;
CREATE INDEX state_backend_workflow_members -- also of any type: see the table in `invocations`
    ON {StateBackendTables.INVOCATIONS} (app_id, workflow_type_key, workflow_id)
    WHERE workflow_type_key IS NOT NULL;
CREATE TABLE {StateBackendTables.HISTORY} (
    seq INTEGER PRIMARY KEY,
    app_id NOT NULL, invocation_id NOT NULL, timestamp_us INTEGER NOT NULL,
    status NOT NULL, status_runner_id, status_timestamp_us INTEGER NOT NULL,
    runner_context_id NOT NULL, registered_by_inv_id
);
CREATE INDEX state_backend_history_of_invocation
    ON {StateBackendTables.HISTORY} (app_id, invocation_id, timestamp_us);
CREATE INDEX state_backend_history_by_time
    ON {StateBackendTables.HISTORY} (app_id, timestamp_us);
CREATE TABLE {StateBackendTables.HISTORY_NUMBERS} ( -- the last one when an app was purged: one row
    one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL
);
CREATE TABLE {StateBackendTables.RUNNER_CONTEXTS} (
    app_id, runner_id, context_json NOT NULL,
    PRIMARY KEY (app_id, runner_id)
) WITHOUT ROWID;
CREATE TABLE {StateBackendTables.WORKFLOWS} (
    app_id, workflow_id, workflow_type_key NOT NULL, parent_workflow_id,
    PRIMARY KEY (app_id, workflow_id)
) WITHOUT ROWID;
CREATE INDEX state_backend_workflows_of_type
    ON {StateBackendTables.WORKFLOWS}
    (app_id, workflow_type_key, workflow_id, parent_workflow_id);
CREATE TABLE {StateBackendTables.WORKFLOW_DATA} (
    app_id, workflow_id, data_key, value NOT NULL,
    PRIMARY KEY (app_id, workflow_id, data_key)
);
CREATE TABLE {StateBackendTables.WORKFLOW_SUB_INVOCATIONS} (
    app_id, parent_workflow_id, sub_invocation_id,
    PRIMARY KEY (app_id, parent_workflow_id, sub_invocation_id)
) WITHOUT ROWID;
CREATE TABLE {StateBackendTables.APP_INFO} (
    app_id PRIMARY KEY, app_info_json NOT NULL
) WITHOUT ROWID;

CREATE TABLE {ClientDataTables.VALUES} (
    app_id, data_key, value NOT NULL,
    PRIMARY KEY (app_id, data_key)
);

CREATE TABLE {BrokerTables.QUEUE} (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again, also not after a purge
    app_id NOT NULL, queue_name NOT NULL, priority REAL NOT NULL, invocation_id NOT NULL
);
CREATE INDEX broker_next
    ON {BrokerTables.QUEUE} (app_id, queue_name, priority DESC, seq);

CREATE TABLE {OrchestratorTables.INVOCATIONS} (
    seq INTEGER PRIMARY KEY,
    app_id NOT NULL, invocation_id NOT NULL, task_id_key NOT NULL, call_id_key NOT NULL,
    status NOT NULL, status_runner_id, status_timestamp_us INTEGER NOT NULL,
    retry_count INTEGER NOT NULL DEFAULT 0, auto_purge_us INTEGER,
    unfinished INTEGER, -- 1, or NULL in a final status: what few statuses change can be indexed
    UNIQUE (app_id, invocation_id)
);
CREATE INDEX orchestrator_invocations_by_age -- for pages: by any other, all rows would be sorted
    ON {OrchestratorTables.INVOCATIONS} (app_id, seq, invocation_id);
CREATE INDEX orchestrator_invocations_of_task
    ON {OrchestratorTables.INVOCATIONS} (app_id, task_id_key);
CREATE INDEX orchestrator_invocations_of_call
    ON {OrchestratorTables.INVOCATIONS} (app_id, call_id_key);
CREATE INDEX orchestrator_invocations_unfinished -- one of statuses would change with each of them
    ON {OrchestratorTables.INVOCATIONS} (app_id, task_id_key)
    WHERE unfinished = 1;
CREATE INDEX orchestrator_invocations_to_purge
    ON {OrchestratorTables.INVOCATIONS} (app_id, auto_purge_us)
    WHERE auto_purge_us IS NOT NULL;
CREATE TABLE {OrchestratorTables.INVOCATION_ARGS} (
    app_id, invocation_id, arg_key, arg_value NOT NULL,
    PRIMARY KEY (app_id, invocation_id, arg_key)
) WITHOUT ROWID;
CREATE INDEX orchestrator_args_by_value
    ON {OrchestratorTables.INVOCATION_ARGS} (app_id, arg_key, arg_value);
CREATE TABLE {OrchestratorTables.BLOCKING_EDGES} (
    app_id, waiter_id, waited_id,
    PRIMARY KEY (app_id, waiter_id, waited_id)
) WITHOUT ROWID;
CREATE INDEX orchestrator_edges_by_waited
    ON {OrchestratorTables.BLOCKING_EDGES} (app_id, waited_id);
CREATE TABLE {OrchestratorTables.RUNNER_HEARTBEATS} (
    app_id, runner_id, creation_us INTEGER NOT NULL, last_heartbeat_us INTEGER NOT NULL,
    can_run_atomic_service INTEGER NOT NULL DEFAULT 0, consumed_queues_json,
    last_service_start_us INTEGER, last_service_end_us INTEGER,
    PRIMARY KEY (app_id, runner_id)
) WITHOUT ROWID;
CREATE TABLE {OrchestratorTables.ATOMIC_SERVICE_EXECUTIONS} (
    seq INTEGER PRIMARY KEY,
    app_id NOT NULL, atomic_service_run_id NOT NULL, runner_id NOT NULL,
    start_us INTEGER NOT NULL, end_us INTEGER, status NOT NULL, reason NOT NULL,
    UNIQUE (app_id, atomic_service_run_id)
);
CREATE UNIQUE INDEX orchestrator_one_running_execution
    ON {OrchestratorTables.ATOMIC_SERVICE_EXECUTIONS} (app_id)
    WHERE status = 'running';
CREATE INDEX orchestrator_executions_by_start
    ON {OrchestratorTables.ATOMIC_SERVICE_EXECUTIONS} (app_id, start_us);
"""

_TABLE_NAMES = {
    name
    for tables in (StateBackendTables, OrchestratorTables, ClientDataTables, BrokerTables)
    for attribute, name in vars(tables).items()
    if attribute.isupper()
}

_OTHER_FILE = (
    "point sqlite_db_path at a new file; nothing was written to this one",
    "or use it with the release of the program that made it",
)

# ``executescript`` would commit the transaction that the statements belong to.
_STATEMENTS = [statement for statement in _SCHEMA.split(";") if statement.strip()]


def prepare_file(path: str | Path) -> None:
    """Make *path* a file with this package's tables; do nothing if it is one already.

    :raises StoreUnusable: *path* is a directory, no database, damaged, unwritable, or
        has another schema version. It is left as it was.

    Concurrency: atomic against other processes that do the same.
    """
    path = Path(path)
    if path.is_file() and is_ready(path):
        return
    create_file(path, partial(_create_tables, str(path)))


def empty_file() -> bytes:
    """Return the content of a file with this package's tables and no rows."""
    with closing(sqlite3.connect(":memory:", isolation_level=None, factory=Connection)) as empty:
        _create_tables(":memory:", empty)
        content = bytearray(empty.serialize())
    # Offsets 18 and 19 of the header: 2 for a file in WAL mode, which an in-memory
    # database cannot be put into (https://www.sqlite.org/fileformat.html, section 1.3).
    content[18:20] = b"\x02\x02"
    return bytes(content)


# The pragma alone does not look whether the tables that the connection knows are still those of
# the file. A statement that names one which another process has just made would then have to look
# itself, and says that there is none if the file is locked at that moment.
_VERSION = "SELECT user_version, EXISTS (SELECT 1 FROM sqlite_master) FROM pragma_user_version"


def is_ready(path: Path) -> bool:
    """Whether the file *path*, which is only read, has this package's tables.

    :raises StoreUnusable: It is no database, damaged, or has another schema version.
    """
    version: int = open_database(path).read(_VERSION)[0][0]
    if version not in (0, SCHEMA_VERSION):
        message = (
            f"SQLite file {str(path)!r} has schema version {version:#x}, "
            f"this package reads and writes {SCHEMA_VERSION:#x}"
        )
        raise StoreUnusable(message, *_OTHER_FILE)
    return version == SCHEMA_VERSION


def _create_tables(path: str, connection: Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == SCHEMA_VERSION:  # another process was faster
        return
    taken = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if foreign := sorted(taken & _TABLE_NAMES):
        message = f"SQLite file {path!r} has tables of another program by our names: {foreign}"
        raise StoreUnusable(message, *_OTHER_FILE)
    for statement in _STATEMENTS:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
