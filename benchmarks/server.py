"""Measure the mongomock server beside a mongomock in process: ``python -m benchmarks.server``."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import mongomock
from pymongo.database import Database

from benchmarks import server_tables as tables
from benchmarks.measuring import Series
from benchmarks.server_calls import MOST_CLIENTS, fill
from benchmarks.server_clients import (
    DATABASE,
    Cell,
    Outcome,
    collection_name,
    played,
    scheduled,
)
from benchmarks.server_life import Life, measured_life
from pytest_pynenc_state.backends.mongo.connection import Document


class _Effort(NamedTuple):
    """How much is done: what it costs, and how much the result can be trusted."""

    rounds: int
    turn_s: float
    lives: int


_USUAL = _Effort(rounds=6, turn_s=0.2, lives=5)
_QUICK = _Effort(rounds=3, turn_s=0.02, lives=2)

_SIZES = (100, 1_000, 20_000)


def main() -> None:
    """Run what the command line asks for, and print tables."""
    parser = _parser()
    options = parser.parse_args()
    sizes = sorted(set(options.sizes))
    if len(sizes) < 2 or sizes[0] < MOST_CLIENTS:
        parser.error(f"--sizes: got {options.sizes}, not two or more from {MOST_CLIENTS} on")
    effort = _QUICK if options.quick else _USUAL
    _print(tables.header(effort.rounds, effort.turn_s))
    with tempfile.TemporaryDirectory(prefix="pynenc-benchmark-") as name:
        life = measured_life(Path(name), effort.lives)
        outcomes = _measured(Path(name), sizes, effort, life)
    _print(tables.life(life))
    for table in (tables.calls_per_second, tables.medians, tables.tails, tables.ratios):
        _print(table(outcomes, sizes))
    if options.json:
        report = _report(outcomes, sizes, effort, life)
        options.json.write_text(json.dumps(report, indent=2) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.server", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 to 20 s instead of 80")
    parser.add_argument(
        "--sizes",
        type=int,
        nargs="+",
        default=_SIZES,
        metavar="N",
        help="documents in the collections (default: 100 1000 20000)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there, too")
    return parser


def _measured(
    directory: Path, sizes: Sequence[int], effort: _Effort, life: Life
) -> dict[Cell, Outcome]:
    own: Database[Document] = mongomock.MongoClient()[DATABASE]
    turns = scheduled(sizes, effort.rounds, effort.turn_s)
    with life.live(directory / "server") as server:
        for size in sizes:
            for database in (own, server.client[DATABASE]):
                fill(database[collection_name(size)], size)
        outcomes = played(server.url, own, turns)
        life.full_mb = server.resident_mb
    return outcomes


def _report(
    outcomes: dict[Cell, Outcome], sizes: Sequence[int], effort: _Effort, life: Life
) -> dict[str, Any]:
    return {
        "versions": tables.versions(),
        "effort": effort._asdict(),
        "sizes": sizes,
        "server": {
            "start": _numbers(life.start),
            "stop": _numbers(life.stop),
            "empty_mb": life.empty_mb,
            "full_mb": life.full_mb,
        },
        "cells": [
            {
                **cell._asdict(),
                "calls": outcome.calls,
                "per_second": 1e6 / outcome.interval.median_us,
                "interval": _numbers(outcome.interval),
                "p50": _numbers(outcome.p50),
                "p99_us": outcome.p99_us,
                "p50_growth": tables.growth(outcomes, cell.operation, cell.clients, sizes),
                "server_to_own": tables.gain(outcomes, cell),
            }
            for cell, outcome in sorted(outcomes.items())
        ],
    }


def _numbers(series: Series) -> dict[str, Any]:
    return {**asdict(series), "median_us": series.median_us, "spread_us": series.spread_us}


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    main()
