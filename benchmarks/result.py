"""What a group of measurements has to tell: tables, targets, and the numbers behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tabulate import tabulate


@dataclass(frozen=True)
class Settings:
    """How much is measured, and of whom.

    :param rounds: How often the contenders take turns, where a turn takes milliseconds.
    :param is_quick: Whether sizes are so small that numbers mean nothing: to try the program.
    :param names: The contenders.
    :param directory: An empty folder for their files.
    """

    rounds: int
    is_quick: bool
    names: Sequence[str]
    directory: Path

    def either(self, usual: Any, quick: Any) -> Any:
        """The usual size of something, or the quick one."""
        return quick if self.is_quick else usual


@dataclass(frozen=True)
class Table:
    """One table.

    :param columns: The headers, that of the labels first.
    :param rows: The cells, a label first.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def text(self) -> str:
        """The table for a terminal."""
        return f"\n{self.title}\n{self._laid_out('simple')}"

    def markdown(self) -> str:
        """The table for a page."""
        return f"{self.title}:\n\n{self._laid_out('github')}\n"

    def _laid_out(self, style: str) -> str:
        alignment = ("left", *["right"] * (len(self.columns) - 1))
        laid_out: str = tabulate(
            self.rows, self.columns, tablefmt=style, disable_numparse=True, colalign=alignment
        )
        return laid_out


@dataclass(frozen=True)
class Target:
    """Something that was promised, and what was measured of it."""

    work: str
    wanted: str
    measured: str
    is_met: bool


@dataclass
class Result:
    """All that one group has found."""

    tables: list[Table] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)


def target_table(targets: Sequence[Target]) -> Table:
    """All targets in one table."""
    rows = [
        (each.work, each.wanted, each.measured, "met" if each.is_met else "MISSED")
        for each in targets
    ]
    return Table("Targets", ("work", "target", "measured", ""), rows)


def combined(results: Mapping[str, Result]) -> dict[str, Any]:
    """What all groups have found, as it is written to a file."""
    return {
        "targets": [asdict(each) for result in results.values() for each in result.targets],
        "tables": {
            group: [asdict(table) for table in result.tables] for group, result in results.items()
        },
        "data": {group: result.data for group, result in results.items()},
    }


def number(value: float) -> str:
    """About three digits, or more if it is large."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"
