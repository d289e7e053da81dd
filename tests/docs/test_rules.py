"""The page on rules: each is there in its own words, and what it shows is what is printed."""

from __future__ import annotations

import re
from difflib import ndiff
from pathlib import Path

import pytest

from pytest_pynenc_state.history.checking import RULES, judge
from pytest_pynenc_state.history.rule import Rule
from tests.history.events import facts_from, lines_of

PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text()
SECTIONS = dict(re.findall(r"^## (\S+)\n\n(.*?)(?=\n## |\Z)", PAGE, flags=re.DOTALL | re.MULTILINE))

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


def block(rule: Rule, language: str) -> str:
    """The one code block of a rule in that language."""
    (found,) = re.findall(rf"```{language}\n(.*?)\n```", SECTIONS[rule.name], flags=re.DOTALL)
    return found


def in_one_line(text: str) -> str:
    return " ".join(text.split())


def without_choice(text: str) -> str:
    """Leave out which statuses the installed pynenc allows; the page names the newest one's."""
    return re.sub(r"pynenc allows .*, not", "pynenc allows ..., not", text)


def test_the_rules_are_in_the_order_of_the_report() -> None:
    """The page says so."""
    assert list(SECTIONS) == [rule.name for rule in RULES]


@every_rule
def test_a_rule_is_stated_with_its_source(rule: Rule) -> None:
    """In the words that the report uses."""
    section = in_one_line(SECTIONS[rule.name])
    source = rule.source.removeprefix("pynenc: ")
    assert (rule.statement in section, f"*From pynenc: {source}.*" in section) == (True, True)


@every_rule
def test_the_difference_is_that_of_the_two_histories(rule: Rule) -> None:
    """One event."""
    fine, broken = (lines_of(f"{rule.name}-{kind}") for kind in ("ok", "bad"))
    difference = [line for line in ndiff(fine, broken) if line[0] in "+-"]
    assert block(rule, "diff").splitlines() == difference


@every_rule
def test_the_output_is_what_is_printed(rule: Rule) -> None:
    """To the letter."""
    printed = str(judge("shop", facts_from(lines_of(f"{rule.name}-bad"))))
    assert without_choice(block(rule, "text")) == without_choice(printed)
