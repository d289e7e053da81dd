"""Memory: what a large store takes, and whether a long session takes more and more."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil

from benchmarks import contenders
from benchmarks.contenders import MEMORY, MONGOMOCK, PYNENC_MEMORY, PYNENC_SQLITE, SQLITE
from benchmarks.result import Result, Settings, Table, Target
from benchmarks.workload import Workload
from pytest_pynenc_state.backends.mongo.place import shared_server

_INVOCATIONS = 100_000
_TOGETHER = 1_000
# pynenc's SQLite class opens a connection for each row that it writes.
_SLOW = {PYNENC_SQLITE: 10_000}

_TESTS = 10_000
_MARKS = (0.1, 0.5, 1.0)
_MOST_GROWTH_MB = 8.0

_KIB = 1024
_MIB = 1024 * 1024

_CONFTEST = """
import itertools
import psutil
from pathlib import Path

numbers = itertools.count(1)

def pytest_runtest_logfinish():
    number = next(numbers)
    if number in {marks}:
        with Path({output!r}).open("a") as file:
            print(number, psutil.Process().memory_info().rss, file=file)
"""

_TESTS_OF = {
    "plain pytest": """
import pytest

@pytest.mark.parametrize("n", range({tests}))
def test_it(n):
    pass
""",
    SQLITE: """
import pytest

@pytest.mark.parametrize("n", range({tests}))
def test_it(n, pynenc_app):
    assert pynenc_app.orchestrator.count_invocations() == 0
    assert pynenc_app.state_backend.get_history("it") == []
""",
}


def measure(settings: Settings) -> Result:
    """Fill a store in a process of its own; run a long session and look at it."""
    count = settings.either(_INVOCATIONS, 100)
    rows: list[tuple[str, ...]] = []
    data: dict[str, Any] = {}
    for name in (SQLITE, PYNENC_SQLITE, MEMORY, PYNENC_MEMORY, MONGOMOCK):
        if name not in (*settings.names, MONGOMOCK):
            continue
        stored = min(count, _SLOW.get(name, count))
        found = _filled_elsewhere(name, stored, settings.directory)
        data[name] = found
        rows.append(
            (name, f"{stored:,}", f"{found['process_mb']:,.0f}", f"{found['server_mb']:,.0f}")
        )
    columns = ("", "invocations", "the process", "its server")
    title = "Memory for stored invocations, in MiB: peak of the process, size of its server"
    tests = settings.either(_TESTS, 20)
    sizes_mb = {name: _session(settings.directory, name, tests) for name in _TESTS_OF}
    data["session"] = sizes_mb
    plain_mb, growth_mb = (sizes[-1] - sizes[0] for sizes in sizes_mb.values())
    size_columns = ("", *(f"after {round(tests * mark):,} tests" for mark in _MARKS))
    size_rows = [(name, *(f"{size:,.1f}" for size in sizes)) for name, sizes in sizes_mb.items()]
    return Result(
        [
            Table(title, columns, rows),
            Table("Memory of a session, in MiB", size_columns, size_rows),
        ],
        [
            Target(
                f"memory over {tests:,} tests in one session",
                f"grows by less than {_MOST_GROWTH_MB:g} MiB more than plain pytest's",
                f"{growth_mb - plain_mb:+.1f} MiB ({growth_mb:.1f} and {plain_mb:.1f})",
                growth_mb - plain_mb < _MOST_GROWTH_MB,
            )
        ],
        data,
    )


def _filled_elsewhere(name: str, count: int, directory: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.footprint", name, str(count), str(directory)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _fill(name: str, count: int, directory: Path) -> dict[str, float]:
    """Store invocations in this process; how much more memory it, and a server, then take."""
    with ExitStack() as stack:
        url, server = None, None
        if name == MONGOMOCK:
            url = stack.enter_context(shared_server(directory / f"footprint-{name}"))
            (server,) = (
                each
                for each in psutil.Process().children(recursive=True)
                if "pytest_pynenc_state.backends.mongo.server" in " ".join(each.cmdline())
            )
        workload = Workload(stack.enter_context(contenders.opened(name, directory, url)))
        # What is needed once, however much is stored.
        workload.seed(_TOGETHER // 10)
        before_mb, server_mb = _peak_mb(), _size_mb(server)
        for first in range(0, count, _TOGETHER):
            workload.seed(min(_TOGETHER, count - first))
            workload.ids.clear()
        return {"process_mb": _peak_mb() - before_mb, "server_mb": _size_mb(server) - server_mb}


def _peak_mb() -> float:
    # What getrusage tells of a new process begins with the peak of the one that started it.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / _KIB


def _size_mb(process: psutil.Process | None) -> float:
    return process.memory_info().rss / _MIB if process else 0.0


def _session(directory: Path, name: str, tests: int) -> list[float]:
    """The size of a process of pytest after some of its tests, in MiB."""
    folder = directory / f"long-session-{name.replace(' ', '-')}"
    folder.mkdir()
    output = folder / "sizes.txt"
    marks = [round(tests * mark) for mark in _MARKS]
    (folder / "conftest.py").write_text(_CONFTEST.format(marks=marks, output=str(output)))
    (folder / "test_long.py").write_text(_TESTS_OF[name].format(tests=tests))
    command = [sys.executable, "-m", "pytest", "-q", "--pynenc-backend", SQLITE]
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=True)
    return [int(line.split()[1]) / _MIB for line in output.read_text().splitlines()]


if __name__ == "__main__":
    contenders.import_classes()
    print(json.dumps(_fill(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))))
