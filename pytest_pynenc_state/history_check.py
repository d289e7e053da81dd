"""What becomes of the histories of a test: judged when it ends, shown when it fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_pynenc_state.history.checking import judge
from pytest_pynenc_state.history.collecting import collect_facts
from pytest_pynenc_state.history.picture import Picture, picture
from pytest_pynenc_state.history.reading import LAST_RECORDS_S
from pytest_pynenc_state.history.records import History
from pytest_pynenc_state.history.report import Report
from pytest_pynenc_state.history.summary import summary
from pytest_pynenc_state.session import TestRecord

if TYPE_CHECKING:
    from pynenc.app import Pynenc

_REMEDIES = """
- mark a test that breaks a rule on purpose with @pytest.mark.pynenc_no_history_check
- or switch this check off with --pynenc-check-history off"""


class TestHistories:
    """The histories of one test's app.

    :param settle_s: How long they may take to settle, in seconds.
    :param record: Knows since when runners may have been cut off, if they were.
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
        facts = replace(collected, cut_off_since=self._record.cut_off_since)
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


@contextmanager
def judged_histories(
    app: Pynenc, record: TestRecord, *, timeout_s: float, is_checked: bool, is_drawn: bool
) -> Iterator[None]:
    """Afterwards fail the test if a history of *app* breaks a rule, and has not failed already.

    :param is_checked: Whether the rules are asked; if the test fails, the histories are shown
        in any case.
    :param is_drawn: Whether they are read in any case, to be drawn once the store is gone.
    """
    histories = TestHistories(app, min(timeout_s, LAST_RECORDS_S), record)
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
