"""Measure all contenders side by side: ``python -m benchmarks.operations``."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import contenders, tables
from benchmarks.contention import PROCESSES, Crowd, contended
from benchmarks.growth import grown
from benchmarks.measuring import Series, measured_in_turns
from benchmarks.plain_sqlite import PlainSQLite
from benchmarks.set_up import SET_UPS, next_set_up
from benchmarks.suite import OPERATIONS, Operation
from benchmarks.workload import Workload

_TURNS = 3
_TURN_S = 1.0

# pynenc's SQLite class skips all rows before a batch: hours for a million of them.
_MOST_ROWS_OF_PYNENC = 100_000


def main() -> None:
    """Run what the command line asks for, and print tables."""
    options = _parser().parse_args()
    names: list[str] = [name for name in contenders.NAMES if name in options.contenders]
    contenders.import_classes()
    _print(tables.header(options.rounds))
    with _directory(options.directory) as directory:
        results = {
            operation.name: _measured(operation, names, options.rounds, directory)
            for operation in OPERATIONS
        }
        for set_up in SET_UPS:
            with set_up.working_directory(directory):
                set_ups = {name: next_set_up(name, directory) for name in names}
                results[set_up.name] = measured_in_turns(set_ups, options.rounds)
        _print(tables.times(results, names))
        _print(tables.ratios(results, names))
        crowds = _contended(names, directory)
        growths = grown(_growing(names, options.rows), directory, options.rows)
        _print(tables.growth(growths))
    if options.json:
        report = {
            "versions": tables.versions(),
            "rounds": options.rounds,
            "operations": {name: _numbers(series) for name, series in results.items()},
            "contention": {name: _summary(crowd) for name, crowd in crowds.items()},
            "growth": {name: asdict(growth) for name, growth in growths.items()},
        }
        options.json.write_text(json.dumps(report, indent=2) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.operations", description=__doc__)
    parser.add_argument("--rounds", type=int, default=60, help="slices of each operation")
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the time range")
    parser.add_argument(
        "--contenders", nargs="+", choices=contenders.NAMES, default=list(contenders.NAMES)
    )
    parser.add_argument("--directory", type=Path, help="where the files go, instead of the usual")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there, too")
    return parser


@contextmanager
def _directory(parent: Path | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pynenc-benchmark-", dir=parent) as name:
        yield Path(name)


def _measured(
    operation: Operation, names: Sequence[str], rounds: int, directory: Path
) -> dict[str, Series]:
    rounds = operation.rounds_of(rounds)
    with ExitStack() as stack:
        next_slices: dict[str, Any] = {}
        for name in names:
            if name == contenders.PLAIN:
                plain = PlainSQLite(operation, rounds, directory)
                stack.callback(plain.close)
                next_slices[name] = plain.next_slice
            else:
                workload = Workload(stack.enter_context(contenders.opened(name, directory)))
                operation.prepare(workload)
                next_slices[name] = partial(operation.make, workload)
        return measured_in_turns(next_slices, rounds)


def _contended(names: Sequence[str], directory: Path) -> dict[str, Crowd]:
    contending = [each for each in names if each in (contenders.SQLITE, contenders.PYNENC_SQLITE)]
    if not contending:
        return {}
    crowds = contended(contending, directory, _TURNS, _TURN_S)
    _print(tables.contention(crowds, PROCESSES))
    return crowds


def _growing(names: Sequence[str], rows: int) -> list[str]:
    left_out = {contenders.PLAIN, contenders.PYNENC_MEMORY}
    if rows > _MOST_ROWS_OF_PYNENC:
        left_out.add(contenders.PYNENC_SQLITE)
    return [name for name in names if name not in left_out]


def _numbers(series: dict[str, Series]) -> dict[str, dict[str, float]]:
    return {
        name: {"median_us": each.median_us, "spread_us": each.spread_us}
        for name, each in series.items()
    }


def _summary(crowd: Crowd) -> dict[str, float]:
    return {
        "per_second": crowd.per_second,
        "p50_ms": crowd.percentile_ms(50),
        "p99_ms": crowd.percentile_ms(99),
        "worst_ms": crowd.worst_ms,
        "failures": crowd.failures,
    }


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    main()
