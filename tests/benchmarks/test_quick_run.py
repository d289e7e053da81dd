"""The benchmarks, on stores so small that they take seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.counting import compared
from benchmarks.result import Target, target_table

ROOT = Path(__file__).parents[2]

GROUPS = ("operations", "contention", "growth", "life", "races", "runs")

# Hang guard: it takes a tenth of it.
_TIMEOUT_S = 300


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a run of those groups that need no further run of pytest has written."""
    file = tmp_path_factory.mktemp("benchmarks") / "report.json"
    command = [sys.executable, "-m", "benchmarks", *GROUPS, "--quick", "--json", str(file)]
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, timeout=_TIMEOUT_S, check=True)
    found: dict[str, Any] = json.loads(file.read_text())
    return found


@pytest.mark.timeout(_TIMEOUT_S)
def test_each_group_has_tables_of_which_each_row_is_complete(report: dict[str, Any]) -> None:
    """A cell for each column."""
    assert set(report["tables"]) == set(GROUPS)
    for tables in report["tables"].values():
        for table in tables:
            assert table["rows"] != []
            assert {len(row) for row in table["rows"]} == {len(table["columns"])}


def test_each_operation_was_timed_of_all(report: dict[str, Any]) -> None:
    """And took some time."""
    operations = report["data"]["operations"]

    assert len(operations) == 11
    for series in operations.values():
        assert set(series) == {"sqlite", "plain", "pynenc-sqlite", "memory", "pynenc-memory"}
        assert all(each["median_us"] > 0 for each in series.values())


def test_all_kinds_of_runners_ran_tasks(report: dict[str, Any]) -> None:
    """What is no store for several processes has run them in threads only."""
    runs = report["data"]["runs"]

    shared = {"sqlite", "pynenc-sqlite"}
    assert {kind: set(series) for kind, series in runs.items()} == {
        "thread": {*shared, "memory"},
        "multi-thread": shared,
        "process": shared,
        "persistent-process": shared,
    }


def test_targets_say_what_was_wanted_and_measured(report: dict[str, Any]) -> None:
    """Of single operations, contention, history, set-up, races and runs."""
    targets = [Target(**each) for each in report["targets"]]

    assert len(targets) == 11
    assert len(target_table(targets).text().splitlines()) == 15
    assert all(each.wanted and each.measured for each in targets)


COUNTS = {"sqlite": {"upsert": {"calls": 30.0, "statements": 1.0}}}


@pytest.mark.parametrize(
    ("calls", "statements", "differences"),
    [
        (30.0, 1.0, []),
        (31.0, 1.0, []),
        (32.0, 1.0, ["sqlite, upsert: calls 30 -> 32"]),
        (20.0, 1.0, ["sqlite, upsert: calls 30 -> 20"]),
        (30.0, 2.0, ["sqlite, upsert: statements 1 -> 2"]),
    ],
)
def test_counts_that_are_no_longer_as_stored_are_told(
    calls: float, statements: float, differences: list[str]
) -> None:
    """More than one in twenty, in either direction."""
    found = {"sqlite": {"upsert": {"calls": calls, "statements": statements}}}

    assert compared(COUNTS, found) == differences
