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

This page is printed by `tox run -e bench-rustvello,bench`. All contenders were measured in one
run, and took turns where a turn is short, on a machine that others use, too: compare the ratios,
which are the result. The absolute times are those of that machine at that moment, and mean nothing
elsewhere. {versions}.

The contenders: `sqlite` and `memory` are the backends of this package; `pynenc-sqlite` and
`pynenc-memory` are pynenc's own classes, built as its users build them; `plain` is the limit: the
statements that `sqlite` sends, recorded and sent again on one bare connection of Python's
`sqlite3`, with nothing around them.
"""

_PLOT = """\
![How long single operations take on a logarithmic scale: pynenc's SQLite classes take longest,
this package's are close to the bare statements]({name})
"""

_LIMITS = """\
## What limits them

- **Single operations on SQLite.** `pynenc-sqlite / plain` is the most that could be gained with
  these statements: most of a write is the write-ahead log, most of a read are the locks of the
  file. What is left of `plain / sqlite` is Python: pynenc's rules that a transition asks, the
  record objects that a history consists of (half of what reading four of them takes), and the lock
  of each connection, for which a fork waits. pynenc's classes open a connection for each call:
  this is what the factor is made of.
- **Memory.** What is written is copied, and so is what is read, so that nobody can change what is
  stored by changing what was given or returned; pynenc's classes hand out what they keep. To build
  the records of a history anew takes longer than pynenc takes to sort its own. Indexes are made
  when somebody reads: the first read after many writes takes what they would have taken.
- **A test's place.** `memory` shows what pynenc needs to configure an app and two components;
  the rest is a file that is copied, opened, read for the first time (SQLite parses the schema) and
  removed. A `pyproject.toml` in the working directory, which pynenc parses for each class of each
  component's settings, is parsed once for all tests; each looks whether it has changed.
- **Several processes.** One process writes at a time, so that four change no more statuses than one
  does by itself, however short their pauses are. pynenc's classes leave the lock to others while
  they open and close their connections, which two processors do at once.
- **Worst cases.** A transition waits for whoever is writing, and for the machine: the row `no
  store` has processes that do nothing but compute.
- **Two workers of pytest-xdist** and their controller share two processors, caches and a clock: by
  the clock, each waits for the others. `other work` shows what becomes of tests that have nothing
  to do with the plugin, and take one run as long.
- **An installed plugin that nobody uses** adds its options, fixtures and hooks to each run of
  pytest: five small modules. Three of them go round pytest's import hook, which takes as long to
  read one as Python takes to read ten.
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
    lines += [_LIMITS]
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
