"""Where the bars of a timeline go: in which lane, and in which row of it."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_pynenc_state.history.picture import Line, Picture

#: A status that lasted no time is still to be seen, and clicked at. In per cent of all the time.
NARROWEST_PERCENT = 0.15

#: So wide is the bar of a status, or of an operation, whose end is not known.
OPEN_PERCENT = 0.8


def arranged(picture: Picture) -> dict[tuple[int, int], tuple[int, int]]:
    """For each line and position its lane, and its row there: bars of a row do not overlap."""
    ends: dict[int, list[float]] = {}
    found = {}
    for since_s, until_s, stays in sorted(_stays(picture)):
        lane = picture["lines"][stays[0][0]]["steps"][stays[0][1]]["lane"]
        rows = ends.setdefault(lane, [])
        row = next((n for n, end_s in enumerate(rows) if end_s < since_s), len(rows))
        rows[row : row + 1] = [until_s]
        found.update(dict.fromkeys(stays, (lane, row)))
    return found


def _stays(picture: Picture) -> Iterator[tuple[float, float, tuple[tuple[int, int], ...]]]:
    """Each stay of an invocation in one lane: since when, until when, and its steps there."""
    percent_s = picture["lasts_s"] / 100
    for number, line in enumerate(picture["lines"]):
        stay: list[tuple[int, int]] = []
        for position, step in enumerate(line["steps"]):
            if stay and step["lane"] != line["steps"][stay[-1][1]]["lane"]:
                yield _bounded(line, stay, percent_s)
                stay = []
            stay.append((number, position))
        yield _bounded(line, stay, percent_s)


def _bounded(
    line: Line, stay: list[tuple[int, int]], percent_s: float
) -> tuple[float, float, tuple[tuple[int, int], ...]]:
    first, last = line["steps"][stay[0][1]], line["steps"][stay[-1][1]]
    until_s = last["until_s"]
    if until_s is None:
        until_s = last["since_s"] + OPEN_PERCENT * percent_s
    narrowest_s = first["since_s"] + NARROWEST_PERCENT * percent_s
    return first["since_s"], max(until_s, narrowest_s), tuple(stay)
