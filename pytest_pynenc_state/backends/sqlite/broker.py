"""`PytestSQLiteBroker`: the queues of invocations that are to be run, in the same file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from pynenc.broker.base_broker import BaseBroker
from pynenc.identifiers.invocation_id import InvocationId

from pytest_pynenc_state import compat
from pytest_pynenc_state.backends.sqlite.config import ConfigPytestBrokerSQLite, opened_database
from pytest_pynenc_state.backends.sqlite.connection import Connection, text
from pytest_pynenc_state.backends.sqlite.queries import marks, purge_tables
from pytest_pynenc_state.backends.sqlite.schema import BrokerTables

if TYPE_CHECKING:
    from pynenc.app import Pynenc

_TABLE = BrokerTables.QUEUE
_ROUTE = f"INSERT INTO {_TABLE} (app_id, queue_name, priority, invocation_id) VALUES (?, ?, ?, ?)"
_NEXT = (
    f"SELECT seq, invocation_id FROM {_TABLE} WHERE app_id = ? AND queue_name = ? "
    "ORDER BY priority DESC, seq LIMIT 1"
)
_TAKE = f"DELETE FROM {_TABLE} WHERE seq = ?"
_COUNT = f"SELECT count(*) FROM {_TABLE} WHERE app_id = ? AND queue_name IN ({{}})"

# What a pynenc without queues has instead of them.
_ONLY_QUEUE = "default"
_ONLY_PRIORITY = 0.0


class PytestSQLiteBroker(BaseBroker):
    """Queues in which the highest priority comes first, and among equals who came first.

    Every method is one transaction: atomic against threads and processes, and visible to
    all of them on return; an invocation is given to one of those who ask. Asking an empty
    queue waits for nobody. Methods raise `BackendError` if the file fails.
    """

    def __init__(self, app: Pynenc) -> None:
        super().__init__(app)
        self._app_id = app.app_id
        self._database = opened_database(self.conf)

    @cached_property
    def conf(self) -> ConfigPytestBrokerSQLite:
        """The configuration: pynenc's fields, the file and its timeout."""
        return ConfigPytestBrokerSQLite(
            config_values=self.app.config_values, config_filepath=self.app.config_filepath
        )

    if not compat.HAS_QUEUES:

        def route_invocation(self, invocation_id: InvocationId) -> None:  # type: ignore[override]
            """Add an invocation at the end."""
            self._route_invocations([invocation_id], _ONLY_QUEUE, _ONLY_PRIORITY)

        def route_invocations(self, invocation_ids: Sequence[InvocationId]) -> None:  # type: ignore[override]
            """Add invocations at the end, in their order, all or none."""
            self._route_invocations(invocation_ids, _ONLY_QUEUE, _ONLY_PRIORITY)

    def _route_invocation(
        self, invocation_id: InvocationId, queue_name: str, priority: float
    ) -> None:
        self._route_invocations([invocation_id], queue_name, priority)

    def _route_invocations(
        self, invocation_ids: Sequence[InvocationId], queue_name: str, priority: float
    ) -> None:
        rows = [(self._app_id, queue_name, priority, each) for each in invocation_ids]
        self._database.write_all(_ROUTE, rows)

    def retrieve_invocation(self, queue_name: str | None = None) -> InvocationId | None:
        """Take the next invocation out of a queue; None if it is empty.

        :param queue_name: By default the first that is configured.
        """
        (queue,) = self._checked(None if queue_name is None else (queue_name,))[:1]
        where = (self._app_id, queue)

        def take(connection: Connection) -> InvocationId | None:
            row = connection.execute(_NEXT, where).fetchone()
            if row is None:
                return None
            connection.execute(_TAKE, row[:1])
            return InvocationId(text(row[1]))

        # Who only looks into an empty queue need not lock the file.
        return self._database.transaction(take) if self._database.read(_NEXT, where) else None

    def count_invocations(self, queue_names: Sequence[str] | None = None) -> int:
        """How many invocations wait in queues, all that are configured unless named."""
        queues = self._checked(queue_names)
        rows = self._database.read(_COUNT.format(marks(len(queues))), (self._app_id, *queues))
        count: int = rows[0][0]
        return count

    def purge(self) -> None:
        """Remove what waits in any queue of this app."""
        purge_tables(self._database, self._app_id, [_TABLE])

    def _checked(self, queue_names: Sequence[str] | None) -> Sequence[str]:
        """The queues that are meant, which pynenc's configuration allows."""
        if not compat.HAS_QUEUES:
            return (_ONLY_QUEUE,)
        queues: Sequence[str] = self.conf.queues if queue_names is None else queue_names
        self._validate_queue_names(queues)
        return queues
