"""The colours of statuses: told apart by those, too, who do not see red, green or blue."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from math import dist

import pytest
from pynenc.invocation import InvocationStatus

from pytest_pynenc_state.report.drawing import STYLE, slug

# What eyes make of red, green and blue, in linear light (Machado, Oliveira and Fernandes, 2009).
EYES = {
    "all colours": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "no green": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "no blue": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}

# From linear light to CIE XYZ, and the white that it is compared with.
XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
WHITE = (0.9505, 1.0, 1.089)

# In CIELAB; two of which one can hardly say which is which are 2 or 3 apart.
LEAST_APART = 18.0

# Black or white letters on it: WCAG 2, level AA.
LEAST_CONTRAST = 4.5

Triple = Sequence[float]


def declared(name: str) -> dict[str, str]:
    """The values of a CSS variable, by the status that has it."""
    rules = re.findall(r"^([^{@]+) \{ (.*?) \}", STYLE, flags=re.MULTILINE | re.DOTALL)
    return {
        status: value
        for selectors, body in rules
        for status in re.findall(r"\.status-([a-z-]+)", selectors)
        for value in re.findall(rf"--{name}: (#[0-9a-f]{{6}})", body)
    }


def linear(colour: str) -> Triple:
    values = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in values]


def times(matrix: Sequence[Triple], values: Triple) -> Triple:
    return [sum(a * b for a, b in zip(row, values, strict=True)) for row in matrix]


def seen(colour: str, eyes: Sequence[Triple]) -> Triple:
    """The colour as these eyes see it, in CIELAB."""
    light = [min(max(each, 0.0), 1.0) for each in times(eyes, linear(colour))]
    shares = [a / b for a, b in zip(times(XYZ, light), WHITE, strict=True)]
    x, y, z = (each ** (1 / 3) if each > 0.008856 else 7.787 * each + 16 / 116 for each in shares)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def test_every_status_has_a_colour() -> None:
    """Of the installed pynenc, and of operations."""
    known = {slug(str(status)) for status in InvocationStatus}
    assert known | {"possible", "impossible", "not-in-the-order"} <= declared("status").keys()


@pytest.mark.parametrize("eyes", EYES.values(), ids=EYES)
def test_colours_can_be_told_apart(eyes: Sequence[Triple]) -> None:
    """Those that differ; a recovery has its status's colour, and dashes."""
    colours = sorted(set(declared("status").values()))
    apart = {
        (one, other): dist(seen(one, eyes), seen(other, eyes))
        for one, other in combinations(colours, 2)
    }
    assert len(colours) >= 10
    assert {pair: each for pair, each in apart.items() if each < LEAST_APART} == {}


@pytest.mark.parametrize("status", declared("status"))
def test_what_is_written_on_a_bar_can_be_read(status: str) -> None:
    """In black, or in white where black would be lost."""
    ink = declared("letters").get(status, "#000000")
    light = sorted(times(XYZ, linear(each))[1] for each in (ink, declared("status")[status]))
    assert (light[1] + 0.05) / (light[0] + 0.05) >= LEAST_CONTRAST
