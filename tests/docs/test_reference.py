"""The reference has everything that there is, each with a word on it. This needs no Sphinx."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import reference

import pytest_pynenc_state
from pytest_pynenc_state import errors, fixtures, hookspecs, options

DOCS = Path(__file__).parents[2] / "docs"
FIXTURES = re.findall(r"\ndef ([a-z]\w+)\(", Path(fixtures.__file__).read_text())
HOOKS = [name for name in dir(hookspecs) if name.startswith("pytest_")]


def entry(text: str, name: str) -> str:
    """What the reference says of *name*: the directive's arguments, and all below it."""
    argument = rf"(?:{re.escape(hookspecs.__name__)}\.)?{re.escape(name)}\b"
    (found,) = re.findall(
        rf"^\.\. \S+:: {argument}(.*?)(?=^\.\. |\Z)", text, re.DOTALL | re.MULTILINE
    )
    return str(found)


def said(text: str, name: str) -> str:
    """The first line below the arguments; nothing if that is what the reference adds to it."""
    line = entry(text, name).partition("\n\n")[2].strip().partition("\n")[0]
    return "" if line.startswith(("Ini value", "See")) else line


@pytest.mark.parametrize("name", pytest_pynenc_state.__all__)
def test_a_public_name_is_described(name: str) -> None:
    """By its own docstring, or the comment above it."""
    assert reference.description(name)
    assert entry(reference.public_reference(), name)


@pytest.mark.parametrize("name", errors.__all__)
def test_an_error_is_described(name: str) -> None:
    """By its own docstring; and it has its place in the tree."""
    text = reference.error_reference()
    assert vars(getattr(errors, name))["__doc__"]
    assert entry(text, name)
    assert text.count(f"- :py:exc:`{name}`") == 1


@pytest.mark.parametrize("name", FIXTURES)
def test_a_fixture_is_described(name: str) -> None:
    """By its docstring."""
    assert said(reference.fixture_reference(), name)


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_is_described(name: str) -> None:
    """By its docstring."""
    assert getattr(hookspecs, name).__doc__
    assert entry(reference.hook_reference(), name)


def test_every_option_is_described(pytester: pytest.Pytester) -> None:
    """Those that pytest knows of, by their help."""
    listed = pytester.runpytest_subprocess("--help").stdout.str()
    named = dict.fromkeys(re.findall(r"^  (--pynenc-[a-z-]+)", listed, flags=re.MULTILINE))

    text = reference.option_reference()

    assert [*named] == reference.option_names()
    assert [name for name in named if not said(text, name)] == []


@pytest.mark.parametrize("option", options._OPTIONS, ids=lambda option: option.name)
def test_an_option_says_how_else_it_is_set(option: options._Option) -> None:
    """As ini value and as variable."""
    found = entry(reference.option_reference(), option.flag)

    assert re.findall("``(.*?)``", found) == [option.ini, option.variable]


def test_every_marker_is_described(pytester: pytest.Pytester) -> None:
    """Those that pytest knows of, in the words that it prints."""
    listed = pytester.runpytest_subprocess("--markers").stdout.str()
    registered = re.findall(r"^@pytest\.mark\.(pynenc\w*)(.*)$", listed, flags=re.MULTILINE)

    text = reference.marker_reference()

    assert [name for name, _ in registered] == reference.marker_names()
    assert all(said(text, name) and rest.endswith(said(text, name)) for name, rest in registered)


def test_every_part_is_on_one_page() -> None:
    """And no page asks for one that there is not."""
    pages = "\n".join(page.read_text() for page in sorted(DOCS.glob("*.md")))
    asked = re.findall(r"^<!-- reference: (\w+) -->$", pages, flags=re.MULTILINE)

    assert sorted(asked) == sorted(reference.PARTS)


def test_a_part_is_put_in_the_place_of_its_comment() -> None:
    """All else on the page stays as it is."""
    source = ["# Markers\n\n<!-- reference: markers -->\n\nThe end.\n"]

    reference.insert_parts(None, "markers", source)

    before, part, after = source[0].split("``````")
    assert (before, after) == ("# Markers\n\n", "\n\nThe end.\n")
    assert part == f"{{eval-rst}}\n{reference.marker_reference()}\n"


def test_every_page_is_in_the_contents_of_the_site() -> None:
    """Once."""
    index = (DOCS / "index.md").read_text()
    blocks = re.findall(r"^```\{toctree\}\n(.*?)^```", index, flags=re.DOTALL | re.MULTILINE)
    entries = [line for block in blocks for line in block.splitlines() if not line.startswith(":")]

    assert sorted([*filter(None, entries), "index"]) == sorted(p.stem for p in DOCS.glob("*.md"))
