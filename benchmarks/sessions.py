"""What the plugin costs whole runs of pytest: where nobody uses it, and for each test."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.measuring import Series, Slice, measured_in_turns
from benchmarks.result import Result, Settings, Table, Target, number

_UNUSED_RUNS = 120
_UNUSED_WANTED_MS = 5.0
_TESTS = 1000
_TEST_RUNS = 5
_PER_TEST_WANTED_MS = 3.0

# Without a report, a cache or a plugin that other packages have brought along.
_PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")
_WITHOUT = ("-p", "no:pynenc_state")
_ON_SQLITE = ("--pynenc-backend", "sqlite")
_TWO_WORKERS = ("-n", "2")

# Of the processes of a run, those that have tests: no controller.
_CONFTEST = """
import os, pathlib, time

def pytest_unconfigure(config):
    if not config.getoption("numprocesses", None):
        path = pathlib.Path(f"{os.getpid()}.seconds")
        path.write_text(str(time.process_time()))
"""

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
    alone, alone_cpu = _timed(folder, tests, runs, ())
    # As many for each worker: what a process pays once is shared by as many tests.
    by_two, by_two_cpu = _timed(folder, 2 * tests, runs, _TWO_WORKERS)
    # The limit of two workers: what two processors do for two who have nothing to do with each
    # other.
    beside, beside_cpu = _timed(folder, tests, runs, (), at_once=2)
    series = (alone, by_two, beside, alone_cpu, by_two_cpu, beside_cpu)
    rows = [
        (body, *(number(_extra_ms(each, body) / tests) for each in series))
        for body in _BODIES
        if body != "plain"
    ]
    unused_ms = _paired_ms(unused["with the plugin"], unused["plain"])
    title = f"Milliseconds that each of {tests:,} tests takes more than one that does nothing"
    per_test_ms = _extra_ms(alone, "pynenc_app") / tests
    per_worker_ms = _extra_ms(by_two, "pynenc_app") / tests
    beside_ms = _extra_ms(beside, "pynenc_app") / tests
    columns = (
        "what it uses, on sqlite",
        "one run",
        "-n 2, each worker",
        "two runs at once, each",
        "one run, processor time",
        "-n 2, each worker's processor time",
        "two runs at once, each one's processor time",
    )
    return Result(
        [Table(title, columns, rows)],
        [
            Target(
                "plugin installed but unused, processor time of a run of pytest",
                f"less than {_UNUSED_WANTED_MS:g} ms more",
                f"{unused_ms:.1f} ms more ({unused['plain'].median_us / 1000:.0f} ms without)",
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
                f"{per_worker_ms:.2f} ms (two runs at once that share nothing: {beside_ms:.2f} ms)",
                per_worker_ms <= per_test_ms,
            ),
        ],
        {
            "unused": {name: each.summary() for name, each in unused.items()},
            "alone": {name: each.summary() for name, each in alone.items()},
            "by two": {name: each.summary() for name, each in by_two.items()},
            "beside": {name: each.summary() for name, each in beside.items()},
            "alone, processor": {name: each.summary() for name, each in alone_cpu.items()},
            "by two, processor": {name: each.summary() for name, each in by_two_cpu.items()},
            "beside, processor": {name: each.summary() for name, each in beside_cpu.items()},
        },
    )


def _extra_ms(series: Mapping[str, Series], name: str) -> float:
    return (series[name].median_us - series["plain"].median_us) / 1000


def _paired_ms(more: Series, less: Series) -> float:
    """The median, over all rounds, of how much longer one took: runs differ by much more."""
    pairs = zip(more.times_us, less.times_us, strict=True)
    return statistics.median(mine - theirs for mine, theirs in pairs) / 1000


def _unused(folder: Path, runs: int) -> dict[str, Series]:
    """The processor times of runs that use nothing of the plugin."""
    path = _test_file(folder, _PLAIN, 1)
    to_do = {"plain": _Run(path, _WITHOUT), "with the plugin": _Run(path, ())}
    measured_in_turns({name: each.slice for name, each in to_do.items()}, runs)
    return {name: each.processor() for name, each in to_do.items()}


def _timed(
    folder: Path, tests: int, runs: int, workers: Sequence[str], at_once: int = 1
) -> tuple[dict[str, Series], dict[str, Series]]:
    """The times of whole runs, and the processor times of the processes that ran the tests.

    :param at_once: How many runs begin at the same time; all their tests have then been run.
    """
    to_do = {
        body: _Run(
            _test_file(folder, text, tests),
            (*workers, *(_WITHOUT if body == "plain" else _ON_SQLITE)),
            at_once,
        )
        for body, text in _BODIES.items()
    }
    times = measured_in_turns({body: each.slice for body, each in to_do.items()}, runs)
    return times, {body: each.processor() for body, each in to_do.items()}


def _test_file(folder: Path, body: str, tests: int) -> Path:
    own = folder / str(len(list(folder.iterdir())))
    own.mkdir()
    (own / "conftest.py").write_text(_CONFTEST)
    path = own / "test_it.py"
    path.write_text(f"import pytest\n\n\n@pytest.mark.parametrize('n', range({tests}))\n{body}\n")
    return path


class _Run:
    """A run of pytest, or several at once, again and again."""

    def __init__(self, path: Path, options: Sequence[str], at_once: int = 1) -> None:
        self._path = path
        self._options = options
        self._at_once = at_once
        self._processor_us: list[float] = []

    def slice(self) -> Slice:
        """The next run."""
        return Slice(self._run, [()])

    def processor(self) -> Series:
        """The processor time that each run but the first took, in each process with tests."""
        return Series(self._processor_us[1:])

    def _run(self) -> None:
        runs = [
            subprocess.Popen(
                [sys.executable, *_PYTEST, *self._options, self._path.name],
                cwd=self._path.parent,
                env={**os.environ, "PYTEST_ADDOPTS": ""},
                stdout=subprocess.DEVNULL,
            )
            for _ in range(self._at_once)
        ]
        codes = [each.wait() for each in runs]
        if any(codes):
            message = f"pytest failed in {self._path.parent}"
            raise RuntimeError(message)
        told = list(self._path.parent.glob("*.seconds"))
        self._processor_us.append(statistics.mean(float(it.read_text()) for it in told) * 1e6)
        for each in told:
            each.unlink()
