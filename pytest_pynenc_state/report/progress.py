"""How far a run of the conformance suite has come, told every few seconds on a terminal."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import pytest

from pytest_pynenc_state.conformance.clause import Level, all_clauses
from pytest_pynenc_state.hookspecs import CLAUSE, told

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter  # typed nowhere else

# Long enough for a run of a few clauses to end without, short enough to see that it goes on.
_PAUSE_S = 5.0


class Progress:
    """Counts the clauses that were checked, level by level.

    :param clause_ids: What will be checked, each as often as it will be; empty if nobody knows.
    :param clock_s: Seconds that only grow.
    """

    def __init__(
        self,
        terminal: TerminalReporter,
        clause_ids: Iterable[str],
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._terminal = terminal
        self._clock_s = clock_s
        self._begun_s = self._told_s = clock_s()
        self._checked: Counter[Level] = Counter()
        # A test of somebody else may have a marker that names no clause.
        self._wanted = Counter(_level(each) for each in clause_ids if each in all_clauses())

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a clause that was checked, and now and then say how many were."""
        if report.when != "teardown" or not (entry := told(report, CLAUSE)):
            return
        self._checked[_level(json.loads(entry)["clause"])] += 1
        now_s = self._clock_s()
        if now_s - self._told_s >= _PAUSE_S:
            self._told_s = now_s
            self._terminal.ensure_newline()
            # It knows nothing of the dots that are written for workers of xdist.
            if self._terminal._width_of_current_line:
                self._terminal.line("")
            self._terminal.write_line(self._line(now_s - self._begun_s))

    def _line(self, elapsed_s: float) -> str:
        counts = [
            f"{level} {self._checked[level]}" + (f" of {wanted}" if wanted else "")
            for level in Level
            if (wanted := self._wanted[level]) or self._checked[level]
        ]
        return f"pynenc conformance: {', '.join(counts)} clauses; {elapsed_s:.0f} s"


def _level(clause_id: str) -> Level:
    return all_clauses()[clause_id].level
