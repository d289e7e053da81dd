"""The page about reports: its command writes one, and what it names is what there is."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "report.md").read_text()

RUN_S = 100.0

TEST = """
import pytest
from pynenc import Pynenc

app = Pynenc()

@app.task
def add(first, second):
    return first + second

@pytest.mark.pynenc(app=app)
@pytest.mark.pynenc_backends("sqlite")
def test_it(pynenc_runner):
    assert add(1, 2).result == 4
"""


@pytest.fixture
def result(pytester: pytest.Pytester) -> pytest.RunResult:
    """Run the command of the page, and with it write the other reports that it names."""
    pytest.importorskip("jinja2")
    (words,) = re.findall(r"^\$ pytest (.*)$", PAGE, flags=re.MULTILINE)
    pytester.makepyfile(test_it=TEST)
    others = ("--pynenc-report", "report.json", "--junitxml", "junit.xml")
    command = (sys.executable, "-m", "pytest", *words.split(), *others)
    return pytester.run(*command, timeout=RUN_S)


def test_each_report_has_what_the_page_says(
    pytester: pytest.Pytester, result: pytest.RunResult
) -> None:
    """The failed test, with its timeline, or with its place and its invocations as text."""
    result.assert_outcomes(failed=1)
    (test,) = json.loads((pytester.path / "report.json").read_text())["tests"]
    junit = ET.parse(pytester.path / "junit.xml")  # noqa: S314 - our own
    names = {each.get("name") for each in junit.iter("property")}

    assert 'class="timeline"' in (pytester.path / "report.html").read_text()
    assert test["pictures"][0]["kind"] == "histories"
    assert {"pynenc_place", "pynenc_histories"} <= names
    assert all(f"`{name}`" in PAGE for name in names)


def test_the_section_on_the_page_is_what_a_failed_test_prints(result: pytest.RunResult) -> None:
    """But for what is left out."""
    (section,) = re.findall(r"```text\n(.*?)```", PAGE, flags=re.DOTALL)
    title, place, command = section.strip().splitlines()

    start, end = command.split("…")
    assert any(line.strip("- ") == title.strip("- ") for line in result.outlines)
    assert any(line.startswith(start) and line.endswith(end) for line in result.outlines)
    assert re.fullmatch(r"sqlite: \S+\.db \(kept\)", place)
    result.stdout.re_match_lines([r"sqlite: \S+\.db \(kept\)"])


def test_each_image_on_a_page_is_there() -> None:
    """And is of some page."""
    shown = {
        (page.parent / name).resolve()
        for page in DOCS.glob("*.md")
        for name in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.read_text())
    }
    assert {path for path in shown if not path.is_file()} == set()
    assert shown >= {path.resolve() for path in (DOCS / "images").iterdir()}
