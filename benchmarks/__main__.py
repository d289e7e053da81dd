"""Measure the contenders side by side, group by group: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import tempfile
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

from benchmarks import (
    contenders,
    contention,
    footprint,
    growth,
    life,
    operations,
    page,
    races,
    runs,
    sessions,
)
from benchmarks.result import Result, Settings, combined, target_table

_GROUPS: Mapping[str, Callable[[Settings], Result]] = {
    "operations": operations.measure,
    "contention": contention.measure,
    "growth": growth.measure,
    "life": life.measure,
    "races": races.measure,
    "runs": runs.measure,
    "sessions": sessions.measure,
    "footprint": footprint.measure,
}

_ALL = "all"

_NOTE = (
    "All contenders were measured in one run, and took turns where a turn is short. Compare the\n"
    "ratios: they are the result. The absolute times are those of this machine at this moment,\n"
    "and mean nothing elsewhere."
)


def main() -> None:
    """Run what the command line asks for, print tables, and write what is wanted."""
    parser = _parser()
    options = parser.parse_args()
    if missing := [str(each) for each in options.also if not each.is_file()]:
        parser.error(f"no such file: {', '.join(missing)} (tox run -e bench-rustvello writes one)")
    contenders.import_classes()
    found_versions = versions()
    print(", ".join(f"{name} {value}" for name, value in found_versions.items()), _NOTE, sep="\n")
    results: dict[str, Result] = {}
    for group in _GROUPS if _ALL in options.groups else options.groups:
        with tempfile.TemporaryDirectory(prefix="pynenc-benchmark-", dir=options.directory) as name:
            settings = Settings(options.rounds, options.quick, options.contenders, Path(name))
            result = results[group] = _GROUPS[group](settings)
        for table in result.tables:
            print(table.text(), flush=True)
    targets = [target for result in results.values() for target in result.targets]
    print(target_table(targets).text())
    report = {"versions": found_versions, **combined(results)}
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    if options.page:
        page.write(options.page, report, [json.loads(each.read_text()) for each in options.also])


def versions() -> dict[str, str]:
    """What the results depend on."""
    return {
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "pynenc": version("pynenc"),
        "processors": str(os.cpu_count()),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "groups", nargs="*", choices=(_ALL, *_GROUPS), default=_ALL, help="what is measured"
    )
    parser.add_argument("--rounds", type=int, default=60, help="turns of each short operation")
    parser.add_argument("--quick", action="store_true", help="sizes that only try the program")
    parser.add_argument(
        "--contenders",
        nargs="+",
        choices=(*contenders.NAMES, contenders.RUSTVELLO),
        default=list(contenders.NAMES),
    )
    parser.add_argument("--directory", type=Path, help="where the files go, instead of the usual")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there, too")
    parser.add_argument("--page", type=Path, metavar="FILE", help="and there, for people to read")
    parser.add_argument(
        "--also",
        type=Path,
        nargs="+",
        metavar="FILE",
        default=[],
        help="what other environments have written with --json, for the page",
    )
    return parser


if __name__ == "__main__":
    main()
