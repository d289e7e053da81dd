"""Following a page: what is wrong on it is found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.tutorial.page import Command, File, PageWrong, difference, steps

OUTPUT = ["==== start ====", "one", "two", "3 passed in 0.62s"]


def followed(page: str, folder: Path) -> None:
    for step in steps(page):
        step.follow(folder, os.environ)


@pytest.mark.parametrize(
    "shown",
    [
        OUTPUT,
        ["==== start ====", "...", "3 passed in 0.62s"],
        ["...", "two", "..."],
        ["...", "3 passed in 17.04s"],
        ["======= start ===", "...", "t...", "..."],
        ["..."],
    ],
)
def test_what_is_printed_can_be_shown(shown: list[str]) -> None:
    """All of it, or with omissions that can be seen."""
    assert difference(shown, OUTPUT) == ""


@pytest.mark.parametrize(
    ("shown", "wrong"),
    [
        (["...", "four", "..."], "'four'"),
        (["...", "4 passed in 0.62s"], "'4 passed in 0.62s'"),
        (["...", "3 passed in 0.62s.", "..."], "'3 passed in 0.62s.'"),
        (["...", "two", "one", "..."], "'one'"),
        (["...", "one", "3 passed in 0.62s"], "'3 passed in 0.62s'"),
        (["one", "..."], "'one'"),
        (["...", "on", "..."], "'on'"),
        (["...", "two"], "more is printed"),
        ([*OUTPUT, "five"], "'five'"),
    ],
)
def test_a_wrong_line_is_found(shown: list[str], wrong: str) -> None:
    """Another one, one elsewhere, one left out without a sign, half of one, one too many."""
    assert wrong in difference(shown, OUTPUT)


def test_files_and_commands_are_followed_in_order(tmp_path: Path) -> None:
    """A later block of the same name replaces the file."""
    page = (
        "<!-- file: a.txt -->\n```text\nfirst\n```\n\n```console\n$ cat a.txt\nfirst\n```\n"
        "<!-- file: a.txt -->\n```text\nsecond\n```\n\n```console\n$ cat a.txt\nsecond\n$ ls\n```\n"
    )

    followed(page, tmp_path)

    assert [type(step) for step in steps(page)] == [File, Command, File, Command, Command]


@pytest.mark.parametrize(
    ("page", "wrong"),
    [
        ("```console\n$ echo two\none\n```\n", r"line 2: \$ echo two\nshown, .*'one'\n\ntwo"),
        ("```console\n$ true\n$ cat missing\n```\n", "line 3: .*\nstatus 1, expected 0"),
        ("<!-- fails -->\n```console\n$ true\n```\n", "line 3: .*\nstatus 0, expected 1"),
        ("```console\ntrue\n```\n", "line 2: expected a command, got 'true"),
        ("text\n```python\nx = 1\n```\n", "line 3: a block that is neither"),
    ],
)
def test_a_page_that_cannot_be_followed_is_refused(page: str, wrong: str, tmp_path: Path) -> None:
    """The message says where, and what came."""
    with pytest.raises(PageWrong, match=wrong):
        followed(page, tmp_path)
