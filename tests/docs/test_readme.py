"""The README's code runs, and names everything that users can use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_pynenc_state import options, plugin

README = (Path(__file__).parents[2] / "README.md").read_text()

TASKS = """
from pynenc import Pynenc

app = Pynenc(config_values={"app_id": "readme"})

@app.task
def add_up(first: int, second: int) -> int:
    return first + second
"""

FUNCTIONS = """
def add_up(first: int, second: int) -> int:
    return first + second
"""

FRESH_APP_TEST = """
import pytest
import functions
{fixture}
def test_the_fresh_app(pynenc_app, pynenc_runner):
    [task] = [task for task in pynenc_app.tasks.values() if task.func is functions.add_up]
    assert task(1, 2).result == 3
"""


# The README's output is that of an installation without the extra ``mongo``.
WITHOUT_MONGO = """
import sys

for library in ("pymongo", "mongomock"):
    sys.modules[library] = None
"""


def code_blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def test_the_first_example_passes_on_each_backend(pytester: pytest.Pytester) -> None:
    """The output that the README shows is what pytest prints."""
    pytester.makeconftest(WITHOUT_MONGO)
    pytester.makepyfile(tasks=TASKS, test_readme=code_blocks()[0])

    result = pytester.runpytest_subprocess("-v")

    shown = [line for line in README.splitlines() if line.startswith("test_readme.py::")]
    header = [line for line in README.splitlines() if line.startswith("pynenc: ")]
    result.assert_outcomes(passed=len(shown))
    assert len(header) == 2
    result.stdout.fnmatch_lines(header)
    result.stdout.fnmatch_lines_random([line.replace("[", "[[]") + "*" for line in shown])


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_the_fixture_that_registers_tasks_works(pytester: pytest.Pytester, kind: str) -> None:
    """Also for a runner in another process."""
    fresh = FRESH_APP_TEST.format(fixture=code_blocks()[1])
    pytester.makepyfile(functions=FUNCTIONS, test_fresh=fresh)

    result = pytester.runpytest_subprocess("--pynenc-backend=sqlite", f"--pynenc-runner={kind}")

    result.assert_outcomes(passed=1)


def public_names() -> list[str]:
    source = Path(plugin.__file__).with_name("fixtures.py").read_text()
    fixtures = re.findall(r"\ndef (pynenc_\w+)\(", source)
    flags = [option.flag for option in options._OPTIONS]
    markers = [marker.partition(":")[0] for marker in plugin.MARKERS]
    return [*fixtures, *flags, *markers, "--pynenc-list-backends", "pytest_pynenc_backends"]


@pytest.mark.parametrize("name", public_names())
def test_every_fixture_option_marker_and_hook_is_in_the_readme(name: str) -> None:
    """What is not documented does not exist."""
    assert f"`{name}" in README


def test_the_readme_is_short_enough_to_be_read() -> None:
    """150 lines; the rest belongs to the documentation."""
    assert len(README.splitlines()) <= 150
