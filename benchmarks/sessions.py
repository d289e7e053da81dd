"""What the plugin costs whole runs of pytest: where nobody uses it, and for each test."""

from __future__ import annotations

import ast
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.measuring import Series, Slice, measured_in_turns
from benchmarks.result import Result, Settings, Table, Target, number

_UNUSED_RUNS = 120
_UNUSED_WANTED_MS = 5.0
_TESTS = 1000
_TEST_RUNS = 7
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

_PLAIN, _APP, _COMPONENTS, _OTHER = "plain", "pynenc_app", "its components", "other work"
_BODIES = {
    _PLAIN: "def test_it(n): pass",
    _APP: "def test_it(n, pynenc_app): pass",
    _COMPONENTS: (
        "def test_it(n, pynenc_app): pynenc_app.orchestrator.count_invocations(),"
        " pynenc_app.state_backend.get_history('it')"
    ),
}
_WITH_THE_PLUGIN = (_APP, _COMPONENTS)

# Python makes and throws away objects, as it does for an app.
_PARSED = "[word.upper() for word in text.split() if word] or dict(text=text, words=())"


def measure(settings: Settings) -> Result:
    """Run pytest with and without the plugin, in turns."""
    folder = settings.directory / "sessions"
    folder.mkdir()
    unused = _unused(folder, settings.either(_UNUSED_RUNS, 2))
    unused_ms = _paired_ms(unused["with the plugin"], unused["plain"])
    tests, runs = settings.either((_TESTS, _TEST_RUNS), (10, 1))
    bodies = {**_BODIES, _OTHER: _other_work(folder, tests)}
    alone, alone_cpu = _timed(folder, bodies, tests, runs, ())
    # As many for each worker: what a process pays once is shared by as many tests.
    by_two, by_two_cpu = _timed(folder, bodies, 2 * tests, runs, _TWO_WORKERS)
    series = (alone, by_two, alone_cpu, by_two_cpu)
    rows = [
        (body, *(number(_extra_ms(each, body) / tests) for each in series))
        for body in bodies
        if body != _PLAIN
    ]
    title = (
        f"Milliseconds that each of {tests:,} tests takes more than one that does nothing "
        "(other work: without the plugin, chosen to take the processor as long as pynenc_app)"
    )
    columns = (
        "what it uses, on sqlite",
        "one run",
        "-n 2, each worker",
        "one run, processor time",
        "-n 2, each worker's processor time",
    )
    per_test_ms = _extra_ms(alone, _APP) / tests
    per_worker_ms = _extra_ms(by_two, _APP) / tests
    slower, slower_at_other_work = (
        _extra_ms(by_two, body) / _extra_ms(alone, body) for body in (_APP, _OTHER)
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
                f"{per_worker_ms:.2f} ms: {slower:.2f} times as long (other work, without the "
                f"plugin: {slower_at_other_work:.2f} times)",
                per_worker_ms <= per_test_ms,
            ),
        ],
        {
            "unused": _summaries(unused),
            "alone": _summaries(alone),
            "by two": _summaries(by_two),
            "alone, processor": _summaries(alone_cpu),
            "by two, processor": _summaries(by_two_cpu),
        },
    )


def _other_work(folder: Path, tests: int) -> str:
    """A test that has nothing to do with the plugin, and takes as long as one with an app.

    What becomes of it with two workers is the limit of what they can do for any test.
    """
    _, processor = _timed(folder, _BODIES, tests, 1, ())
    wanted_ms = max(_extra_ms(processor, _APP) / tests, 0.0)
    started_s = time.process_time()
    for _ in range(tests):
        ast.parse(_PARSED)
    once_ms = (time.process_time() - started_s) * 1000 / tests
    times = round(wanted_ms / once_ms)
    return f"def test_it(n):\n    for _ in range({times}): ast.parse({_PARSED!r})"


def _summaries(series: Mapping[str, Series]) -> dict[str, dict[str, float]]:
    return {name: each.summary() for name, each in series.items()}


def _extra_ms(series: Mapping[str, Series], name: str) -> float:
    return (series[name].median_us - series["plain"].median_us) / 1000


def _paired_ms(more: Series, less: Series) -> float:
    """The median, over all rounds, of how much longer one took: runs differ by much more."""
    pairs = zip(more.times_us, less.times_us, strict=True)
    return statistics.median(mine - theirs for mine, theirs in pairs) / 1000


def _unused(folder: Path, runs: int) -> dict[str, Series]:
    """The processor times of runs that use nothing of the plugin."""
    path = _test_file(folder, _BODIES[_PLAIN], 1)
    to_do = {"plain": _Run(path, _WITHOUT), "with the plugin": _Run(path, ())}
    measured_in_turns({name: each.slice for name, each in to_do.items()}, runs)
    return {name: each.processor() for name, each in to_do.items()}


def _timed(
    folder: Path, bodies: Mapping[str, str], tests: int, runs: int, workers: Sequence[str]
) -> tuple[dict[str, Series], dict[str, Series]]:
    """The times of whole runs, and the processor times of the processes that ran the tests."""
    to_do = {
        body: _Run(
            _test_file(folder, text, tests),
            (*workers, *(_ON_SQLITE if body in _WITH_THE_PLUGIN else _WITHOUT)),
        )
        for body, text in bodies.items()
    }
    times = measured_in_turns({body: each.slice for body, each in to_do.items()}, runs)
    return times, {body: each.processor() for body, each in to_do.items()}


def _test_file(folder: Path, body: str, tests: int) -> Path:
    own = folder / str(len(list(folder.iterdir())))
    own.mkdir()
    (own / "conftest.py").write_text(_CONFTEST)
    path = own / "test_it.py"
    path.write_text(
        f"import ast, pytest\n\n\n@pytest.mark.parametrize('n', range({tests}))\n{body}\n"
    )
    return path


class _Run:
    """A run of pytest, again and again."""

    def __init__(self, path: Path, options: Sequence[str]) -> None:
        self._path = path
        self._options = options
        self._processor_us: list[float] = []

    def slice(self) -> Slice:
        """The next run."""
        return Slice(self._run, [()])

    def processor(self) -> Series:
        """The processor time that each run but the first took, in each process with tests."""
        return Series(self._processor_us[1:])

    def _run(self) -> None:
        subprocess.run(
            [sys.executable, *_PYTEST, *self._options, self._path.name],
            cwd=self._path.parent,
            env={**os.environ, "PYTEST_ADDOPTS": ""},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        told = list(self._path.parent.glob("*.seconds"))
        self._processor_us.append(statistics.mean(float(it.read_text()) for it in told) * 1e6)
        for each in told:
            each.unlink()
