"""What a run of the suite says of itself while it goes on."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_pynenc_state.conformance.clause import Level, all_clauses
from pytest_pynenc_state.report.progress import Progress

# So many clauses of the lowest level, and a run of the suite that is long over before it tells.
IDS = [each.id for each in all_clauses().values() if each.level == Level.BASIC][:4]


class Terminal:
    """Remembers what is written to it."""

    _width_of_current_line = 0

    def __init__(self) -> None:
        self.lines: list[str] = []

    def ensure_newline(self) -> None:
        """Begin a line, after the dots."""

    def write_line(self, line: str) -> None:
        """Keep the line."""
        self.lines.append(line)


def report(clause_id: str, when: str = "teardown") -> Any:
    entry = json.dumps({"clause": clause_id, "backend": "mine", "is_mock": False})
    return SimpleNamespace(when=when, user_properties=[("pynenc_clause", entry)])


@pytest.mark.parametrize(("known", "total"), [(IDS, " of 4"), ([], "")], ids=["alone", "xdist"])
def test_every_few_seconds_it_tells_how_many_clauses_of_which_level(
    known: list[str], total: str
) -> None:
    """And since when; a phase that is not the last one counts for nothing."""
    terminal = Terminal()
    seconds = iter([0.0, 1.0, 6.0, 7.0, 12.0])
    progress = Progress(terminal, known, lambda: next(seconds))  # type: ignore[arg-type]

    for clause_id in IDS:
        progress.pytest_runtest_logreport(report(clause_id, "call"))
        progress.pytest_runtest_logreport(report(clause_id))

    assert terminal.lines == [
        f"pynenc conformance: basic 2{total} clauses; 6 s",
        f"pynenc conformance: basic 4{total} clauses; 12 s",
    ]


def test_what_checks_no_clause_is_not_counted() -> None:
    """The author's own tests run beside the suite."""
    terminal = Terminal()
    progress = Progress(terminal, IDS, iter([0.0]).__next__)  # type: ignore[arg-type]

    progress.pytest_runtest_logreport(SimpleNamespace(when="teardown", user_properties=[]))  # type: ignore[arg-type]

    assert terminal.lines == []


def test_a_marker_that_names_no_clause_is_not_counted() -> None:
    """A test of somebody else may have one."""
    terminal = Terminal()
    progress = Progress(terminal, ["NO-SUCH-01"], iter([0.0, 6.0]).__next__)  # type: ignore[arg-type]

    progress.pytest_runtest_logreport(report(IDS[0]))

    assert terminal.lines == ["pynenc conformance: basic 1 clauses; 6 s"]


@pytest.fixture
def on_terminal(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run pytest with a terminal for its output, and return what is on it."""
    pytester.makeconftest(
        "from pytest_pynenc_state.report import progress\nprogress._PAUSE_S = 0.0"
    )

    def run(*arguments: str) -> str:
        ours, theirs = pty.openpty()
        options = ("--pynenc-conformance", "--pynenc-backend=memory", "-k", "SB_HIS", *arguments)
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *options], cwd=pytester.path, stdout=theirs
        )
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # nobody has its other end any more
                break
            if not part:
                break
            parts.append(part)
        os.close(ours)
        assert process.wait() == 0
        return b"".join(parts).decode()

    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return run


def test_it_is_told_on_a_terminal(on_terminal: Callable[..., str]) -> None:
    """Between the dots, which go on."""
    assert "pynenc conformance: basic 1 of " in on_terminal()


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_it_has_lines_of_its_own(on_terminal: Callable[..., str], workers: tuple[str, ...]) -> None:
    """Whoever writes the dots."""
    if workers:
        pytest.importorskip("xdist")
    told = [line for line in on_terminal(*workers).splitlines() if "conformance: basic" in line]

    assert told
    assert [line for line in told if not line.startswith("pynenc conformance: basic ")] == []


@pytest.mark.parametrize("how", ["-q", "-v"])
def test_it_is_not_told_to_those_who_want_less_or_all(
    on_terminal: Callable[..., str], how: str
) -> None:
    """Nobody reads both the names of all tests and their number."""
    assert "pynenc conformance: basic" not in on_terminal(how)


def test_it_is_not_told_to_a_file(pytester: pytest.Pytester) -> None:
    """A log is read when all is over."""
    pytester.makeconftest(
        "from pytest_pynenc_state.report import progress\nprogress._PAUSE_S = 0.0"
    )
    result = pytester.runpytest_subprocess(
        "--pynenc-conformance", "--pynenc-backend=memory", "-k", "SB_HIS"
    )
    result.stdout.no_fnmatch_line("pynenc conformance: basic*")
