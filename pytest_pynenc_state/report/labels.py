"""Where the names of broken rules go: in rows of their own above the lanes, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from pytest_pynenc_state.history.picture import Picture

# Texts keep their size, whatever the drawing's width is; in a narrow one a letter is so wide.
_LETTER_PERCENT = 1.0


@dataclass(frozen=True)
class Label:
    """The name of a broken rule, at the instant of the record that breaks it.

    :param line: The number of the record's line, and *step* its position there.
    :param told: The rule and what is wrong, for those who point at it.
    :param row: The row that has room for the text; None if the same text is already there.
    """

    line: int
    step: int
    percent: float
    text: str
    told: str
    row: int | None = None

    @property
    def is_before(self) -> bool:
        """Whether the text ends at its instant, because it would leave the drawing behind it."""
        return self.percent > 50  # noqa: PLR2004 - per cent

    @property
    def reaches(self) -> tuple[float, float]:
        """From where to where the text goes, in per cent."""
        width = _LETTER_PERCENT * (len(self.text) + 2)
        if self.is_before:
            return self.percent - width, self.percent
        return self.percent, self.percent + width


def placed_labels(picture: Picture, percent: Callable[[float], float]) -> list[Label]:
    """The labels of *picture* in the order of time, none over another.

    :param percent: Where an instant is, in per cent of the drawing's width.
    """
    rows: list[list[Label]] = []
    placed = []
    for label in sorted(_labels(picture, percent), key=lambda each: each.percent):
        near = [each for row in rows for each in row if _overlap(each, label)]
        if any(each.text == label.text for each in near):
            placed.append(label)
            continue
        number = next((n for n, row in enumerate(rows) if not set(row) & set(near)), len(rows))
        if number == len(rows):
            rows.append([])
        rows[number].append(label)
        placed.append(replace(label, row=number))
    return placed


def label_rows(labels: list[Label]) -> int:
    """How many rows there are."""
    return 1 + max((each.row for each in labels if each.row is not None), default=-1)


def _labels(picture: Picture, percent: Callable[[float], float]) -> Iterator[Label]:
    numbers = {line["invocation_id"]: n for n, line in enumerate(picture["lines"])}
    for mark in picture["marks"]:
        number = numbers.get(mark["invocation_id"])
        if number is None:
            continue
        steps = picture["lines"][number]["steps"]
        position = min(mark["step"], len(steps) - 1)
        yield Label(
            line=number,
            step=position,
            percent=percent(steps[position]["since_s"]),
            text=f"✗ {mark['rule']}",
            told=f"{mark['rule']}: {mark['message']}",
        )


def _overlap(one: Label, other: Label) -> bool:
    return one.reaches[0] < other.reaches[1] and other.reaches[0] < one.reaches[1]
