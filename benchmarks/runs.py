"""End to end: tasks through real runners, from the first call to the last result."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from time import perf_counter_ns

from benchmarks import contenders, tasks
from benchmarks.contenders import MEMORY, PYNENC_SQLITE, SQLITE
from benchmarks.measuring import Series
from benchmarks.result import Result, Settings, Table, Target
from pytest_pynenc_state.apps.configuration import TEST_DEFAULTS, exported
from pytest_pynenc_state.apps.pointing import pointed_app
from pytest_pynenc_state.apps.preserving import preserved_process
from pytest_pynenc_state.backends.backend import Capability, Space
from pytest_pynenc_state.processes.base_runner import (
    COMMAND_LINE_KIND,
    IN_PROCESS_KIND,
    RUNNER_CLASSES,
)
from pytest_pynenc_state.processes.guarding import Guard
from pytest_pynenc_state.processes.runner import RunnerControl

# pynenc's four classes of runners.
_KINDS = tuple(kind for kind in RUNNER_CLASSES if kind != COMMAND_LINE_KIND)
_APP_PATH = "benchmarks.tasks:app"
_JUDGED = "persistent-process"
_WANTED = 2.0

_TASKS = 200
_ROUNDS = 5
_TIMEOUT_S = 120.0


def measure(settings: Settings) -> Result:
    """Run the same tasks on each contender in turns, once for each kind of runner."""
    names = [each for each in (SQLITE, PYNENC_SQLITE, MEMORY) if each in settings.names]
    count, rounds = settings.either((_TASKS, _ROUNDS), (4, 1))
    found = {kind: _in_turns(kind, names, settings.directory, count, rounds) for kind in _KINDS}
    rows = [
        (kind, *(_cell(series.get(name)) for name in names), _ratio_cell(series))
        for kind, series in found.items()
    ]
    title = f"Milliseconds for {count} tasks: median (interquartile range) of {rounds} runs"
    columns = ("runner", *names, f"{PYNENC_SQLITE} / {SQLITE}")
    result = Result([Table(title, columns, rows)])
    result.data = {
        kind: {name: each.summary() for name, each in series.items()}
        for kind, series in found.items()
    }
    if {SQLITE, PYNENC_SQLITE} <= set(names):
        ratio = _ratio(found[_JUDGED])
        result.targets.append(
            Target(
                f"sqlite, {count} tasks with a {_JUDGED} runner",
                "at most half the time of pynenc's SQLite classes",
                f"{1 / ratio:.2f} of it",
                ratio >= _WANTED,
            )
        )
    return result


def _in_turns(
    kind: str, names: Sequence[str], directory: Path, count: int, rounds: int
) -> dict[str, Series]:
    fitting = [name for name in names if _fits(kind, name)]
    series = {name: Series() for name in fitting}
    for turn in range(rounds):
        # Each goes first as often as the others, as nearly as it can be.
        for name in fitting[turn % len(fitting) :] + fitting[: turn % len(fitting)]:
            folder = directory / f"{kind}-{name}-{turn}"
            series[name].times_us.append(_time_us(kind, name, folder, count))
    return series


def _fits(kind: str, name: str) -> bool:
    shared = Capability.SHARED in contenders.import_backend(name).capabilities
    return kind == IN_PROCESS_KIND or shared


def _time_us(kind: str, name: str, folder: Path, count: int) -> float:
    """How long the tasks took; the runner was ready before, and is stopped afterwards."""
    backend = contenders.import_backend(name)
    place = backend.open_place(Space(folder.name, folder, folder.parent))
    if name == PYNENC_SQLITE:
        contenders.leave_pynenc_alone()
    values = {
        **TEST_DEFAULTS,
        "logging_level": "error",
        "runner_cls": RUNNER_CLASSES[kind],
        **backend.components,
        **place.values,
    }
    with (
        preserved_process(),
        exported(values, modules=backend.modules),
        closing(Guard()) as guard,
        pointed_app(tasks.app, values) as app,
    ):
        control = RunnerControl(app, kind, backend, _APP_PATH, guard, _TIMEOUT_S)
        try:
            control.start()
            started_ns = perf_counter_ns()
            invocations = [tasks.add(number, 1) for number in range(count)]
            results = [invocation.result for invocation in invocations]
            elapsed_us = (perf_counter_ns() - started_ns) / 1000
        finally:
            control.stop()
            place.close()
            place.remove()
    if results != list(range(1, count + 1)):
        message = f"{name}, {kind}: the tasks returned {results}"
        raise AssertionError(message)
    return elapsed_us


def _cell(series: Series | None) -> str:
    if series is None:
        return "-"
    return f"{series.median_us / 1000:,.0f} ({series.spread_us / 1000:,.0f})"


def _ratio(series: dict[str, Series]) -> float:
    return series[PYNENC_SQLITE].times_slower_than(series[SQLITE])


def _ratio_cell(series: dict[str, Series]) -> str:
    return f"{_ratio(series):.2f}" if {SQLITE, PYNENC_SQLITE} <= series.keys() else "-"
