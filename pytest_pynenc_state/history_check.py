"""What becomes of the histories of a test: judged when it ends, shown when it fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pytest_pynenc_state.history.checking import judge
from pytest_pynenc_state.history.collecting import collect_facts
from pytest_pynenc_state.history.picture import Picture, picture
from pytest_pynenc_state.history.records import History
from pytest_pynenc_state.history.report import Report
from pytest_pynenc_state.history.stored import HistoryStore, StoredInvocation
from pytest_pynenc_state.history.summary import summary
from pytest_pynenc_state.session import TestRecord
from pytest_pynenc_state.waiting import wait_until

if TYPE_CHECKING:
    from pynenc.app import Pynenc

# Whoever was to write a record has been stopped by now, or is this process: a record that does
# not come within this time does not come.
_SETTLE_S = 2.0

_REMEDIES = """
- mark a test that breaks a rule on purpose with @pytest.mark.pynenc_no_history_check
- or switch this check off with --pynenc-check-history off"""


class TestHistories:
    """The histories of one test's app.

    :param settle_s: How long they may take to settle, in seconds.
    :param record: Knows since when runners were being stopped, if they were.
    """

    __test__ = False

    def __init__(self, app: Pynenc, settle_s: float, record: TestRecord) -> None:
        self._app = app
        self._record = record
        self._settle_s = settle_s
        self._last_shown: str | None = None
        self._last: tuple[Report, list[History]] | None = None

    @property
    def is_untouched(self) -> bool:
        """Whether this process has not even opened the store, so that there is no history."""
        return self._app._orchestrator is None and self._app._state_backend is None

    def check(self) -> Report:
        """Judge the histories as they are now, and remember them for `shown`."""
        collected = collect_facts(self._app, self._settle_s)
        facts = replace(collected, stopped_at=self._record.stopped_at)
        report = judge(self._app.app_id, facts)
        broken = frozenset(
            each.witness.history.invocation_id for each in report.violations if each.witness
        )
        page = summary(facts.invocations, broken)
        self._last_shown = "\n\n".join(
            filter(None, [str(report) if report.violations else "", page])
        )
        self._last = report, [each.history for each in facts.invocations]
        return report

    def drawn(self) -> Picture | None:
        """What is to be drawn of them; they are read now, unless they have been judged."""
        self.shown()
        return picture(*self._last) if self._last else None

    def shown(self) -> str:
        """What to show of them if the test fails; read now, unless they have been judged."""
        if self._last_shown is None and not self.is_untouched:
            try:
                self.check()
            except Exception as error:  # noqa: BLE001 - the failure of the test is what matters
                self._last_shown = f"the histories cannot be read: {error!r}"
        return self._last_shown or ""


def wait_for_last_records(app: Pynenc) -> datetime:
    """Return once each invocation that has ended has its last record; or after two seconds.

    pynenc moves a status, then lets go who waits for the result, and writes the record last. To
    end a worker in between would take the record away.

    :returns: When the store was read last: nobody knows of what was moved since.
    """
    store = HistoryStore(app)
    read_at = datetime.now(UTC)

    def is_recorded(stored: StoredInvocation) -> bool:
        status = stored.status_record
        return status is None or not status.status.is_final() or stored.is_settled

    def are_recorded() -> bool:
        nonlocal read_at
        read_at = datetime.now(UTC)
        return all(map(is_recorded, store.read_all()))

    # What cannot be read is told when the histories are judged.
    with suppress(Exception):
        wait_until(are_recorded, _SETTLE_S)
    return read_at


@contextmanager
def judged_histories(
    app: Pynenc, record: TestRecord, *, timeout_s: float, is_checked: bool, is_drawn: bool
) -> Iterator[None]:
    """Afterwards fail the test if a history of *app* breaks a rule, and has not failed already.

    :param is_checked: Whether the rules are asked; if the test fails, the histories are shown
        in any case.
    :param is_drawn: Whether they are read in any case, to be drawn once the store is gone.
    """
    histories = TestHistories(app, min(timeout_s, _SETTLE_S), record)
    record.histories = histories.shown
    record.picture = histories.drawn
    yield
    if record.failed or not is_checked or histories.is_untouched:
        if is_drawn:
            histories.shown()
        return
    report = histories.check()
    if report.violations:
        pytest.fail(f"{report}\n{_REMEDIES}", pytrace=False)
