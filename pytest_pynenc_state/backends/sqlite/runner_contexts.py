"""The table of runner contexts: who changed a status, and where that runner ran."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pynenc.runner.runner_context import RunnerContext

from pytest_pynenc_state.backends.sqlite.connection import Connection, Database, Row
from pytest_pynenc_state.backends.sqlite.queries import read_in_chunks
from pytest_pynenc_state.backends.sqlite.schema import StateBackendTables

_TABLE = StateBackendTables.RUNNER_CONTEXTS
_PUT = f"INSERT OR REPLACE INTO {_TABLE} VALUES (?, ?, ?)"
_HAS = f"SELECT 1 FROM {_TABLE} WHERE app_id = ? AND runner_id = ?"
_CONTEXTS = f"SELECT context_json FROM {_TABLE} WHERE app_id = ?"
_AMONG = f"{_CONTEXTS} AND runner_id IN ({{}})"
_MATCHING = f"{_CONTEXTS} AND instr(runner_id, ?)"


class RunnerContextTable:
    """The contexts of one app's runners."""

    def __init__(self, database: Database, app_id: str) -> None:
        self._database = database
        self._app_id = app_id

    def put(self, runner_context: RunnerContext) -> None:
        """Store a context in place of the former one of its runner."""
        self._database.write(_PUT, self._row(runner_context))

    def restore(self, connection: Connection, runner_context: RunnerContext) -> None:
        """Store a context, and its parents', of which nothing is stored; as part of a transaction.

        :param runner_context: It was stored before, and may have been purged since.
        """
        if not connection.execute(_HAS, (self._app_id, runner_context.runner_id)).fetchone():
            connection.execute(_PUT, self._row(runner_context))
        if runner_context.parent_ctx:
            self.restore(connection, runner_context.parent_ctx)

    def _row(self, runner_context: RunnerContext) -> tuple[str, str, str]:
        return self._app_id, runner_context.runner_id, runner_context.to_json()

    def has(self, runner_id: str) -> bool:
        """Whether a runner's context is stored."""
        return bool(self._database.read(_HAS, (self._app_id, runner_id)))

    def get(self, runner_ids: Sequence[str]) -> list[RunnerContext]:
        """The stored contexts of *runner_ids*, each once, in no order."""
        return _contexts(read_in_chunks(self._database, _AMONG, [self._app_id], runner_ids))

    def matching(self, partial_id: str) -> list[RunnerContext]:
        """The contexts whose id contains *partial_id* to the letter, in no order."""
        return _contexts(self._database.read(_MATCHING, (self._app_id, partial_id)))


def _contexts(rows: Iterable[Row]) -> list[RunnerContext]:
    return [RunnerContext.from_json(context_json) for (context_json,) in rows]
