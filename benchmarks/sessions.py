"""What the plugin costs whole runs of pytest: where nobody uses it, and for each test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks.measuring import Series, Slice, measured_in_turns
from benchmarks.result import Result, Settings, Table, Target, number

_UNUSED_RUNS = 40
_UNUSED_WANTED_MS = 5.0
_TESTS = 1000
_TEST_RUNS = 5
_PER_TEST_WANTED_MS = 3.0

# Without a report, a cache or a plugin that other packages have brought along.
_PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")
_WITHOUT = ("-p", "no:pynenc_state")
_ON_SQLITE = ("--pynenc-backend", "sqlite")
_TWO_WORKERS = ("-n", "2")

_PLAIN = "def test_it(n): pass"
_BODIES = {
    "plain": _PLAIN,
    "pynenc_app": "def test_it(n, pynenc_app): pass",
    "its components": (
        "def test_it(n, pynenc_app): pynenc_app.orchestrator.count_invocations(),"
        " pynenc_app.state_backend.get_history('it')"
    ),
}


def measure(settings: Settings) -> Result:
    """Run pytest with and without the plugin, in turns."""
    unused_runs = settings.either(_UNUSED_RUNS, 2)
    folder = settings.directory / "sessions"
    folder.mkdir()
    unused = _unused(folder, unused_runs)
    tests, runs = settings.either((_TESTS, _TEST_RUNS), (10, 1))
    alone = _timed(folder, tests, runs, ())
    # As many for each worker: what a process pays once is shared by as many tests.
    by_two = _timed(folder, 2 * tests, runs, _TWO_WORKERS)
    rows = [
        (body, number(_extra_ms(alone, body) / tests), number(_extra_ms(by_two, body) / tests))
        for body in _BODIES
        if body != "plain"
    ]
    unused_ms = _extra_ms(unused, "with the plugin")
    title = f"Milliseconds that each of {tests:,} tests takes more than one that does nothing"
    per_test_ms = _extra_ms(alone, "pynenc_app") / tests
    per_worker_ms = _extra_ms(by_two, "pynenc_app") / tests
    return Result(
        [Table(title, ("what it uses, on sqlite", "one process", "-n 2, each worker"), rows)],
        [
            Target(
                "plugin installed but unused, a run of pytest",
                f"less than {_UNUSED_WANTED_MS:g} ms more",
                f"{unused_ms:.1f} ms more",
                unused_ms < _UNUSED_WANTED_MS,
            ),
            Target(
                f"{tests:,} tests that use pynenc_app on sqlite",
                f"at most {_PER_TEST_WANTED_MS:g} ms for each, over plain pytest",
                f"{per_test_ms:.2f} ms",
                per_test_ms <= _PER_TEST_WANTED_MS,
            ),
            Target(
                "the same with -n 2, for each worker",
                "no slower",
                f"{per_worker_ms:.2f} ms",
                per_worker_ms <= per_test_ms,
            ),
        ],
        {
            "unused": {name: each.summary() for name, each in unused.items()},
            "alone": {name: each.summary() for name, each in alone.items()},
            "by two": {name: each.summary() for name, each in by_two.items()},
        },
    )


def _extra_ms(series: Mapping[str, Series], name: str) -> float:
    return (series[name].median_us - series["plain"].median_us) / 1000


def _unused(folder: Path, runs: int) -> dict[str, Series]:
    path = _test_file(folder, _PLAIN, 1)
    return measured_in_turns(
        {
            "plain": _next_run(path, _WITHOUT),
            "with the plugin": _next_run(path, ()),
        },
        runs,
    )


def _timed(folder: Path, tests: int, runs: int, workers: Sequence[str]) -> dict[str, Series]:
    return measured_in_turns(
        {
            body: _next_run(
                _test_file(folder, text, tests),
                (*workers, *(_WITHOUT if body == "plain" else _ON_SQLITE)),
            )
            for body, text in _BODIES.items()
        },
        runs,
    )


def _test_file(folder: Path, body: str, tests: int) -> Path:
    path = folder / f"test_{len(list(folder.iterdir()))}.py"
    path.write_text(f"import pytest\n\n\n@pytest.mark.parametrize('n', range({tests}))\n{body}\n")
    return path


def _next_run(path: Path, options: Sequence[str]) -> Callable[[], Slice]:
    return lambda: Slice(partial(_run, path, options), [()])


def _run(path: Path, options: Sequence[str]) -> None:
    subprocess.run(
        [sys.executable, *_PYTEST, *options, path.name],
        cwd=path.parent,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        stdout=subprocess.DEVNULL,
        check=True,
    )
