"""What each operation does, counted: ``python -m benchmarks.counting``.

Times differ from one machine to the next, and from one minute to the next. How many functions
a call calls, and how many statements it sends to SQLite, do not: they are compared with those
that were stored for the same versions of Python and pynenc. More of them is a failure; fewer
are to be stored.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks import contenders
from benchmarks.measuring import Slice
from benchmarks.suite import OPERATIONS
from benchmarks.workload import Workload
from pytest_pynenc_state.backends.sqlite.connection import Connection

_BASELINE = Path(__file__).with_name("counts.json")
_EXECUTING = ("execute", "executemany")
_COUNTED = (contenders.SQLITE, contenders.MEMORY)

# The calls of a few operations depend on the length of a pynenc id, or on a set's order.
_TOLERANCE = 0.05

Counts = Mapping[str, Mapping[str, Mapping[str, float]]]


def main() -> None:
    """Compare with what was stored, or store anew."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.counting", description=__doc__)
    parser.add_argument("--update", action="store_true", help="store what is counted now")
    options = parser.parse_args()
    counts, found_versions = counted(), _versions()
    if options.update:
        found = {"versions": found_versions, "counts": counts}
        _BASELINE.write_text(json.dumps(found, indent=2) + "\n")
        return
    stored = json.loads(_BASELINE.read_text())
    if stored["versions"] != found_versions:
        sys.exit(f"stored were counts for {stored['versions']}, this is {found_versions}")
    differences = compared(stored["counts"], counts)
    print(*differences or ["all as stored"], sep="\n")
    if differences:
        sys.exit(f"if that is meant: {parser.prog} --update")


def compared(stored: Counts, found: Counts) -> list[str]:
    """One line for each number that is not as it was, within 5 %; fewer are to be stored, too."""
    return [
        f"{name}, {operation}: {what} {before:g} -> {after:g}"
        for name, operations in found.items()
        for operation, counts in operations.items()
        for what, after in counts.items()
        for before in [stored[name][operation][what]]
        if abs(after - before) > _TOLERANCE * before
    ]


def counted() -> dict[str, dict[str, dict[str, float]]]:
    """By contender and operation: functions called, and statements sent, in one call of it."""
    contenders.import_classes()
    with tempfile.TemporaryDirectory(prefix="pynenc-benchmark-") as name:
        return {each: _counted(each, Path(name)) for each in _COUNTED}


def _counted(name: str, directory: Path) -> dict[str, dict[str, float]]:
    found = {}
    for operation in OPERATIONS:
        with contenders.opened(name, directory) as app:
            workload = Workload(app)
            operation.prepare(workload)
            # What is done only once is done before.
            _count(operation.make(workload))
            found[operation.name] = _count(operation.make(workload))
    return found


def _count(made: Slice) -> dict[str, float]:
    calls = statements = 0

    def count_call(_: object, event: str, __: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    def count_statement(execute: Any) -> Any:
        def counting(*arguments: Any) -> Any:
            nonlocal statements
            statements += 1
            return execute(*arguments)

        return counting

    methods = {name: count_statement(getattr(Connection, name)) for name in _EXECUTING}
    gc.collect()
    gc.disable()
    try:
        with mock.patch.multiple(Connection, **methods):
            sys.setprofile(count_call)
            for arguments in made.arguments:
                made.call(*arguments)
            sys.setprofile(None)
    finally:
        sys.setprofile(None)
        gc.enable()
    made_calls = len(made.arguments)
    return {"calls": calls / made_calls, "statements": statements / made_calls}


def _versions() -> dict[str, str]:
    major, minor, _ = platform.python_version_tuple()
    return {"Python": f"{major}.{minor}", "pynenc": version("pynenc")}


if __name__ == "__main__":
    main()
