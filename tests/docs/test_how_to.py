"""The pages for three kinds of users, and those that explain: what can be tried there, works."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import sys
import tomllib
from pathlib import Path

import pytest

from pytest_pynenc_state import errors, options
from pytest_pynenc_state.backends.catalogue import ENTRY_POINT_GROUP
from pytest_pynenc_state.conformance.clause import all_clauses
from pytest_pynenc_state.report.contents import Finding

DOCS = Path(__file__).parents[2] / "docs"
HOW_TO = ("application", "backend", "upgrading")
EXPLANATION = ("settling", "verdicts", "mongomock", "durability")
PAGES = {name: (DOCS / f"{name}.md").read_text() for name in (*HOW_TO, *EXPLANATION)}
APPLICATION, BACKEND, UPGRADING = (PAGES[name] for name in HOW_TO)

every_page = pytest.mark.parametrize("page", PAGES.values(), ids=list(PAGES))

# Hang guard.
RUN_S = 100.0

# A few clauses: the whole suite is run elsewhere.
FEW = ("-k", "BE_SET")


def files(page: str) -> dict[str, str]:
    """The blocks of a page that are files, by their names."""
    return dict(re.findall(r"<!-- (\S+) -->\n```\w+\n(.*?)```", page, flags=re.DOTALL))


def commands(page: str) -> list[str]:
    """What a reader is to type, line by line."""
    blocks = re.findall(r"```console\n(.*?)```", page, flags=re.DOTALL)
    return [
        line for block in blocks for line in re.findall(r"^\$ (.*)$", block, flags=re.MULTILINE)
    ]


def write_files(pytester: pytest.Pytester, page: str) -> None:
    """Make the project that a page is about."""
    for name, content in files(page).items():
        (pytester.path / name).write_text(content)
    if "pytest.ini" not in files(page):
        pytester.makeini("[pytest]\npythonpath = .")


def run(pytester: pytest.Pytester, command: str, *more: str) -> pytest.RunResult:
    """Run a command as a reader would, by the interpreter of the tests."""
    program, *words = shlex.split(command)
    python = {"pytest": (sys.executable, "-m", "pytest"), "python": (sys.executable,)}[program]
    return pytester.run(*python, *words, *more, timeout=RUN_S)


@every_page
def test_each_block_is_a_file_or_a_command(page: str) -> None:
    """So that none is there which nobody has tried."""
    fences = page.count("\n```") / 2
    assert fences == len(files(page)) + page.count("```console\n")


@every_page
def test_every_option_on_the_page_exists(page: str) -> None:
    """A reader can type what is written there."""
    named = set(re.findall(r"--pynenc-[a-z-]+", page))
    flags = {"--pynenc-conformance", "--pynenc-list-backends"}
    assert named <= {option.flag for option in options._OPTIONS} | flags


@every_page
def test_every_clause_and_error_on_the_page_exists(page: str) -> None:
    """A reader finds it in the reference."""
    assert set(re.findall(r"\b[A-Z]{2}-[A-Z]{3}-\d\d\b", page)) <= set(all_clauses())
    capitalised = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", page))
    assert capitalised - {"TypeError"} <= set(errors.__all__)


@pytest.mark.parametrize("command", ["pytest", *commands(APPLICATION)])
def test_the_application_is_tested_by_each_command(pytester: pytest.Pytester, command: str) -> None:
    """Its tests pass, on whatever the command selects."""
    write_files(pytester, APPLICATION)

    result = run(pytester, command)

    assert result.ret == 0
    if "list-backends" in command:
        result.stdout.fnmatch_lines(["sqlite: * (claims * shared)"])
    else:
        assert result.parseoutcomes()["passed"] > 0


def test_a_kept_place_is_shown_by_the_program_on_the_page(pytester: pytest.Pytester) -> None:
    """Every invocation of the test, and that no rule is broken."""
    write_files(pytester, APPLICATION)
    kept = run(pytester, "pytest --pynenc-keep all --pynenc-backend sqlite -k test_a_sum[")
    (place,) = re.findall(r"::test_a_sum\[sqlite\]: sqlite: (\S+)", kept.stdout.str())

    result = run(pytester, f"python look.py {place}")

    result.stdout.fnmatch_lines(
        ["<History of tasks.add_up *: registered > pending > running > success>"]
    )
    result.stdout.fnmatch_lines(["* of app 'docs' checked: 0 violations, *"])


@pytest.mark.parametrize("command", commands(BACKEND))
def test_the_backend_is_checked_by_each_command(pytester: pytest.Pytester, command: str) -> None:
    """On the server that the fixture gives; and the hooks are called."""
    write_files(pytester, BACKEND)

    result = run(pytester, command, *FEW)

    assert result.ret == 0
    result.stdout.fnmatch_lines(["*keeps * clauses of basic on pynenc *"])
    assert result.stdout.str().count("keeps") == 2  # printed by the hook, and by the summary
    for report in re.findall(r"--pynenc-report (\S+)", command):
        assert (pytester.path / report).exists()


def test_the_entry_point_is_in_the_group_that_is_looked_at() -> None:
    """And names the recipe of the page."""
    declared = tomllib.loads(files(BACKEND)["pyproject.toml"])["project"]["entry-points"]
    assert declared == {ENTRY_POINT_GROUP: {"mine": "my_backend:BACKEND"}}


def test_two_reports_are_made_and_compared(pytester: pytest.Pytester) -> None:
    """By the commands on the page; what differs is told, and nothing else."""
    write_files(pytester, UPGRADING)
    pytester.makepyfile("def test_of_their_own(pynenc_place): pass")
    configuration = configparser.RawConfigParser()
    configuration.read_string(files(UPGRADING)["tox.ini"])
    (environment,) = (each for each in configuration.sections() if each.startswith("testenv"))
    tests, clauses = configuration[environment]["commands"].strip().splitlines()
    (compare,) = commands(UPGRADING)
    before, after = (pytester.path / name for name in shlex.split(compare)[2:])

    for command, more in ((tests, ()), (clauses, FEW)):
        made = command.format(work_dir=".tox", env_name=before.stem)
        assert run(pytester, made, *more).ret == 0
    report = json.loads(before.read_text())
    changed = report["backends"]["sqlite"]["clauses"]
    changed["BE-SET-01"] |= {"finding": "violated", "reason": "lacks a method"}
    del changed["BE-SET-02"]
    after.write_text(json.dumps(report))

    heading, *lines = run(pytester, compare).stdout.lines
    assert heading.split() == ["pynenc", *2 * (report["versions"]["pynenc"], "and")][:-1]
    assert lines == [
        "sqlite BE-SET-01 proved -> violated lacks a method",
        "sqlite BE-SET-02 proved -> no clause ",
    ]


def test_the_changes_that_are_explained_are_between_findings() -> None:
    """As a report words them."""
    changes = re.findall(
        r"^\| `(?:BE-SET-01 )?([a-z ]+) -> ([a-z ]+)`", UPGRADING, flags=re.MULTILINE
    )
    assert changes
    assert {word for pair in changes for word in pair} <= {*map(str, Finding), "no clause"}
