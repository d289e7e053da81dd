"""Pictures of histories that nobody has lived through."""

from __future__ import annotations

from pytest_pynenc_state.history.picture import Line, Mark, Picture, Step

_STATUSES = ("registered", "pending", "running", "success")


def made(invocations: int, lanes: int = 4, text: str = "shop.charge(cents=1)") -> Picture:
    """A picture of so many invocations with four records each, in so many processes.

    :param text: What its invocations and processes are called.
    """
    lines = [_line(number, lanes, text) for number in range(invocations)]
    return Picture(
        kind="histories",
        about=text,
        begins_at="2026-01-01T00:00:00+00:00",
        lasts_s=lines[-1]["steps"][-1]["since_s"],
        lanes=[f"{text} {lane}" for lane in range(lanes)],
        lines=lines,
        marks=[Mark(invocation_id="0", step=2, rule=f"one-owner {text}", message=text)],
    )


def _line(number: int, lanes: int, text: str) -> Line:
    return Line(
        invocation_id=str(number),
        call=text,
        parent_id=str(number - 1) if number % 3 else "",
        steps=[
            Step(
                status=status,
                lane=number % lanes if position else 0,
                owner=text if position else "",
                mover=text,
                since_s=(number + position) / 100,
                until_s=None if position == len(_STATUSES) - 1 else (number + position + 1) / 100,
                is_order_unknown=position == 1,
            )
            for position, status in enumerate(_STATUSES)
        ],
    )
