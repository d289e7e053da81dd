"""What is drawn of an app's histories: plain data, which one process can send to another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypedDict

from pytest_pynenc_state.history.records import History, Record
from pytest_pynenc_state.history.report import Report
from pytest_pynenc_state.history.timeline import call, runner_names


class Step(TypedDict):
    """One record of an invocation, and how long its status lasted.

    :ivar lane: The number of the lane, of `Picture.lanes`, of the process that owned the
        invocation then, or else of the one that set the status.
    :ivar since_s: Seconds from the first record of the picture.
    :ivar until_s: The same of the next record of the invocation; of the last one, `since_s`.
    :ivar is_order_unknown: Whether it may as well have come before the record in front of it.
    """

    status: str
    lane: int
    owner: str
    mover: str
    since_s: float
    until_s: float
    is_order_unknown: bool


class Line(TypedDict):
    """One invocation.

    :ivar parent_id: The ``invocation_id`` of the invocation that registered it, or nothing.
    """

    invocation_id: str
    call: str
    parent_id: str
    steps: list[Step]


class Mark(TypedDict):
    """Where a rule is broken: at which step of which invocation."""

    invocation_id: str
    step: int
    rule: str
    message: str


class Picture(TypedDict):
    """All invocations of an app, in the order in which they were registered.

    :ivar begins_at: The first record's instant, in ISO 8601.
    :ivar lanes: The names of the processes, in the order of their first records.
    """

    app_id: str
    begins_at: str
    lasts_s: float
    lanes: list[str]
    lines: list[Line]
    marks: list[Mark]


def picture(report: Report, histories: Sequence[History]) -> Picture | None:
    """What is to be drawn of *histories* and of what *report* says of them; None if nothing."""
    told = sorted((each for each in histories if len(each)), key=lambda each: each[0].at)
    if not told:
        return None
    begin = min(record.at for history in told for record in history)
    lanes: dict[str, int] = {}
    names: dict[str, str] = {}
    for record in sorted(_records(told), key=lambda each: each.at):
        lanes.setdefault(_process(record), len(lanes))
    for history in told:
        names.update(runner_names(history))
    lines = [_line(history, begin, lanes, names) for history in told]
    return Picture(
        app_id=report.app_id,
        begins_at=begin.isoformat(),
        lasts_s=max(step["until_s"] for line in lines for step in line["steps"]),
        lanes=[names[each] for each in lanes],
        lines=lines,
        marks=[
            Mark(
                invocation_id=verdict.witness.history.invocation_id,
                step=verdict.witness.position or 0,
                rule=verdict.rule,
                message=verdict.message,
            )
            for verdict in report.violations
            if verdict.witness
        ],
    )


def _records(histories: Iterable[History]) -> Iterable[Record]:
    return (record for history in histories for record in history)


def _process(record: Record) -> str:
    return record.owner or record.mover


def _line(history: History, begin: datetime, lanes: dict[str, int], names: dict[str, str]) -> Line:
    since = [(record.at - begin).total_seconds() for record in history]
    until = [*since[1:], since[-1]]
    return Line(
        invocation_id=history.invocation_id,
        call=call(history),
        parent_id=history[0].registered_by or "",
        steps=[
            Step(
                status=str(record.status),
                lane=lanes[_process(record)],
                owner=names.get(record.owner or "", ""),
                mover=names[record.mover],
                since_s=since[position],
                until_s=until[position],
                is_order_unknown=position in history.order_unknown,
            )
            for position, record in enumerate(history)
        ],
    )
