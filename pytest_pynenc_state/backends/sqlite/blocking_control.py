"""Who waits for whose result, and which of the awaited could run now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pynenc.invocation.status import InvocationStatus
from pynenc.orchestrator.base_orchestrator import BaseBlockingControl

from pytest_pynenc_state.backends.sqlite.connection import Connection, open_database
from pytest_pynenc_state.backends.sqlite.queries import invocation_ids, marks
from pytest_pynenc_state.backends.sqlite.schema import OrchestratorTables, prepare_file

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.identifiers.invocation_id import InvocationId

_EDGES = OrchestratorTables.BLOCKING_EDGES
_WAIT = f"INSERT OR IGNORE INTO {_EDGES} VALUES (?, ?, ?)"
_RELEASE = (
    f"DELETE FROM {_EDGES} WHERE app_id = ? AND waited_id = ?",
    f"DELETE FROM {_EDGES} WHERE app_id = ? AND waiter_id = ?",
)
_HAS_EDGES = (
    f"SELECT 1 FROM {_EDGES} WHERE app_id = ? AND waited_id = ? "
    f"UNION ALL SELECT 1 FROM {_EDGES} WHERE app_id = ? AND waiter_id = ? LIMIT 1"
)
_BLOCKING = (
    f"SELECT invocation_id FROM {OrchestratorTables.INVOCATIONS} "
    "WHERE app_id = ? AND status IN ({}) "
    f"AND invocation_id IN (SELECT waited_id FROM {_EDGES} WHERE app_id = ?) "
    f"AND invocation_id NOT IN (SELECT waiter_id FROM {_EDGES} WHERE app_id = ?) "
    "ORDER BY seq LIMIT ?"
)


class PytestSQLiteBlockingControl(BaseBlockingControl):
    """The waiting graph of one app, in its orchestrator's file.

    Concurrency: every method is one transaction, atomic against threads and processes.
    """

    def __init__(self, app: Pynenc, sqlite_db_path: str) -> None:
        self.app = app
        self.sqlite_db_path = sqlite_db_path
        self._app_id = app.app_id
        self._init_tables()
        self._database = open_database(sqlite_db_path)

    def _init_tables(self) -> None:
        prepare_file(self.sqlite_db_path)

    def waiting_for_results(
        self, caller_invocation_id: str, result_invocation_ids: list[InvocationId]
    ) -> None:
        """Note that one invocation waits for others; what is noted already stays as it is."""
        edges = [(self._app_id, caller_invocation_id, waited) for waited in result_invocation_ids]
        self._database.write_all(_WAIT, edges)

    def release_waiters(self, waited_invocation_id: str) -> None:
        """Forget a finished invocation: nobody waits for it, and it waits for nobody."""
        keys = (self._app_id, waited_invocation_id)

        def release(connection: Connection) -> None:
            for statement in _RELEASE:
                connection.execute(statement, keys)

        # Most invocations that end were never waited for: do not lock the file for them.
        if self._database.read(_HAS_EDGES, (*keys, *keys)):
            self._database.transaction(release)

    def get_blocking_invocations(self, max_num_invocations: int) -> Iterator[InvocationId]:
        """Return ids that others wait for, that wait for none, and that could run now.

        Oldest registration first, each once, at most *max_num_invocations* (none if that
        is not positive). Ids that were never registered are left out.
        """
        available = [status.value for status in InvocationStatus.get_available_for_run_statuses()]
        rows = self._database.read(
            _BLOCKING.format(marks(len(available))),
            (
                self._app_id,
                *available,
                self._app_id,
                self._app_id,
                max(max_num_invocations, 0),
            ),
        )
        return iter(invocation_ids(rows))
