"""A timeline as SVG: a lane for each process, a bar for each status of an invocation, or operation.

Whatever lies along the time is in per cent of the drawing's width, so that a wider drawing is a
zoomed one: texts keep their size, and nothing has to be computed again.
"""

from __future__ import annotations

import math
from importlib.resources import files
from xml.etree.ElementTree import Element, SubElement, tostring

from pytest_pynenc_state.history.picture import Line, Picture
from pytest_pynenc_state.report.arranging import NARROWEST_PERCENT, OPEN_PERCENT, arranged
from pytest_pynenc_state.report.labels import Label, label_rows, placed_labels

_ROW = 18
_BAR = 14
_LANE_GAP = 8
_AXIS = 22

# Each row of the names of broken rules, above all lanes.
_LABEL = 15

# A text that begins where this ends has no room to the right of it.
_LAST_PERCENT = 95

# A bar shows its call if it is so wide, and at most so much of it; all of it is in its title.
_CALL_PERCENT = 4
_LONGEST_CALL = 48

# At most so many instants are written below.
_TICKS = 10

#: What is said of a record which two clocks do not tell the place of.
ORDER_UNKNOWN = "perhaps before the one in front of it"

#: What a drawing looks like; the colours of a page that has it may be its own.
STYLE = (files(__package__) / "templates" / "timeline.css").read_text(encoding="utf-8")


def drawn(picture: Picture) -> str:
    """The SVG element, as text; every text in it is escaped."""
    return _as_text(_Drawing(picture, "; as a table below").element())


def standalone(picture: Picture) -> str:
    """The same with its style, for any page."""
    element = _Drawing(picture, "").element()
    style = Element("style")
    style.text = STYLE
    element.insert(0, style)
    return _as_text(element)


def _as_text(element: Element) -> str:
    return tostring(element, encoding="unicode", method="html")


class _Drawing:
    def __init__(self, picture: Picture, elsewhere: str) -> None:
        self._picture = picture
        # Where those find it who cannot see it.
        self._elsewhere = elsewhere
        # Some room behind the last record, so that its bar is one.
        self._lasts_s = picture["lasts_s"] * 1.02 or 1.0
        self._rows = arranged(picture)
        self._labels = placed_labels(picture, self._percent)
        self._marked = {(label.line, label.step) for label in self._labels}
        self._tops = self._lane_tops()
        self._height = self._tops[-1] + _AXIS

    def element(self) -> Element:
        picture = self._picture
        count = len(picture["lines"])
        lines = "invocations" if picture["kind"] == "histories" else "operations"
        svg = Element(
            "svg",
            {
                "class": "timeline",
                "width": "100%",
                "height": str(self._height),
                "data-lasts": f"{self._lasts_s:.9f}",
                "role": "img",
                "aria-label": f"Timeline of {count} {lines} in {len(picture['lanes'])} "
                f"processes, {picture['lasts_s']:.3f} seconds{self._elsewhere}",
            },
        )
        self._add_lanes(svg)
        self._add_axis(svg)
        self._add_links(svg)
        for number, line in enumerate(picture["lines"]):
            for position in range(len(line["steps"])):
                self._add_bar(svg, number, position)
        self._add_marks(svg)
        return svg

    def _lane_tops(self) -> list[int]:
        """Where each lane begins; behind these, where the last one ends."""
        tops = [_LABEL * label_rows(self._labels)]
        for lane in range(len(self._picture["lanes"])):
            rows = max(
                (row for row_lane, row in self._rows.values() if row_lane == lane), default=0
            )
            tops.append(tops[-1] + _ROW * (rows + 2) + _LANE_GAP)
        return tops

    def _top(self, number: int, position: int) -> int:
        lane, row = self._rows[number, position]
        return self._tops[lane] + _ROW * (row + 1)

    def _percent(self, seconds: float) -> float:
        return 100 * seconds / self._lasts_s

    def _add_lanes(self, svg: Element) -> None:
        for number, name in enumerate(self._picture["lanes"]):
            top = self._tops[number]
            height = self._tops[number + 1] - top - _LANE_GAP
            kind = "lane odd" if number % 2 else "lane"
            SubElement(
                svg, "rect", {"class": kind, "y": str(top), "width": "100%", "height": str(height)}
            )
            label = SubElement(svg, "text", {"class": "lane-name", "x": "4", "y": str(top + 13)})
            # The processes of operations are numbers.
            label.text = name if self._picture["kind"] == "histories" else f"process {name}"

    def _add_axis(self, svg: Element) -> None:
        axis = SubElement(svg, "g", {"class": "axis"})
        step_s = _round_step(self._lasts_s / _TICKS)
        for tick in range(int(self._lasts_s / step_s) + 1):
            percent = self._percent(tick * step_s)
            x = f"{percent:.4f}%"
            bottom = str(self._height - _AXIS)
            SubElement(axis, "line", {"class": "tick", "x1": x, "x2": x, "y1": "0", "y2": bottom})
            anchor = "middle" if tick else "start"
            if percent > _LAST_PERCENT:
                anchor = "end"
            at = {"class": "time", "x": x, "y": str(self._height - 7), "text-anchor": anchor}
            seconds = tick * step_s
            text = f"{seconds * 1000:.6g} ms" if self._lasts_s < 1 else f"{seconds:.6g} s"
            SubElement(axis, "text", at).text = text

    def _add_links(self, svg: Element) -> None:
        """A line from each parent, where it ran when its child was registered, to the child."""
        numbers = {line["invocation_id"]: n for n, line in enumerate(self._picture["lines"])}
        for number, line in enumerate(self._picture["lines"]):
            parent = numbers.get(line["parent_id"])
            if parent is None:
                continue
            since_s = line["steps"][0]["since_s"]
            position = _at(self._picture["lines"][parent], since_s)
            x = f"{self._percent(since_s):.4f}%"
            ends = {"y1": str(self._top(parent, position)), "y2": str(self._top(number, 0))}
            SubElement(svg, "line", {"class": "link", "x1": x, "x2": x, **ends})

    def _add_bar(self, svg: Element, number: int, position: int) -> None:
        line = self._picture["lines"][number]
        step = line["steps"][position]
        x, width = self._percent(step["since_s"]), OPEN_PERCENT
        # What there is room for in a drawing that is zoomed.
        zoomed = {}
        if step["until_s"] is not None:
            # Between clocks of two processes a status may end before it began.
            width = max(self._percent(step["until_s"] - step["since_s"]), 0.0)
            if width < NARROWEST_PERCENT:
                zoomed["data-width"] = f"{width:.6f}"
                width = NARROWEST_PERCENT
        label = line["call"]
        if self._picture["kind"] == "histories":
            label = f"{step['status']} · {label[:_LONGEST_CALL]}"
            if width < _CALL_PERCENT:
                zoomed["data-label"], label = label, step["status"]
        marked = " marked" if (number, position) in self._marked else ""
        bar = SubElement(
            svg,
            "svg",
            {
                "class": f"bar status-{slug(step['status'])}{marked}",
                "x": f"{x:.4f}%",
                "y": str(self._top(number, position)),
                "width": f"{width:.4f}%",
                "height": str(_BAR),
                "data-line": str(number),
                "data-step": str(position),
                **zoomed,
            },
        )
        SubElement(bar, "title").text = described(self._picture, number, position)
        SubElement(bar, "rect", {"width": "100%", "height": "100%"})
        SubElement(bar, "text", {"x": "3", "y": "11"}).text = label

    def _add_marks(self, svg: Element) -> None:
        for label in self._labels:
            x = f"{label.percent:.4f}%"
            group = SubElement(svg, "g", {"class": "mark"})
            SubElement(group, "title").text = label.told
            y = {
                "y1": str(_LABEL * (label.row or 0)),
                "y2": str(self._top(label.line, label.step) + _BAR),
            }
            SubElement(group, "line", {"x1": x, "x2": x, **y})
            if label.row is not None:
                SubElement(group, "text", _beside(x, label)).text = label.text


def _beside(x: str, label: Label) -> dict[str, str]:
    """Where the text of a label is, whose row is known: at the side that has room."""
    y = str(_LABEL * ((label.row or 0) + 1) - 3)
    if label.is_before:
        return {"x": x, "dx": "-4", "y": y, "text-anchor": "end"}
    return {"x": x, "dx": "4", "y": y}


def described(picture: Picture, number: int, position: int) -> str:
    """One record, or one operation, in words."""
    line = picture["lines"][number]
    step = line["steps"][position]
    at = instant(step["since_s"], picture["lasts_s"])
    if picture["kind"] == "operations":
        end = "never" if step["until_s"] is None else instant(step["until_s"], picture["lasts_s"])
        return f"{line['call']}\nprocess {step['mover']}, from {at} to {end}: {step['status']}"
    owner = f", owned by {step['owner']}" if step["owner"] else ""
    unknown = f", {ORDER_UNKNOWN}" if step["is_order_unknown"] else ""
    return (
        f"{step['status']} at {at}, set by {step['mover']}{owner}{unknown}\n"
        f"record {position + 1} of {len(line['steps'])} of {line['call']} {line['invocation_id']}"
    )


def _round_step(seconds: float) -> float:
    """The next one of 1, 2 and 5 times a power of ten."""
    power: float = 10 ** math.floor(math.log10(seconds))
    return next(each * power for each in (1, 2, 5, 10) if each * power >= seconds)


def instant(seconds: float, lasts_s: float) -> str:
    """An instant of a picture, in the unit that suits how long it lasts."""
    return f"{seconds * 1000:.3f} ms" if lasts_s < 1 else f"{seconds:.6f} s"


def slug(status: str) -> str:
    """What a status is called in the style."""
    return "".join(letter if letter.isalnum() else "-" for letter in status.lower())


def _at(line: Line, since_s: float) -> int:
    """The position of the step that an invocation was in at an instant."""
    positions = [n for n, step in enumerate(line["steps"]) if step["since_s"] <= since_s]
    return positions[-1] if positions else 0
