"""How a plain table is laid out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

LABEL = 25
CELL = 17


def titled(title: str, label: str, columns: Sequence[str], width: int = CELL) -> Iterator[str]:
    """The lines above the rows of a table."""
    yield ""
    yield title
    yield row(label, columns, width)
    yield "-" * (LABEL + len(columns) * width)


def row(label: str, cells: Sequence[str], width: int = CELL) -> str:
    """One line of a table."""
    return f"{label:{LABEL}}" + "".join(f"{cell:>{width}}" for cell in cells)


def short(value: float) -> str:
    """A number with about three digits, or more if it is large."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def verdict(is_met: bool) -> str:  # noqa: FBT001 - the only argument
    """Whether a target is met, in a word."""
    return "met" if is_met else "MISSED"
