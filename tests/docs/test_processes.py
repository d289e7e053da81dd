"""The page on children and races: its tests pass, and it names what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_pynenc_state import options
from pytest_pynenc_state.processes.child import Child
from pytest_pynenc_state.processes.race import Outcome, Race

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "processes.md").read_text()

TASKS = """
from pynenc import Pynenc

app = Pynenc(config_values={"app_id": "docs"})

@app.task
def add_up(first: int, second: int) -> int:
    return first + second
"""


def code_blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


def test_the_tests_on_the_page_pass(pytester: pytest.Pytester) -> None:
    """As they stand there."""
    workers, *tests = code_blocks()
    pytester.makepyfile(tasks=TASKS, workers=workers, test_processes="\n".join(tests))

    result = pytester.runpytest_subprocess("--pynenc-backend=sqlite", timeout=100)

    result.assert_outcomes(passed="\n".join(tests).count("def test_"))


def test_every_option_on_the_page_exists() -> None:
    """A reader can type what is written there."""
    named = set(re.findall(r"--pynenc-[a-z-]+", PAGE))
    assert named <= {option.flag for option in options._OPTIONS}


def test_the_page_names_what_children_and_races_have() -> None:
    """What is not documented does not exist."""
    public = {name for kind in (Child, Race) for name in vars(kind) if not name.startswith("_")}
    public |= set(Outcome.__dataclass_fields__)
    internal = {"close", "log", "number", "seed"}
    assert {name for name in public - internal if not re.search(rf"\b{name}\b", PAGE)} == set()
