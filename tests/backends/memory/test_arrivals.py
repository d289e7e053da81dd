"""Writing to memory waits for nobody, and what was written is read once, and in order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from pynenc.invocation.status import InvocationStatus, InvocationStatusRecord

from pytest_pynenc_state.backends.memory.history import HistoryLog
from pytest_pynenc_state.conformance.making import at, new_context, new_pair
from pytest_pynenc_state.conformance.together import eager_switching, in_threads

if TYPE_CHECKING:
    from pynenc.app import Pynenc

    from pytest_pynenc_state.backends.memory.history import HistoryRow
    from pytest_pynenc_state.backends.memory.state_backend import PytestMemStateBackend

pytestmark = pytest.mark.pynenc_backends("memory")

WRITERS, WRITES = 3, 300
RECORD = InvocationStatusRecord(InvocationStatus.RUNNING, "runner")


class _Interrupted(HistoryLog):
    """The first row that is filed is filed, and then comes an interrupt."""

    is_interrupted = False

    def _file(self, row: HistoryRow) -> None:
        super()._file(row)
        if not self.is_interrupted:
            self.is_interrupted = True
            raise KeyboardInterrupt


@pytest.fixture
def locked(pynenc_state_backend: PytestMemStateBackend) -> Iterator[PytestMemStateBackend]:
    """A state backend whose lock another thread holds."""
    is_held, may_go = threading.Event(), threading.Event()

    def hold() -> None:
        with pynenc_state_backend._lock:
            is_held.set()
            may_go.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    is_held.wait()
    yield pynenc_state_backend
    may_go.set()
    holder.join()


def test_writing_waits_for_no_lock(pynenc_app: Pynenc, locked: PytestMemStateBackend) -> None:
    """Whoever looks through many invocations for long keeps nobody from writing."""
    locked._runner_contexts["runner"] = runner_context = new_context("runner")
    locked._upsert_invocations([new_pair(pynenc_app)])
    locked.add_history("invocation", RECORD, runner_context)
    locked.purge()


def test_readers_find_each_record_of_each_writer_once_and_in_order(
    pynenc_state_backend: PytestMemStateBackend,
) -> None:
    """Each writer reads what it has just written, while others write and read as well."""
    runner_context, started = new_context(), datetime.now(UTC)

    def write(invocation_id: str) -> list[int]:
        found = []
        for _ in range(WRITES):
            pynenc_state_backend.add_history(invocation_id, RECORD, runner_context)
            found.append(len(pynenc_state_backend.get_history(invocation_id)))
        return found

    with eager_switching():
        found = in_threads([partial(write, f"invocation {number}") for number in range(WRITERS)])
    assert found == [list(range(1, WRITES + 1))] * WRITERS
    (batch,) = pynenc_state_backend.iter_history_in_timerange(
        started, datetime.now(UTC), batch_size=WRITERS * WRITES + 1
    )
    assert len(batch) == WRITERS * WRITES


def test_an_interrupt_repeats_nothing() -> None:
    """What was filed before a test was interrupted is not filed again by the next reader."""
    log = _Interrupted(threading.RLock())
    rows: list[HistoryRow] = [("invocation", at(each), RECORD, "runner", None) for each in (0, 1)]
    log.arrived.extend(rows)
    with pytest.raises(KeyboardInterrupt):
        log.file_arrived()
    log.file_arrived()
    assert log.rows_of["invocation"] == log.between(at(0), at(1)) == rows


def test_a_history_that_is_being_read_stays_in_order() -> None:
    """A row of an earlier time goes into another list, and does not move rows under a reader."""
    log = HistoryLog(threading.RLock())
    rows: list[HistoryRow] = [("invocation", at(each), RECORD, "runner", None) for each in (0, 2)]
    log.arrived.extend(rows)
    log.file_arrived()
    reader: Iterator[Any] = iter(log.rows_of["invocation"])
    read = [next(reader)]
    log.arrived.append(("invocation", at(1), RECORD, "runner", None))
    log.file_arrived()
    assert [*read, *reader] == rows
    assert [row[1] for row in log.rows_of["invocation"]] == [at(0), at(1), at(2)]
