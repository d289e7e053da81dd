"""Finding the orchestrator's invocations: by task, call, arguments and status."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pynenc.identifiers.invocation_id import InvocationId
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.backends.orchestrator_tables import Search
from pytest_pynenc_state.backends.sqlite.connection import Connection, Database
from pytest_pynenc_state.backends.sqlite.queries import chunks, invocation_ids, marks
from pytest_pynenc_state.backends.sqlite.schema import OrchestratorTables

_TABLE = OrchestratorTables.INVOCATIONS
_ARGS = OrchestratorTables.INVOCATION_ARGS

_INDEX_ARGUMENT = f"INSERT OR REPLACE INTO {_ARGS} VALUES (?, ?, ?, ?)"
# Parameters are pairs here, so half as many fit into one statement.
_PAIRS = 400


class SearchTables(Search):
    """The invocations of one app, and the arguments indexed for concurrency control."""

    def __init__(self, database: Database, app_id: str) -> None:
        self._database = database
        self._app_id = app_id

    def index_arguments(self, invocation_id: str, arguments: Mapping[str, str]) -> None:
        """Make an invocation findable by its serialized arguments; a repeat is harmless."""
        rows = [(self._app_id, invocation_id, key, value) for key, value in arguments.items()]
        self._database.write_all(_INDEX_ARGUMENT, rows)

    def existing(
        self,
        task_key: str,
        arguments: Mapping[str, str] | None,
        statuses: Collection[InvocationStatus] | None,
    ) -> list[InvocationId]:
        """The ids of a task's invocations with all of these arguments, oldest first."""
        where, parameters = self._where(task_key, statuses)
        sql = f"SELECT invocation_id FROM {_TABLE} WHERE {where} ORDER BY seq"

        def matching(connection: Connection) -> list[InvocationId]:
            found = invocation_ids(connection.execute(sql, parameters))
            if not arguments or not found:
                return found
            holders = self._holders(connection, arguments)
            return [invocation_id for invocation_id in found if invocation_id in holders]

        return self._database.snapshot(matching)

    def _holders(self, connection: Connection, arguments: Mapping[str, str]) -> set[InvocationId]:
        holders: set[InvocationId] | None = None
        for keys in chunks(list(arguments), _PAIRS):
            pairs = ",".join(["(?, ?)"] * len(keys))
            # A cross join keeps its order: one look into the index per pair. Asked for
            # pairs IN a list, SQLite reads all arguments of the app.
            sql = (
                f"WITH wanted (arg_key, arg_value) AS (VALUES {pairs}) "
                f"SELECT invocation_id FROM wanted CROSS JOIN {_ARGS} AS argument "
                "ON argument.app_id = ? AND argument.arg_key = wanted.arg_key "
                "AND argument.arg_value = wanted.arg_value "
                "GROUP BY invocation_id HAVING count(*) = ?"
            )
            flat = [part for key in keys for part in (key, arguments[key])]
            rows = connection.execute(sql, [*flat, self._app_id, len(keys)])
            found = set(invocation_ids(rows))
            holders = found if holders is None else holders & found
        return holders or set()

    def _ids_by(self, field: str, value: str) -> list[InvocationId]:
        rows = self._database.read(
            f"SELECT invocation_id FROM {_TABLE} WHERE app_id = ? AND {field} = ? ORDER BY seq",
            (self._app_id, value),
        )
        return invocation_ids(rows)

    def page(
        self,
        task_key: str | None,
        statuses: Collection[InvocationStatus] | None,
        limit: int,
        offset: int,
    ) -> list[InvocationId]:
        """One page of the ids, newest registration first."""
        where, parameters = self._where(task_key, statuses)
        # A few that are unfinished are found and sorted sooner than looked for among all, by age.
        order = "+seq" if _are_unfinished(statuses) else "seq"
        rows = self._database.read(
            f"SELECT invocation_id FROM {_TABLE} WHERE {where} "
            f"ORDER BY {order} DESC LIMIT ? OFFSET ?",
            [*parameters, max(limit, 0), max(offset, 0)],
        )
        return invocation_ids(rows)

    def count(self, task_key: str | None, statuses: Collection[InvocationStatus] | None) -> int:
        """How many invocations all pages have together."""
        where, parameters = self._where(task_key, statuses)
        sql = f"SELECT count(*) FROM {_TABLE} WHERE {where}"
        return int(self._database.read(sql, parameters)[0][0])

    def _where(
        self, task_key: str | None, statuses: Collection[InvocationStatus] | None
    ) -> tuple[str, Sequence[str | int]]:
        conditions, parameters = ["app_id = ?"], [self._app_id]
        if task_key is not None:
            conditions.append("task_id_key = ?")
            parameters.append(task_key)
        if statuses:
            conditions.append(f"status IN ({marks(len(statuses))})")
            parameters += [status.value for status in statuses]
        if _are_unfinished(statuses):
            conditions.append("unfinished = 1")  # for the index that has these alone
        return " AND ".join(conditions), parameters


def _are_unfinished(statuses: Collection[InvocationStatus] | None) -> bool:
    return bool(statuses) and not any(status.is_final() for status in statuses or ())
