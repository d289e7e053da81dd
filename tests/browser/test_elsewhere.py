"""What is told of a test in other people's pages: pytest-html's report, and pynenc's monitor."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from pytest_pynenc_state.waiting import wait_until

# Hang guard: the monitor only has to start.
START_S = 60.0

TEST = """
import office
import pytest

@pytest.mark.pynenc(app="office:app")
def test_it(pynenc_runner):
    assert office.add(1, 2).result == 4
"""


@pytest.fixture
def failed(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Run a test that fails after an invocation has ended."""
    inner = Path(__file__).parents[1] / "plugin" / "inner"
    shutil.copy(inner / "office.py", pytester.path)
    pytester.makepyfile(test_it=TEST)
    pytester.makeini("[pytest]\npythonpath = .\naddopts = --pynenc-backend=sqlite")

    def run(*arguments: str) -> pytest.RunResult:
        result = pytester.runpytest_subprocess(*arguments)
        result.assert_outcomes(failed=1)
        return result

    return run


def test_the_report_of_pytest_html_has_the_timeline(
    pytester: pytest.Pytester,
    failed: Callable[..., pytest.RunResult],
    opened: Callable[[str], Any],
) -> None:
    """Drawn, with its colours, in the row of the failed test."""
    failed("--html=report.html", "--self-contained-html")

    browser = opened((pytester.path / "report.html").as_uri())
    browser.implicitly_wait(5)
    bar = browser.find_element("css selector", "svg.timeline .bar.status-success rect")
    assert bar.value_of_css_property("fill") == "rgb(47, 148, 101)"
    assert bar.size["width"] > 1
    assert browser.get_log("browser") == []


@pytest.fixture
def monitor(failed: Callable[..., pytest.RunResult]) -> Iterator[str]:
    """Start the monitor with the command that the report gives; return its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    lines = [
        line.partition("look at it with: ")[2] for line in failed().outlines if "look at it" in line
    ]
    (command,) = lines
    *variables, program, name = shlex.split(command)
    process = subprocess.Popen(
        [sys.executable, "-m", program, name, "--port", str(port)],
        env={**os.environ, **dict(each.split("=", 1) for each in variables)},
        stdout=subprocess.DEVNULL,
    )

    def answers() -> bool:
        with socket.socket() as probe:
            return process.poll() is not None or probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        assert wait_until(answers, START_S)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="pynenc's monitor refuses this Python")
def test_a_kept_place_opens_in_the_monitor(monitor: str) -> None:
    """It shows the invocation of the test that failed."""
    with urlopen(f"{monitor}/invocations/") as answer:  # noqa: S310 - of this machine
        page = answer.read().decode()

    assert "office.add" in page
    assert "SUCCESS" in page
