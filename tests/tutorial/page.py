"""A page that can be followed: its files and commands in order, and what the commands print.

On the page, a block of code below ``<!-- file: NAME -->`` is that file, new or again. A block
``console`` has commands, each after ``$``, and below each what it prints; below ``<!-- fails -->``
they end with status 1, all others with 0. There are no other blocks.

What is shown of an output is all of it, but for three things: a line ``...`` stands for any lines,
``...`` in a line for any characters, and any decimal number or row of ``=`` for any other one. Of a
command with nothing below it nothing is expected.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Hang guard: installing takes longest, and depends on the network.
COMMAND_S = 300.0

_BLOCK = re.compile(r"(?:^<!-- ([^\n]*) -->\n)?^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_ANY_LINES = "..."
_VARIES = re.compile(r"(\.\.\.)|(\d+\.\d+)|(={3,})")
_VARIANTS = ("", r".*", r"\d+\.\d+", r"={3,}")


class PageWrong(AssertionError):
    """The page cannot be followed, or shows what does not happen."""


@dataclass(frozen=True)
class File:
    """A file for the reader to write."""

    name: str
    text: str

    def follow(self, folder: Path, environment: Mapping[str, str]) -> None:  # noqa: ARG002
        """Write it."""
        (folder / self.name).write_text(self.text)


@dataclass(frozen=True)
class Command:
    """A command for the reader to type.

    :param line: Where it is on the page.
    :param shown: The lines below it.
    """

    line: int
    words: tuple[str, ...]
    shown: tuple[str, ...]
    status: int

    def follow(self, folder: Path, environment: Mapping[str, str]) -> None:
        """Run it.

        :raises PageWrong: It ends otherwise, or prints something else.
        """
        ended = subprocess.run(
            self.words,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
        wrong = difference(self.shown, ended.stdout.splitlines())
        if ended.returncode != self.status:
            wrong = f"status {ended.returncode}, expected {self.status}"
        if wrong:
            message = f"line {self.line}: $ {shlex.join(self.words)}\n{wrong}\n\n{ended.stdout}"
            raise PageWrong(message)


def steps(page: str) -> list[File | Command]:
    """What the reader of *page* does, in order.

    :raises PageWrong: A block is neither a file nor commands.
    """
    found: list[File | Command] = []
    for block in _BLOCK.finditer(page):
        note, language, body = block.groups(default="")
        line = page.count("\n", 0, block.start(3)) + 1
        kind, _, name = note.partition(": ")
        if language == "console":
            found += _commands(body, line, status=int(note == "fails"))
        elif kind == "file":
            found.append(File(name, body))
        else:
            message = f"line {line}: a block that is neither a file nor commands"
            raise PageWrong(message)
    return found


def _commands(body: str, line: int, status: int) -> list[Command]:
    before, *commands = re.split(r"^\$ ", body, flags=re.MULTILINE)
    if before:
        message = f"line {line}: expected a command, got {before!r}"
        raise PageWrong(message)
    found = []
    for command in commands:
        typed, *shown = command.splitlines()
        found.append(Command(line, tuple(shlex.split(typed)), tuple(shown or [_ANY_LINES]), status))
        line += 1 + len(shown)
    return found


def difference(shown: Sequence[str], output: Sequence[str]) -> str:
    """Say what of *shown* is not in *output* where it should be; empty if it is all there.

    All places where the output could go on are kept, and moved on by each shown line.
    """
    places = {0}
    for line in shown:
        if line == _ANY_LINES:
            places = set(range(min(places), len(output) + 1))
            continue
        pattern = _pattern(line)
        here = {place for place in places if place < len(output)}
        if not (places := {at + 1 for at in here if pattern.fullmatch(output[at].rstrip())}):
            return f"shown, but not printed there: {line!r}"
    return "" if len(output) in places else "more is printed than is shown"


def _pattern(line: str) -> re.Pattern[str]:
    """What stands for *line* in an output."""
    parts, end = [], 0
    for varies in _VARIES.finditer(line):
        parts += [re.escape(line[end : varies.start()]), _VARIANTS[varies.lastindex or 0]]
        end = varies.end()
    return re.compile("".join(parts) + re.escape(line[end:]))
