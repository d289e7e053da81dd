"""What holds for the clauses as a whole."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest
from pynenc.orchestrator.base_orchestrator import BaseBlockingControl, BaseOrchestrator
from pynenc.state_backend.base_state_backend import BaseStateBackend

from pytest_pynenc_state.conformance import clauses
from pytest_pynenc_state.conformance.__main__ import page
from pytest_pynenc_state.conformance.clause import Level, all_clauses, clause

ALL = list(all_clauses().values())
PACKAGE = Path(clauses.__file__).parents[1]
PAGE = Path(__file__).parents[2] / "docs" / "clauses.md"

# What a backend does not implement, or what the plugin itself has to do with.
NOT_OF_THE_CONTRACT = {
    "conf",  # configuration of its own
    "app",
    "blocking_control",  # its methods are those of the third class
    "invocation_threads",  # how pynenc up to 0.2.0 writes histories
    "store_invocation_threads",
}


def methods(kind: type) -> Iterator[str]:
    """The abstract and the public methods that pynenc's base class has."""
    abstract = getattr(kind, "__abstractmethods__", frozenset())
    for name in vars(kind):
        if name in abstract or not name.startswith("_"):
            yield name


@pytest.mark.parametrize("kind", [BaseStateBackend, BaseOrchestrator, BaseBlockingControl])
def test_every_method_is_called_by_a_clause(kind: type) -> None:
    """By its name, somewhere in the suite: a method that nobody calls is not checked."""
    text = "\n".join(path.read_text() for path in sorted(PACKAGE.rglob("*.py")))
    called = set(re.findall(r"\.(\w+)\b", text))
    assert sorted(set(methods(kind)) - called - NOT_OF_THE_CONTRACT) == []


def test_ids_have_no_gaps() -> None:
    """Within each part of the contract they count from 01."""
    parts = {
        part: [each.id[7:] for each in group] for part, group in groupby(ALL, lambda c: c.id[:6])
    }
    assert parts == {
        part: [f"{number:02}" for number in range(1, len(found) + 1)]
        for part, found in parts.items()
    }


def test_hints_are_short_and_rules_are_one_sentence() -> None:
    """A rule is to be quoted, and a hint is to be read in a failure."""
    long_hints = [each.id for each in ALL if not 0 < len(each.hint) <= 100]
    long_rules = [each.id for each in ALL if ". " in each.rule or len(each.rule) > 200]
    assert (long_hints, long_rules) == ([], [])


def test_a_clause_is_one_test() -> None:
    """Without parameters: a known bug is that of a clause, and not of some of its cases."""
    parametrized = [
        each.id
        for each in ALL
        if any(mark.name == "parametrize" for mark in getattr(each.check, "pytestmark", ()))
    ]
    assert parametrized == []


def test_names_say_what_is_promised() -> None:
    """No two clauses have the same words."""
    names = [each.check.__name__ for each in ALL]
    assert len(set(names)) == len(names)


def test_every_level_is_asked_for() -> None:
    """Of the whole backend, and of its parts."""
    assert {each.level for each in ALL} == set(Level)


def test_the_page_of_clauses_is_made_from_them() -> None:
    """Print it again with ``python -m pytest_pynenc_state.conformance > docs/clauses.md``."""
    assert PAGE.read_text() == page(ALL)


@pytest.mark.parametrize(
    ("clause_id", "rule", "told"),
    [
        ("SB-HIS-1", "A rule.", "malformed"),
        ("XX-HIS-01", "A rule.", "malformed"),
        ("SB-HIS-01", "A rule.", "taken"),
        ("SB-NEW-01", "no sentence", "no sentence"),
        ("SB-NEW-01", "", "no sentence"),
    ],
)
def test_a_clause_without_id_or_rule_is_refused(clause_id: str, rule: str, told: str) -> None:
    """When it is declared, so that it cannot be forgotten."""

    def check() -> None: ...

    check.__doc__ = rule
    with pytest.raises(ValueError, match=told):
        clause(clause_id, hint="none")(check)


def test_what_is_declared_can_be_read_off_the_test() -> None:
    """The marker has what others may select by."""
    found = {each.id: each.check.pytestmark[0] for each in ALL}  # type: ignore[attr-defined]
    assert {mark.args[0] for mark in found.values()} == set(found)
    assert inspect.signature(clause).parameters.keys() >= found["BE-SET-04"].kwargs.keys()
