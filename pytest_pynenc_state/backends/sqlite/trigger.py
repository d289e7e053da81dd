"""`PytestSQLiteTrigger`: pynenc's trigger, on the connections of everything else here."""

from __future__ import annotations

from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from pynenc.trigger.sqlite_trigger import SQLiteTrigger

from pytest_pynenc_state.backends.sqlite.config import ConfigPytestTriggerSQLite, opened_database
from pytest_pynenc_state.backends.sqlite.lending import Block, LentFile, lend_connections

if TYPE_CHECKING:
    from datetime import datetime

    from pynenc.app import Pynenc
    from pynenc.trigger.conditions import ValidCondition


class PytestSQLiteTrigger(SQLiteTrigger):
    """Pynenc's own trigger in the same file, in tables of its own for each app.

    What it writes is one transaction for each method: atomic against threads and processes, and
    visible to all of them on return. Methods raise `BackendError` if the file fails.
    """

    @cached_property
    def conf(self) -> ConfigPytestTriggerSQLite:
        """The configuration: pynenc's fields, the file and its timeout."""
        return ConfigPytestTriggerSQLite(
            config_values=self.app.config_values, config_filepath=self.app.config_filepath
        )

    def _init_tables(self) -> None:
        # The first of pynenc's methods that opens the file, whose path it has just set.
        self._database = opened_database(self.conf)
        self.sqlite_db_path = LentFile(self._database)
        lend_connections()
        super()._init_tables()

    def record_valid_conditions(self, valid_conditions: list[ValidCondition]) -> None:
        """Note conditions that have come true, all or none."""
        # Large arguments go to a store of their own on the way, which may be another file:
        # before this one is locked, and not between two rows.
        super().record_valid_conditions([_as_text(each, self.app) for each in valid_conditions])

    # Pynenc's own three read, decide, and write: two who have read the same would both be told that
    # it is theirs. So nobody else writes from the reading on.

    def claim_trigger_execution(
        self, trigger_id: str, valid_condition_id: str, expiration_seconds: int = 60
    ) -> bool:
        """Whether a trigger is ours to run for a condition: nobody else's claim holds."""
        with self._locked():
            return super().claim_trigger_execution(
                trigger_id, valid_condition_id, expiration_seconds
            )

    def claim_trigger_run(self, trigger_run_id: str, expiration_seconds: int = 60) -> bool:
        """Whether a run of a trigger is ours: nobody else's claim holds."""
        with self._locked():
            return super().claim_trigger_run(trigger_run_id, expiration_seconds)

    def store_last_cron_execution(
        self,
        condition_id: str,
        execution_time: datetime,
        expected_last_execution: datetime | None = None,
    ) -> bool:
        """Note when a cron condition ran, unless it last did at another time than expected."""
        with self._locked():
            return super().store_last_cron_execution(
                condition_id, execution_time, expected_last_execution
            )

    def _locked(self) -> Block:
        block = Block(self._database)
        block.begin()
        return block

    def _purge(self) -> None:
        # Not what begins with the names' common beginning: another app's may begin with it, too.
        names = {name for attribute, name in vars(self.tables).items() if attribute.isupper()}
        with Block(self._database) as block:
            tables = block.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for (name,) in tables.fetchall():
                if name in names:
                    block.execute(f"DELETE FROM {name}")
            super()._init_tables()


def _as_text(condition: ValidCondition, app: Pynenc) -> ValidCondition:
    """What can be stored of *condition*, which is made a text of here and now."""
    text = condition.to_json(app)
    stored = SimpleNamespace(
        valid_condition_id=condition.valid_condition_id, to_json=lambda _: text
    )
    return cast("ValidCondition", stored)
