"""What is drawn of a test: plain data, which one process can send to another, and JSON can hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, TypeAlias, TypedDict

from pytest_pynenc_state.history.records import History, Record
from pytest_pynenc_state.history.report import Report
from pytest_pynenc_state.history.timeline import call, runner_names

#: What the lines of a picture are: an invocation, with a step for each of its records; or the
#: call of a process, with one step. Texts alone go from a worker of xdist to its controller.
Kind: TypeAlias = Literal["histories", "operations"]


class Step(TypedDict):
    """One record of an invocation, and how long its status lasted; or one operation.

    :ivar status: The record's; of an operation, what a correct store could have made of it.

    :ivar lane: The number of the lane, of `Picture.lanes`, of the process that owned the
        invocation then, or else of the one that set the status.
    :ivar since_s: Seconds from the first record of the picture.
    :ivar until_s: The same of the next record of the invocation, or of the operation's return;
        None if there is none.
    :ivar is_order_unknown: Whether it may as well have come before the record in front of it.
    """

    status: str
    lane: int
    owner: str
    mover: str
    since_s: float
    until_s: float | None
    is_order_unknown: bool


class Line(TypedDict):
    """One invocation; or one operation, whose ``invocation_id`` is its number in the picture.

    :ivar call: The task and its arguments; or the operation and its outcome.
    :ivar parent_id: The ``invocation_id`` of the invocation that registered it, or nothing.
    """

    invocation_id: str
    call: str
    parent_id: str
    steps: list[Step]


class Mark(TypedDict):
    """Where a rule is broken: at which step of which line."""

    invocation_id: str
    step: int
    rule: str
    message: str


class Picture(TypedDict):
    """All invocations of an app, in the order of their registration; or operations, by their start.

    :ivar about: The app's id; or what the operations are about, and the model that judged them.
    :ivar begins_at: The first record's instant, in ISO 8601; nothing for operations.
    :ivar lanes: The names of the processes, in the order of their first records.
    """

    kind: Kind
    about: str
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
    for record in sorted(_records(told), key=lambda each: each.at):
        lanes.setdefault(_process(record), len(lanes))
    # Of all together: one history may know what runner another one only mentions.
    names = runner_names([record for history in told for record in history])
    lines = [_line(history, begin, lanes, names) for history in told]
    return Picture(
        kind="histories",
        about=report.app_id,
        begins_at=begin.isoformat(),
        lasts_s=max(step["since_s"] for line in lines for step in line["steps"]),
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
    until = [*since[1:], None]
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
