"""The page ``docs/performance.md`` and its plot, from the reports of one run or several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.contenders import PLAIN, PYNENC_SQLITE, SQLITE
from benchmarks.result import Table, Target, target_table

_HEADINGS = {
    "operations": "Single operations",
    "contention": "Several processes",
    "growth": "Large stores",
    "life": "A test's place",
    "races": "Races of processes",
    "runs": "Tasks, end to end",
    "sessions": "Runs of pytest",
    "footprint": "Memory",
}

_INTRODUCTION = """\
# Performance

This page is printed by `tox run -e bench`. All contenders took turns in one run, on a machine
that others use, too: compare the ratios, which are the result. The absolute times are those of
that machine at that moment, and mean nothing elsewhere. {versions}.

The contenders: `sqlite` and `memory` are the backends of this package; `pynenc-sqlite` and
`pynenc-memory` are pynenc's own classes, built as its users build them; `plain` is the limit: the
statements that `sqlite` sends, recorded and sent again on one bare connection of Python's
`sqlite3`, with nothing around them.
"""

_PLOT = """\
![How long single operations take on a logarithmic scale: pynenc's SQLite classes take longest,
this package's are close to the bare statements]({name})
"""

_DOTS_PER_INCH = 100


def write(path: Path, report: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> None:
    """Write the page, and beside it the plot if there is something to be drawn.

    :param others: Reports of the same program in other environments.
    """
    plot = path.with_suffix(".svg")
    is_drawn = _draw(plot, report)
    lines = [_INTRODUCTION.format(versions=_versions(report))]
    targets = [Target(**each) for each in report["targets"]]
    if targets:
        lines += ["## Targets", "", target_table(targets).markdown()]
    for group, tables in report["tables"].items():
        lines += [f"## {_HEADINGS[group]}", ""]
        if group == "operations" and is_drawn:
            lines += [_PLOT.format(name=plot.name)]
        lines += [Table(**table).markdown() for table in tables]
    for other in others:
        lines += [f"## With pynenc {other['versions']['pynenc']}", "", f"{_versions(other)}.", ""]
        lines += list(_tables(other))
    path.write_text("\n".join(lines).rstrip() + "\n")


def _versions(report: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in report["versions"].items())


def _tables(report: Mapping[str, Any]) -> Iterator[str]:
    for tables in report["tables"].values():
        for table in tables:
            yield Table(**table).markdown()


def _draw(path: Path, report: Mapping[str, Any]) -> bool:
    """Draw how long single operations take; do nothing if they were not measured."""
    from matplotlib import pyplot as plt

    data: Mapping[str, Mapping[str, Any]] = report["data"].get("operations", {})
    drawn = [
        name for name in (PYNENC_SQLITE, SQLITE, PLAIN) if all(name in d for d in data.values())
    ]
    if not data or not drawn:
        return False
    figure, axes = plt.subplots(figsize=(8, 5), dpi=_DOTS_PER_INCH, layout="constrained")
    height = 0.8 / len(drawn)
    for place, name in enumerate(drawn):
        axes.barh(
            [row + place * height for row in range(len(data))],
            [series[name]["median_us"] for series in data.values()],
            height,
            label=name,
            xerr=[series[name]["spread_us"] / 2 for series in data.values()],
        )
    axes.set_yticks([row + 0.4 - height / 2 for row in range(len(data))], list(data))
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("microseconds a call, median and interquartile range")
    axes.legend()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return True
