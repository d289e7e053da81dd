"""Pynenc's trigger on our file: its forks, its errors, its transactions and its purge."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from pynenc.trigger.conditions import CronCondition
from pynenc.trigger.sqlite_trigger import Tables

from pytest_pynenc_state.backends.sqlite.connection import open_database
from pytest_pynenc_state.backends.sqlite.lending import Block
from pytest_pynenc_state.conformance.together import HANG_GUARD_S, in_threads
from pytest_pynenc_state.errors import BackendError, BackendTimeout, StoreUnusable
from tests.backends.sqlite import forking, workers

if TYPE_CHECKING:
    from pytest_pynenc_state.backends.sqlite.trigger import PytestSQLiteTrigger

InProcess = Callable[..., Any]
Started = Callable[..., tuple[Any, Any]]

CRON = CronCondition("1 1 1 1 1")
FIRST, SECOND = (datetime(2024, 1, 1, hour, tzinfo=UTC) for hour in (1, 2))


def _trigger(path: Path, app_id: str = "app") -> PytestSQLiteTrigger:
    app = workers.build_app(path, app_id, trigger_cls="PytestSQLiteTrigger", sqlite_timeout_s=0.2)
    return app.trigger


@pytest.fixture
def trigger(path: Path) -> PytestSQLiteTrigger:
    """A trigger on a file of its own, which one cron expression is registered with."""
    found = _trigger(path)
    found.register_condition(CRON)
    return found


def _crons(trigger: PytestSQLiteTrigger) -> list[str]:
    return [each.cron_expression for each in trigger._get_all_conditions()]


def test_a_fork_amid_threads_that_use_triggers_does_not_hang_the_child(
    path: Path, in_process: InProcess
) -> None:
    """No child inherits a lock that a thread of its parent held inside SQLite."""
    statuses, claimed = in_process(forking.fork_while_threads_use_triggers, path)
    assert (statuses, claimed) == ([0] * forking.FORKS, forking.FORKS)


WRITES: dict[str, Callable[[PytestSQLiteTrigger], object]] = {
    "register": lambda trigger: trigger.register_condition(CronCondition("2 2 2 2 2")),
    "claim": lambda trigger: trigger.claim_trigger_run("run"),
    "purge": lambda trigger: trigger.purge(),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_lock_of_another_process_ends_in_a_timeout(
    trigger: PytestSQLiteTrigger,
    path: Path,
    started: Started,
    write: Callable[[PytestSQLiteTrigger], object],
) -> None:
    """After the configured time the writer is told; readers are not disturbed."""
    _, pipe = started(workers.hold_write_lock, path)
    assert pipe.recv() == "locked"
    began_s = time.monotonic()
    with pytest.raises(BackendTimeout, match=r"0\.2 s") as caught:
        write(trigger)
    waited_s = time.monotonic() - began_s
    assert (str(path) in caught.value.message, _crons(trigger)) == (True, ["1 1 1 1 1"])
    assert 0.2 <= waited_s < HANG_GUARD_S


def test_the_timeout_holds_for_a_file_that_is_not_prepared_yet(
    path: Path, started: Started
) -> None:
    """A trigger may be the first that uses a file."""
    _, pipe = started(workers.hold_write_lock, path)
    assert pipe.recv() == "locked"
    with pytest.raises(BackendTimeout, match=r"0\.2 s"):
        _trigger(path)


def test_a_file_that_is_no_database_is_told_and_left_alone(path: Path) -> None:
    """Also if a trigger is the first that uses it."""
    path.write_text("not a database, but the only copy of something\n" * 100)
    before = path.read_bytes()
    with pytest.raises(StoreUnusable, match="no SQLite database") as caught:
        _trigger(path)
    assert (str(path) in caught.value.message, path.read_bytes()) == (True, before)


def test_a_directory_is_refused_by_name(tmp_path: Path) -> None:
    """Also if a trigger is the first that uses it."""
    with pytest.raises(StoreUnusable, match="is a directory") as caught:
        _trigger(tmp_path)
    assert str(tmp_path) in caught.value.message


def test_a_deleted_file_is_told_and_not_made_again(
    trigger: PytestSQLiteTrigger, path: Path
) -> None:
    """Nobody goes on in a fresh empty file as if no trigger had ever been."""
    open_database(path).close()
    for each in path.parent.glob("store.db*"):
        each.unlink()
    for use in (_crons, *WRITES.values()):
        with pytest.raises(StoreUnusable, match="missing"):
            use(trigger)
    assert not path.exists()


def test_a_method_that_fails_leaves_nothing_written(trigger: PytestSQLiteTrigger) -> None:
    """What it wrote before it failed is rolled back."""
    definition = SimpleNamespace(
        trigger_id="trigger",
        task_id=SimpleNamespace(key="task"),
        logic=SimpleNamespace(value="and"),
        argument_provider_json=None,
        condition_ids=["condition", object()],
    )
    with pytest.raises(BackendError, match=r"store\.db"):
        trigger.register_trigger(definition)
    assert trigger._get_triggers(["trigger"]) == []


CLAIMS: dict[str, Callable[[PytestSQLiteTrigger], bool]] = {
    "run": lambda trigger: trigger.claim_trigger_run("run"),
    "execution": lambda trigger: trigger.claim_trigger_execution("trigger", "condition"),
    "cron": lambda trigger: trigger.store_last_cron_execution(CRON.condition_id, SECOND, FIRST),
}


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_whoever_claims_keeps_others_from_claiming_what_is_free(
    trigger: PytestSQLiteTrigger,
    monkeypatch: pytest.MonkeyPatch,
    claim: Callable[[PytestSQLiteTrigger], bool],
) -> None:
    """From the look at who has it on: another one who looks then would find it free, too."""
    trigger.store_last_cron_execution(CRON.condition_id, FIRST)
    execute, outcomes = Block.execute, []

    def execute_amid_rivals(block: Block, sql: str, *parameters: Any) -> Any:
        found = execute(block, sql, *parameters)
        monkeypatch.setattr(Block, "execute", execute)
        outcomes.extend(in_threads([lambda: _outcome(claim, trigger)]))
        return found

    monkeypatch.setattr(Block, "execute", execute_amid_rivals)
    outcomes.append(_outcome(claim, trigger))
    assert outcomes == [BackendTimeout, True]


def _outcome(
    claim: Callable[[PytestSQLiteTrigger], bool], trigger: PytestSQLiteTrigger
) -> bool | type[BackendTimeout]:
    try:
        return claim(trigger)
    except BackendTimeout:
        return BackendTimeout


def test_conditions_become_text_while_the_file_is_free(
    trigger: PytestSQLiteTrigger, path: Path
) -> None:
    """Their arguments may go to a store of their own meanwhile, whoever's it is."""
    others, numbers = _trigger(path, "other"), itertools.count()

    def to_json(_: object) -> str:
        in_threads([lambda: others.claim_trigger_run(str(next(numbers)))])
        return "{}"

    conditions = [
        SimpleNamespace(valid_condition_id=number, to_json=to_json) for number in ("1", "2")
    ]
    trigger.record_valid_conditions(conditions)
    assert _rows_of_triggers(path)[trigger.tables.VALID_CONDITIONS] == [("1", "{}"), ("2", "{}")]


def test_a_purge_leaves_the_triggers_of_an_app_that_looks_alike(
    trigger: PytestSQLiteTrigger, path: Path
) -> None:
    """All names of its tables begin with what those of the purged app begin with."""
    like = _trigger(path, Tables("app").table_prefix.replace("_", "-") + "x")
    like.register_condition(CronCondition("3 3 3 3 3"))
    trigger.purge()
    assert (_crons(trigger), _crons(like)) == ([], ["3 3 3 3 3"])


def test_a_purged_file_is_as_it_was_when_it_was_new(
    trigger: PytestSQLiteTrigger, path: Path, tmp_path: Path
) -> None:
    """Pynenc's version of its tables too, where it has one."""
    new = tmp_path / "new.db"
    _trigger(new)
    trigger.purge()
    assert _rows_of_triggers(path) == _rows_of_triggers(new)
    open_database(new).close()


def _rows_of_triggers(path: Path) -> dict[str, list[Any]]:
    database = open_database(path)
    names = database.read(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%trg%'"
    )
    read_all = "SELECT * FROM {}"
    return {name: database.read(read_all.format(name)) for (name,) in names}
