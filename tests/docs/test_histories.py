"""The page on status histories: its tests pass, and fail as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "histories.md").read_text()

SECONDS = r"\d[.]\d{3}"

TASKS = """
import itertools
from pynenc import Pynenc

app = Pynenc(config_values={"app_id": "docs"})
attempts = itertools.count()

@app.task
def add_up(first: int, second: int) -> int:
    return first + second

@app.task
def ask(times: int) -> int:
    return sum(add_up(number, 1).result for number in range(times))

@app.task(retry_for=(ConnectionError,), max_retries=3)
def flaky(failures: int) -> str:
    if next(attempts) % (failures + 1) < failures:
        raise ConnectionError
    return "at last"
"""

WRONG = """
import pytest
from tasks import app, flaky
from pytest_pynenc_state import path

@pytest.mark.pynenc(app=app)
def test_wrong(pynenc_history, pynenc_runner):
    invocation = flaky(2)
    assert invocation.result
    assert pynenc_history(invocation) == path("registered", ..., "running", "success", "failed")
"""


def code_blocks() -> str:
    return "\n".join(re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL))


def test_the_tests_on_the_page_pass(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(tasks=TASKS, test_history=code_blocks())

    result = pytester.runpytest_subprocess("--pynenc-backend=memory,sqlite")

    count = code_blocks().count("def test_")
    result.assert_outcomes(passed=2 * count)


def test_a_failure_looks_as_on_the_page(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(tasks=TASKS, test_wrong=WRONG)

    result = pytester.runpytest_subprocess("--pynenc-backend=sqlite")

    shown = [line[1:].strip() for line in PAGE.splitlines() if line.startswith("E  ")]
    assert len(shown) > 1
    result.stdout.fnmatch_lines([f"E *{re.sub(SECONDS, '*', line)}" for line in shown])
