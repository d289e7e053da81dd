"""No page has code that nobody tries."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
DOCS = TESTS.parent / "docs"

# What a reader types or saves; a block without a language is something that is printed.
CODE = re.compile(r"^```(python|console|bash|sh|ini|toml|json)\b", flags=re.MULTILINE)

# Where the code of pages is tried.
TRIED_IN = ("docs", "tutorial")

# The programs of a page that is printed from files, which tests run with what they are about.
PRINTED = "compatibility"
PROGRAMS = TESTS / "published" / "defects"


def test_each_page_with_code_has_a_test() -> None:
    """One that reads the page itself, so that it tries what is there now."""
    tests = "\n".join(
        module.read_text() for folder in TRIED_IN for module in (TESTS / folder).rglob("*.py")
    )
    named = set(re.findall(r"\b(\w+)\.md\b", tests))
    named |= set(re.findall(r'"(\w+)"', re.findall(r"^HOW_TO = (.*)$", tests, re.MULTILINE)[0]))
    with_code = {page.stem for page in DOCS.glob("*.md") if CODE.search(page.read_text())}

    assert "tutorial" in with_code
    assert with_code - named - {PRINTED} == set()


def test_the_programs_that_are_printed_are_files_that_are_run() -> None:
    """As they are."""
    page = (DOCS / f"{PRINTED}.md").read_text()
    shown = re.findall(r"^```python\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)
    run = [program.read_text() for program in PROGRAMS.glob("*.py")]

    assert len(shown) == len(run)
    assert [program for program in run if not any(each in program for each in shown)] == []


def test_each_block_says_what_it_is() -> None:
    """A command has its prompt: it is told from what it prints, and can be found by a test."""
    wrong = [
        (page.name, block)
        for page in DOCS.glob("*.md")
        for language, block in re.findall(
            r"^```([^\n]*)\n(.*?)^```$", page.read_text(), flags=re.DOTALL | re.MULTILINE
        )
        if (language == "console") != block.startswith("$ ")
        or (not language and re.match(r"(pytest|pip|python|tox|cd) ", block))
    ]
    assert wrong == []
