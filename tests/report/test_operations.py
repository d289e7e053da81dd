"""Operations as they are drawn: those around the impossible one, each with what it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_pynenc_state.history.linearizability import Impossible, check_linearizable
from pytest_pynenc_state.history.models import MODELS
from pytest_pynenc_state.history.operations import Ending, Operation
from pytest_pynenc_state.history.operations_picture import operations_picture
from pytest_pynenc_state.history.picture import Picture
from pytest_pynenc_state.report.drawing import drawn, standalone
from tests.report.test_page import HOSTILE

NS_PER_MS = 1_000_000


def read(number: int, value: int, key: str = "it", process: str = "reader") -> Operation:
    """A reading of how often was tried again, of a millisecond, two milliseconds after another."""
    start_ns = 2 * number * NS_PER_MS
    end_ns = start_ns + NS_PER_MS
    name = "get_invocation_retries"
    return Operation(process, key, name, (), Ending.OK, value, start_ns, end_ns)


def registered(key: str = "it") -> Operation:
    return Operation(
        "client", key, "register_new_invocations", ("client",), Ending.OK, None, 0, NS_PER_MS
    )


def impossible(*operations: Operation) -> Impossible:
    """Where they become so."""
    (found,) = check_linearizable(operations, MODELS["retries"]).impossible
    return found


def test_an_operation_is_where_and_when_it_was() -> None:
    """In the lane of its process, from its call to its return."""
    picture = operations_picture("retries", impossible(registered(), read(1, 0), read(2, 7)))

    # Two models may find one thing impossible: neither picture is to replace the other.
    assert picture["about"] == "it, by model retries"
    assert picture["lanes"] == ["client", "reader"]
    assert [line["steps"][0]["status"] for line in picture["lines"]] == [
        "possible",
        "possible",
        "impossible",
    ]
    last = picture["lines"][-1]["steps"][0]
    assert (last["lane"], last["mover"]) == (1, "reader")
    assert (last["since_s"], last["until_s"]) == pytest.approx((0.004, 0.005))
    assert picture["lasts_s"] == pytest.approx(0.005)


def test_what_is_far_away_is_not_drawn() -> None:
    """A hundred before it are, and it is still the one that is marked."""
    reads = [read(number, 0) for number in range(1, 500)]
    picture = operations_picture("retries", impossible(registered(), *reads, read(500, 7)))

    (mark,) = picture["marks"]
    assert len(picture["lines"]) == 101
    assert mark["invocation_id"] == "101"
    assert picture["lines"][100]["call"] == "get_invocation_retries() = 7"


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("draw", [drawn, standalone])
def test_what_is_in_it_stays_text(text: str, draw: Callable[[Picture], str]) -> None:
    """Whatever a process or a thing is called."""
    found = impossible(registered(text), read(1, 7, key=text, process=text))
    plain = impossible(registered("it"), read(1, 7))
    pages = [draw(operations_picture("retries", each)) for each in (found, plain)]

    assert pages[0].count("<") == pages[1].count("<")
