"""``python -m pytest_pynenc_state.conformance`` prints all clauses as a page of Markdown."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import groupby

from pytest_pynenc_state.conformance.clause import Clause, all_clauses

_COMPONENTS = {
    "BE": "The backend as a whole",
    "SB": "State backend",
    "OR": "Orchestrator",
    "BC": "Blocking control",
}

_INTRODUCTION = """# The clauses

What the conformance suite asks of a backend, clause by clause. An id never changes its meaning,
and is never used again. Level `basic` needs one process, `process` several at once, and at level
`crash` one of them is killed. Unless a clause says otherwise, pynenc 0.1.1 has it already.

This page is made from the clauses themselves: `python -m pytest_pynenc_state.conformance`.
"""


def page(clauses: Iterable[Clause]) -> str:
    """All clauses, in the order of their ids, by component."""
    parts = [_INTRODUCTION]
    for component, group in groupby(clauses, lambda clause: clause.id[:2]):
        lines = [f"## {_COMPONENTS[component]}", "", *_HEADING, *map(_row, group), ""]
        parts.append("\n".join(lines))
    return "\n".join(parts)


_HEADING = ("| clause | level | rule | where to look |", "| --- | --- | --- | --- |")


def _row(clause: Clause) -> str:
    return f"| {clause.id} | {clause.level} | {clause.rule}{_versions(clause)} | {clause.hint} |"


def _versions(clause: Clause) -> str:
    if clause.needs:
        return f" (where {clause.needs} is installed)"
    if clause.before is not None:
        return f" (before pynenc {clause.before})"
    return "" if clause.is_of_all_versions else f" (since pynenc {clause.since})"


if __name__ == "__main__":
    sys.stdout.write(page(all_clauses().values()))
