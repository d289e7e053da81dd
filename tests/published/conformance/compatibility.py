"""The page that says what published backends keep of pynenc's contract.

Run as ``python -m tests.published.conformance.compatibility REPORTS PAGE``: it merges the JSON
reports of all runs, which are in the folder REPORTS, into the file PAGE.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.published.conformance.defects import DEFECTS, PYNENCS

BUILDING = "BE-SET-01"
LEVELS = ("basic", "process", "crash")

_INTRODUCTION = """\
# What published backends keep

The conformance suite on backends that others have published, unmodified, on each pynenc that
they work with, and on the newest. `tox run -m published` runs it and writes this page.

A clause that a backend breaks is a known bug, listed below: a run in which it is kept again
fails, so this page cannot outlive a repair unnoticed. One bug may break several clauses. What
depends on the luck of processes and threads, or on the clock, is not checked, but counted as
unsupported, with the reason "fails at times".
pynenc-mongo ran on our mongomock server, not on a MongoDB; pynenc-redis on a real Redis.
"""

_CELLS = """\
A cell has the clauses kept of all that this pynenc has at that level, and what became of the
rest; `-` is a level that the backend does not claim.
"""

_UNBUILDABLE = """\
## What cannot be built

These are installed without complaint, because they allow any newer pynenc. What they have of
other components was checked with pynenc's own memory components in place of those here.
"""

_DEFECTS = """\
## Ten defects

Each is shown by a script that uses nothing but pynenc and the backend, and that a test runs.
"""


class Run:
    """What one backend has shown on one pynenc."""

    def __init__(self, name: str, pynenc: str, found: Mapping[str, Any]) -> None:
        self.name = name
        self.pynenc = pynenc
        self.sentence: str = found["sentence"]
        self.clauses: Mapping[str, Mapping[str, str]] = found["clauses"]
        self._levels: Mapping[str, Mapping[str, int]] = found["levels"]

    @property
    def missing(self) -> str:
        """The components that cannot be built, each with the methods that it lacks."""
        building = self.clauses[BUILDING]
        return building["reason"] if building["finding"] == "known bug" else ""

    @property
    def is_checked(self) -> bool:
        """Whether more was checked than that it cannot be built."""
        return any(counts["proved"] for counts in self._levels.values())

    def cell(self, level: str) -> str:
        """What became of the clauses of a level."""
        counts = self._levels[level]
        total = sum(counts.values())
        if counts["not run"] == total:
            return "-"
        others = ("known bug", "violated", "preview", "unsupported", "undecided", "not run")
        rest = [_counted(counts[each], each) for each in others if counts[each]]
        return ", ".join([f"{counts['proved']} of {total}", *rest])


def _counted(count: int, finding: str) -> str:
    return f"{count} {finding}{'s' if finding == 'known bug' and count > 1 else ''}"


def page(reports: list[Mapping[str, Any]]) -> str:
    """The page as Markdown."""
    runs = [
        Run(name, report["versions"]["pynenc"], found)
        for report in reports
        for name, found in report["backends"].items()
    ]
    runs.sort(key=lambda run: (run.name, PYNENCS.index(run.pynenc)))
    checked = [run for run in runs if run.is_checked]
    parts = [
        [_INTRODUCTION],
        _versions(reports),
        _matrix(checked),
        _unbuildable([run for run in runs if run.missing]),
        *(_broken(name, checked) for name in dict.fromkeys(run.name for run in checked)),
        _defects(),
    ]
    return "\n".join(line for part in parts for line in part)


def _versions(reports: list[Mapping[str, Any]]) -> Iterator[str]:
    yield "Made with"
    yield ""
    for report in reports:
        versions = dict(report["versions"])
        pynenc = versions.pop("pynenc")
        rest = ", ".join(f"{name} {version}" for name, version in versions.items())
        yield f"- pynenc {pynenc}: {rest}"
    yield ""


def _matrix(runs: list[Run]) -> Iterator[str]:
    yield _CELLS
    yield from _heading("backend", "pynenc", *LEVELS)
    for run in runs:
        yield _row(run.name, run.pynenc, *map(run.cell, LEVELS))
    yield ""
    yield from (f"- {run.sentence}" for run in runs)
    yield ""


def _unbuildable(runs: list[Run]) -> Iterator[str]:
    yield _UNBUILDABLE
    yield from _heading("backend", "pynenc", "component", "methods that it lacks")
    for run in runs:
        for component in run.missing.split("; "):
            class_name, _, methods = component.partition(" lacks ")
            yield _row(run.name, run.pynenc, class_name, f"`{methods}`")
    yield ""


def _broken(name: str, runs: list[Run]) -> Iterator[str]:
    """What a backend breaks, once for each clause and reason, with all pynencs."""
    own = [run for run in runs if run.name == name]
    found: dict[tuple[str, str, str], list[str]] = {}
    for run in own:
        for clause_id, clause in run.clauses.items():
            if clause["finding"] not in ("proved", "not run") and clause_id != BUILDING:
                key = (clause_id, clause["rule"], _told(clause))
                found.setdefault(key, []).append(run.pynenc)
    yield f"## {name}"
    yield ""
    yield from _heading("clause", "rule", "what it does instead", "pynenc")
    every = [run.pynenc for run in own]
    for (clause_id, rule, told), pynencs in sorted(found.items()):
        yield _row(clause_id, rule, told, "all" if pynencs == every else ", ".join(pynencs))
    yield ""


def _told(clause: Mapping[str, str]) -> str:
    if clause["finding"] in ("known bug", "unsupported"):
        return clause["reason"]
    return f"{clause['finding']}: {clause['reason']}"


def _defects() -> Iterator[str]:
    yield _DEFECTS
    for defect in DEFECTS:
        yield f"### {defect.title.rstrip('.')}"
        yield ""
        yield f"{defect.backend}, on pynenc {', '.join(defect.pynencs)}:"
        yield ""
        yield from ("```python", defect.code, "```", "")
        yield f"It prints `{defect.printed}`, and should print `{defect.expected}`."
        yield ""


def _heading(*cells: str) -> Iterator[str]:
    yield _row(*cells)
    yield _row(*("---" for _ in cells))


def _row(*cells: str) -> str:
    escaped = (cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def main(folder: Path, target: Path) -> None:
    """Write the page.

    :raises FileNotFoundError: A run has left no report.
    """
    paths = [folder / f"published-pynenc{pynenc}.json" for pynenc in PYNENCS]
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    target.write_text(page(reports).rstrip("\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
