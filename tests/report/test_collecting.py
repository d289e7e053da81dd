"""What a run has found about a clause that it has checked several times."""

from __future__ import annotations

import itertools
import json
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_pynenc_state.hookspecs import NOT_RUN, UNDECIDED, UNSUPPORTED
from pytest_pynenc_state.options import Options
from pytest_pynenc_state.report.collecting import collected
from pytest_pynenc_state.report.contents import BackendReport, ConformanceReport

CLAUSE_ID = "SB-HIS-01"


def phase(node: str, *, is_mock: bool = False, **fields: Any) -> Any:
    """Report one phase of a test of the clause, as pytest does."""
    entry = {"backend": "mine", "clause": CLAUSE_ID, "level": "basic", "is_mock": is_mock}
    usual = {
        "nodeid": f"test_{node}.py",
        "when": "call",
        "failed": False,
        "skipped": False,
        "longrepr": None,
        "sections": [],
        "user_properties": [("pynenc_clause", json.dumps(entry))],
    }
    return SimpleNamespace(**{**usual, **fields})


def skipped(reason: str) -> dict[str, Any]:
    return {"when": "setup", "skipped": True, "longrepr": ("file", 1, f"Skipped: {reason}: why")}


#: From the worst that may become of a test to what says the least.
OUTCOMES: dict[str, dict[str, Any]] = {
    "violated": {"failed": True, "longrepr": "assert 1 == 2"},
    "known bug": {"skipped": True, "wasxfail": "reason: sorts by status"},
    "preview": {"skipped": True, "wasxfail": "reason: preview: a new clause"},
    "undecided": skipped(UNDECIDED),
    "proved": {},
    "unsupported": skipped(UNSUPPORTED),
    "not run": skipped(NOT_RUN),
}


def report_of(*phases: Any) -> ConformanceReport:
    options = SimpleNamespace(sources={}, timelines="failed", is_default=lambda _: True)
    settings: Options = options  # type: ignore[assignment] - all that is read of them
    return collected(phases, phases, settings)


def backend_of(*phases: Any) -> BackendReport:
    (backend,) = report_of(*phases).backends
    return backend


@pytest.mark.parametrize(("worse", "better"), list(itertools.combinations(OUTCOMES, 2)))
def test_of_several_results_the_worst_that_was_checked_stays(worse: str, better: str) -> None:
    """Whichever came last. What one class leaves out, another one may still prove."""
    phases = phase("worse", **OUTCOMES[worse]), phase("better", **OUTCOMES[better])
    found = [str(backend_of(*order).results[CLAUSE_ID].finding) for order in (phases, phases[::-1])]
    assert found == [worse, worse]


def test_a_backend_that_is_a_mock_once_is_one() -> None:
    """The sentence about it holds for all that was checked."""
    phases = phase("mock", is_mock=True), phase("real")
    assert [backend_of(*order).is_mock for order in (phases, phases[::-1])] == [True, True]
