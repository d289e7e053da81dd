"""A report as one HTML file, which needs nothing else: no network, no other file.

Jinja2 escapes every text. The page's own policy lets only the style and the script run that this
package has written.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from pytest_pynenc_state.conformance.clause import Level
from pytest_pynenc_state.history.picture import Line, Picture, Step
from pytest_pynenc_state.report.contents import (
    BackendReport,
    ConformanceReport,
    Finding,
    TestFinding,
)
from pytest_pynenc_state.report.drawing import ORDER_UNKNOWN, STYLE, drawn, slug
from pytest_pynenc_state.report.table import HEADINGS, rows

_TEMPLATES = files(__package__) / "templates"

_SIGNS = {
    Finding.PROVED: "✓",
    Finding.VIOLATED: "✗",
    Finding.KNOWN_BUG: "!",
    Finding.PREVIEW: "~",
    Finding.UNSUPPORTED: "-",
    Finding.UNDECIDED: "?",
    Finding.NOT_RUN: "·",
}


_TITLES = {"histories": "Invocations of", "operations": "Operations on"}

_HEADINGS = {
    "histories": ("seconds", "status", "owner", "set by", "invocation", "called by"),
    "operations": ("from second", "to second", "process", "operation", "a correct store"),
}


@dataclass(frozen=True)
class _Cell:
    """What became of one clause on one backend, to be shown."""

    finding: Finding
    reason: str
    failure: str

    @property
    def sign(self) -> str:
        return _SIGNS[self.finding]

    @property
    def slug(self) -> str:
        return self.finding.replace(" ", "-")


def as_html(report: ConformanceReport) -> str:
    """The page: a matrix of clauses and backends, and the timelines of tests."""
    import jinja2  # the extra "report", which the option has looked for

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(_text("report.html.j2"))
    style, script = _text("style.css") + STYLE, _text("script.js")
    page: str = template.render(
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        versions=report.versions,
        settings=report.settings,
        backends=[
            {"name": backend.name, "sentence": sentence}
            for backend, sentence in zip(report.backends, report.sentences, strict=True)
        ],
        headings=HEADINGS,
        counts=rows(report),
        findings=[str(each) for each in Finding],
        levels=[str(each) for each in Level],
        clauses=list(_clauses(report.backends)),
        tests=[_test(each) for each in report.tests],
    )
    return page


def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _clauses(backends: Sequence[BackendReport]) -> Iterator[dict[str, Any]]:
    known = {clause.id: clause for backend in backends for clause in backend.applicable}
    for clause_id, clause in sorted(known.items()):
        yield {
            "id": clause_id,
            "level": str(clause.level),
            "rule": clause.rule,
            "cells": [_cell(backend, clause_id) for backend in backends],
        }


def _cell(backend: BackendReport, clause_id: str) -> _Cell:
    result = backend.results.get(clause_id)
    if result is None:
        return _Cell(Finding.NOT_RUN, "", "")
    return _Cell(result.finding, result.reason, result.failure)


def _test(found: TestFinding) -> dict[str, Any]:
    return {
        "nodeid": found.nodeid,
        "outcome": found.outcome,
        "text": found.text,
        "pictures": [_picture(each) for each in found.pictures],
    }


def _picture(picture: Picture) -> dict[str, Any]:
    is_record = picture["kind"] == "histories"
    steps = [
        (step, line, number, position)
        for number, line in enumerate(picture["lines"])
        for position, step in enumerate(line["steps"])
    ]
    broken = _broken_rules(picture)
    calls = {line["invocation_id"]: _invocation(line) for line in picture["lines"]}
    return {
        "title": f"{_TITLES[picture['kind']]} {picture['about']}",
        "begins_at": picture["begins_at"],
        "drawing": drawn(picture),
        "headings": _HEADINGS[picture["kind"]],
        "rows": [
            _record(step, line, broken.get((number, position), []), calls)
            if is_record
            else _operation(step, line)
            for step, line, number, position in sorted(steps, key=lambda each: each[0]["since_s"])
        ],
        "marks": list(_marks(picture)),
        "statuses": [
            {"name": name, "slug": slug(name)}
            for name in dict.fromkeys(step["status"] for step, *_ in steps)
        ],
    }


def _marks(picture: Picture) -> Iterator[dict[str, Any]]:
    """Each broken rule, with where its bar is, if it is drawn."""
    numbers = {line["invocation_id"]: n for n, line in enumerate(picture["lines"])}
    for mark in picture["marks"]:
        number = numbers.get(mark["invocation_id"])
        line = None if number is None else picture["lines"][number]
        about = ""
        if line:
            about = _invocation(line) if picture["kind"] == "histories" else _by(line)
        yield {
            "rule": mark["rule"],
            "about": about,
            "message": mark["message"],
            "line": number,
            "step": min(mark["step"], len(line["steps"]) - 1) if line else None,
        }


def _broken_rules(picture: Picture) -> dict[tuple[int, int], list[str]]:
    """The rules that are broken, by the line and the step at which they are."""
    found: dict[tuple[int, int], list[str]] = {}
    for mark in _marks(picture):
        found.setdefault((mark["line"], mark["step"]), []).append(mark["rule"])
    return found


def _invocation(line: Line) -> str:
    return f"{line['call']} {line['invocation_id']}"


def _by(line: Line) -> str:
    return f"{line['call']} in process {line['steps'][0]['mover']}"


def _record(
    step: Step, line: Line, broken: Sequence[str], calls: Mapping[str, str]
) -> tuple[str, ...]:
    status = "".join([step["status"], *(f" ✗ {rule}" for rule in broken)])
    if step["is_order_unknown"]:
        status += f" ({ORDER_UNKNOWN})"
    parent = calls.get(line["parent_id"], line["parent_id"])
    at = f"{step['since_s']:.6f}"
    return (at, status, step["owner"], step["mover"], _invocation(line), parent)


def _operation(step: Step, line: Line) -> tuple[str, ...]:
    end = "never" if step["until_s"] is None else f"{step['until_s']:.6f}"
    return (f"{step['since_s']:.6f}", end, step["mover"], line["call"], step["status"])
