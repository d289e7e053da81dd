"""`PytestSQLiteTrigger`: pynenc's trigger, which tasks without triggers do not pay for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pynenc.trigger.sqlite_trigger import SQLiteTrigger

from pytest_pynenc_state.backends.sqlite.connection import open_database
from pytest_pynenc_state.backends.upstream import close_upstream_connections

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.identifiers.task_id import TaskId
    from pynenc.trigger.conditions import ConditionContext, TriggerCondition


class PytestSQLiteTrigger(SQLiteTrigger):
    """Pynenc's own trigger on the same file; its connections are closed when they are done.

    Whenever an invocation changes its status, pynenc asks which triggers wait for that, and
    opens a connection to ask: half of what a short task takes. Here the usual answer, none,
    comes over the connection that is open.
    """

    def __init__(self, app: Pynenc) -> None:
        close_upstream_connections()
        super().__init__(app)
        self._database = open_database(self.sqlite_db_path)
        self._any_of_task = (
            f"SELECT 1 FROM {self.tables.SOURCE_TASK_CONDITIONS} WHERE task_id_key = ? LIMIT 1"
        )

    def get_conditions_sourced_from_task(
        self, task_id: TaskId, context_type: type[ConditionContext] | None = None
    ) -> list[TriggerCondition[Any]]:
        """All conditions that wait for a task, or those of one type of context."""
        if not self._database.read(self._any_of_task, (task_id.key,)):
            return []
        return super().get_conditions_sourced_from_task(task_id, context_type)
