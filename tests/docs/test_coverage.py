"""The page on coverage: its configuration measures what runs in other processes."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from pytest_pynenc_state.options import RUNNER_KINDS

PAGE = (Path(__file__).parents[2] / "docs" / "coverage.md").read_text()

# Hang guard: measured processes start slowly.
RUN_S = 100.0

TASKS = """
from pynenc import Pynenc

app = Pynenc(config_values={"app_id": "covered"})


@app.task
def double(number: int) -> int:
    twice = 2 * number
    return twice
"""

TEST = """
import pytest
import covered


@pytest.mark.pynenc(app="covered:app")
@pytest.mark.usefixtures("pynenc_runner")
def test_a_task_of_another_process():
    assert covered.double(2).result == 4
"""


@pytest.mark.parametrize("kind", RUNNER_KINDS[1:])
def test_the_configuration_on_the_page_measures_what_workers_run(
    pytester: pytest.Pytester, kind: str
) -> None:
    """By the commands on the page, with each kind of runner in other processes."""
    [configuration] = re.findall(r"```ini\n(.*?)```", PAGE, flags=re.DOTALL)
    (pytester.path / ".coveragerc").write_text(configuration)
    pytester.makepyfile(covered=TASKS, test_covered=TEST)
    coverage = (sys.executable, "-m", "coverage")
    run, *others = re.findall(r"^\$ coverage (.*)$", PAGE, flags=re.MULTILINE)

    test_run = run.replace("process", kind).split()
    tested = pytester.run(*coverage, *test_run, "--pynenc-backend=sqlite", timeout=RUN_S)
    tested.assert_outcomes(passed=1)
    assert others == ["combine", "report"]
    for command in (*others, "json"):
        assert pytester.run(*coverage, command, timeout=RUN_S).ret == 0

    report = json.loads((pytester.path / "coverage.json").read_text())
    assert report["files"]["covered.py"]["missing_lines"] == []
