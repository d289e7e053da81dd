"""The summary of a run's clauses as lines of text."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_pynenc_state.conformance.clause import Level
from pytest_pynenc_state.report.contents import BackendReport, ConformanceReport, Finding

# So many columns have words, and all others numbers.
_WORDS = 2

# Of these, pytest itself says nothing unless asked to; of what has failed it says all.
_NOTED = {Finding.KNOWN_BUG, Finding.PREVIEW, Finding.UNSUPPORTED, Finding.UNDECIDED}

HEADINGS = ("backend", "level", *(str(finding) for finding in Finding))


def rows(report: ConformanceReport) -> list[tuple[str, ...]]:
    """One row for each backend and level, in the columns of `HEADINGS`."""
    return [_row(backend, level) for backend in report.backends for level in Level]


def summary_lines(report: ConformanceReport) -> list[str]:
    """The table, what was not proved and why, and what may be quoted."""
    table = _aligned([HEADINGS, *rows(report)])
    idle = [
        f"{backend.name} ran no clause, so this run proves nothing about it"
        for backend in report.backends
        if backend.ran_nothing
    ]
    noted = [
        f"{backend.name} {result.clause.id} {result.finding}: {result.reason}"
        for backend in report.backends
        for result in backend.results.values()
        if result.finding in _NOTED and not result.failure
    ]
    return [*table, "", *noted, *idle, *report.sentences]


def _row(backend: BackendReport, level: Level) -> tuple[str, ...]:
    counts = backend.counts(level)
    return (backend.name, str(level), *(str(counts[finding]) for finding in Finding))


def _aligned(table: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column < _WORDS else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
