"""A report as a file: JSON for programs, Markdown and HTML for people."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pytest_pynenc_state.conformance.clause import Level
from pytest_pynenc_state.report.contents import BackendReport, ConformanceReport, Finding
from pytest_pynenc_state.report.page import as_html
from pytest_pynenc_state.report.table import HEADINGS, rows

_VERSION = 1


def write(report: ConformanceReport, path: Path) -> None:
    """Write *report* in the form that the name's ending says.

    :raises OSError: The file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # What a test has made up, like half of a surrogate pair, is no reason to write nothing.
    path.write_text(_FORMS[path.suffix](report), encoding="utf-8", errors="backslashreplace")


def as_json(report: ConformanceReport) -> str:
    """One object: ``format``, ``versions``, ``settings``, ``backends`` by name, and ``tests``.

    Each backend has ``proves`` (levels), ``sentence``, ``levels`` (counts by finding), and
    ``clauses``, by id: ``level``, ``rule``, ``finding``, ``reason``, and ``failure``, which is all
    that pytest said of a violation, or of a set-up that failed. Each test that has a timeline has
    ``nodeid``, ``outcome``, ``text`` and ``pictures``, as `history.picture` describes them.
    """
    backends = {
        backend.name: _backend(backend, sentence)
        for backend, sentence in zip(report.backends, report.sentences, strict=True)
    }
    entries = {
        "format": _VERSION,
        "versions": dict(report.versions),
        "settings": dict(report.settings),
        "backends": backends,
        "tests": [asdict(test) for test in report.tests],
    }
    return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"


def as_markdown(report: ConformanceReport) -> str:
    """A table, what may be quoted, and each clause that was not proved, with its reason."""
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    lines = ["# Conformance", "", f"With {versions}.", ""]
    lines += [f"- {sentence}" for sentence in report.sentences]
    lines += ["", *_markdown_table([HEADINGS, *rows(report)])]
    for backend in report.backends:
        rest = [r for r in backend.results.values() if r.finding not in _NOT_LISTED]
        if rest:
            table: list[tuple[str, ...]] = [("clause", "rule", "finding", "reason")]
            table += [(r.clause.id, r.clause.rule, str(r.finding), r.reason) for r in rest]
            lines += ["", f"## {backend.name}", "", *_markdown_table(table)]
    return "\n".join(lines) + "\n"


_FORMS: dict[str, Callable[[ConformanceReport], str]] = {
    ".html": as_html,
    ".json": as_json,
    ".md": as_markdown,
}

_NOT_LISTED = {Finding.PROVED, Finding.NOT_RUN}


def _backend(backend: BackendReport, sentence: str) -> dict[str, Any]:
    return {
        "proves": [str(level) for level in backend.proved_levels],
        "sentence": sentence,
        "is_mock": backend.is_mock,
        "levels": {
            str(level): {str(finding): backend.counts(level)[finding] for finding in Finding}
            for level in Level
        },
        "clauses": {
            clause_id: {
                "level": str(result.clause.level),
                "rule": result.clause.rule,
                "finding": str(result.finding),
                "reason": result.reason,
                "failure": result.failure,
            }
            for clause_id, result in backend.results.items()
        },
    }


def _markdown_table(table: list[tuple[str, ...]]) -> list[str]:
    heading, *body = [[_cell(text) for text in row] for row in table]
    rule = ["---"] * len(heading)
    return [f"| {' | '.join(row)} |" for row in (heading, rule, *body)]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
