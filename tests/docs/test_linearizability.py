"""The page on linearizability: its tests pass, and it names what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_pynenc_state import MODELS, Recorder, options
from pytest_pynenc_state.conformance.clause import all_clauses
from tests.docs.test_processes import TASKS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "linearizability.md").read_text()

OPERATION = '["p", "k", "set_result", ["x"], "ok", null, 1, 2]\n'


def test_the_tests_on_the_page_pass(pytester: pytest.Pytester) -> None:
    """As they stand there."""
    workers, tests = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    pytester.makepyfile(tasks=TASKS, workers=workers, test_claims=tests)

    result = pytester.runpytest_subprocess("--pynenc-backend=sqlite", timeout=100)

    result.assert_outcomes(passed=tests.count("def test_"))


def test_saved_operations_are_judged_by_the_command_on_the_page(
    pytester: pytest.Pytester,
) -> None:
    """Whoever has the file needs nothing else."""
    (command,) = re.findall(r"```console\n\$ pytest (.*)\n```", PAGE)
    (pytester.path / command.split()[-1]).write_text(OPERATION)

    result = pytester.runpytest_subprocess(*command.split())

    result.assert_outcomes(passed=1)


def test_what_the_page_names_exists() -> None:
    """A reader can type what is written there."""
    named = set(re.findall(r"--pynenc-[a-z-]+", PAGE))
    assert named <= {option.flag for option in options._OPTIONS}
    assert set(re.findall(r"[A-Z]{2}-[A-Z]{3}-\d\d", PAGE)) <= set(all_clauses())


def test_the_page_names_what_there_is() -> None:
    """What a recorder has, and each model with its calls."""
    of_recorder = {name for name in vars(Recorder) if not name.startswith("_")} - {"close"}
    rows = set(re.findall(r"^\| `(\w+)", PAGE, flags=re.MULTILINE))
    assert of_recorder | set(MODELS) == rows
    calls = {call for model in MODELS.values() for call in model.methods}
    assert {call for call in calls if call not in PAGE} == set()
