"""A report as one HTML file: complete, small, and whatever is in it stays text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from pytest_pynenc_state.conformance.clause import all_clauses
from pytest_pynenc_state.report.contents import (
    BackendReport,
    ClauseResult,
    ConformanceReport,
    Finding,
    TestFinding,
)
from pytest_pynenc_state.report.page import as_html
from tests.report.pictures import made

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "' onload='alert(1)' y='",
    "<svg onload=alert(1)>",
    "<!-- --><iframe src=javascript:alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "]]><style>*{display:none}</style>",
    "&lt;b&gt;",
]


class _Elements(HTMLParser):
    """All elements of a page, and all of their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def report(text: str = "plain", invocations: int = 5) -> ConformanceReport:
    """A report with *text* wherever a user's text can be."""
    clauses = list(all_clauses().values())
    results = {
        clause.id: ClauseResult(clause, finding, text, text)
        for clause, finding in zip(clauses, Finding, strict=False)
    }
    backend = BackendReport(text, is_mock=True, results=results, applicable=clauses)
    tests = [
        TestFinding(f"test_it.py::test_it[{text}]", "failed", text, [made(invocations, text=text)])
    ]
    return ConformanceReport({"pynenc": text}, {"backend": text}, [backend], tests)


def test_each_clause_and_each_record_is_on_the_page() -> None:
    """As a row of the matrix, and as a bar and a row of a table."""
    elements = _Elements(as_html(report())).found

    rows = [attributes["id"] for tag, attributes in elements if tag == "tr" and "id" in attributes]
    bars = [each for tag, each in elements if tag == "svg" and "bar" in str(each.get("class"))]
    assert rows == sorted(each.id for each in all_clauses().values())
    assert len(bars) == 5 * 4
    assert {str(each["class"]).removesuffix(" marked") for each in bars} == {
        f"bar status-{status}" for status in ("registered", "pending", "running", "success")
    }


def test_the_record_that_breaks_a_rule_is_marked_and_told() -> None:
    """Its bar, and in words: which invocation it is of, so that nobody has to guess."""
    page = as_html(report())
    elements = _Elements(page).found

    (marked,) = (each for _, each in elements if str(each.get("class")).endswith(" marked"))
    (button,) = (each for tag, each in elements if tag == "button" and "data-line" in each)
    assert (marked["data-line"], marked["data-step"]) == ("0", "2")
    assert (button["data-line"], button["data-step"]) == ("0", "2")
    assert '✗ one-owner plain</strong> <span class="about">plain 0</span>: plain' in page


def _table(page: str) -> list[Any]:
    """The headings and the rows that the script makes a table of."""
    (data,) = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    table: list[Any] = json.loads(data)
    return table


@pytest.mark.parametrize("text", HOSTILE)
def test_the_table_has_each_text_as_it_is(text: str) -> None:
    """Escaped for the page, and whole for the script."""
    _, rows = _table(as_html(report(text)))

    assert len(rows) == 5 * 4
    assert {row[4] for row in rows} == {f"{text} {number}" for number in range(5)}


def test_the_table_says_what_the_drawing_says() -> None:
    """Who called whom, what the order leaves open, and where a rule is broken."""
    headings, rows = _table(as_html(report()))

    of_first = [row for row in rows if row[4] == "plain 0"]
    of_second = [row for row in rows if row[4] == "plain 1"]
    assert headings == ["seconds", "status", "owner", "set by", "invocation", "called by"]
    assert [row[1] for row in of_first] == [
        "registered",
        "pending (perhaps before the one in front of it)",
        "running ✗ one-owner plain",
        "success",
    ]
    assert {row[5] for row in of_first} == {""}
    assert {row[5] for row in of_second} == {"plain 0"}


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_in_it_stays_text(text: str) -> None:
    """No element and no attribute comes from the name of a backend, a task or a failure."""
    plain, hostile = (_Elements(as_html(report(each))).found for each in ("plain", text))

    assert [tag for tag, _ in hostile] == [tag for tag, _ in plain]
    assert [sorted(each) for _, each in hostile] == [sorted(each) for _, each in plain]
    assert not any(name.startswith("on") for _, each in hostile for name in each)


def test_only_its_own_script_and_style_may_run() -> None:
    """The page's policy names them by what they are, and allows no request."""
    page = as_html(report(HOSTILE[0]))
    policy = next(
        str(each["content"])
        for tag, each in _Elements(page).found
        if each.get("http-equiv") == "Content-Security-Policy"
    )
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert re.findall(r"(?:src|href)=\"(?!#)[^\"]*\"", page) == []


def test_a_page_of_5000_records_is_small() -> None:
    """Less than 5 MB."""
    page = as_html(report(invocations=1250))

    assert page.count('class="bar ') == 5000
    assert len(page.encode()) < 5_000_000


def test_a_run_without_anything_to_show_says_so() -> None:
    """Nobody is to wonder whether the file is broken."""
    assert "No clause was checked" in as_html(ConformanceReport({"pynenc": "1"}, {}, []))
