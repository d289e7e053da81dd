"""A history told in plain text: as a table, in one line, and the call it is about.

The text is the same in a terminal and in a file: no colours, no control characters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from reprlib import Repr

from pynenc.runner.runner_context import RunnerContext

from pytest_pynenc_state.history.records import History, Record

#: What to say of an invocation that has been registered, and nothing more.
NO_RUNNER = "no runner has taken it: a test has one if it uses pynenc_runner"

# Longer histories are shown in part: their ends, and what surrounds the mark.
_LONGEST_TIMELINE = 30
_SHOWN_AROUND = 6
_SHOWN_AT_ENDS = 3
_LONGEST_TRAIL = 16

_UUID = re.compile(r"[0-9a-f]{4}([0-9a-f]{4}-)[0-9a-f-]{27}")
_LONGEST_ID = 16

_short = Repr()
_short.maxstring = _short.maxother = 40
_LONGEST_CALL = 160


def call(history: History) -> str:
    """The call in one line: ``shop.payments.charge(order_number='order-1', cents=1350)``.

    Long arguments are shortened. Without a task it is ``invocation <id>``.
    """
    if not history.task:
        return f"invocation {history.invocation_id}"
    given = ", ".join(f"{name}={_value(text)}" for name, text in history.arguments.items())
    told = f"{history.task}({given})"
    return told if len(told) <= _LONGEST_CALL else f"{told[: _LONGEST_CALL - 4]}...)"


def _value(text: str) -> str:
    try:
        return _short.repr(json.loads(text))
    except ValueError:  # another serializer's form
        return _short.repr(text)


def trail(history: History) -> str:
    """The statuses in one line: ``registered > pending +0.010 ThreadRunner 3f2a > running +0.020``.

    Seconds count from the first record. An owner is named where it takes over, and ``?`` stands
    before a status that may as well have come before the one in front of it. Of a long history
    the middle is left out.
    """
    names = runner_names(history)
    parts = []
    for shown in _excerpt(len(history), _LONGEST_TRAIL, _ends(len(history), _LONGEST_TRAIL // 2)):
        if isinstance(shown, int):
            parts.append(_trail_step(history, shown, names))
        else:
            parts.append(f"({_left_out(shown)})")
    return " > ".join(parts) or "no records"


def _trail_step(history: History, position: int, names: dict[str, str]) -> str:
    record = history[position]
    unknown = "?" if position in history.order_unknown else ""
    told = f"{unknown}{record.status}"
    if position:
        told += f" {seconds_since(history, position):+.3f}"
    if record.owner and record.owner != (history[position - 1].owner if position else None):
        told += f" {names[record.owner]}"
    return told


def timeline(history: History, mark: int | None = None) -> list[str]:
    """The records as a table, one line each: number, time, status, owner, and who set it.

    Seconds count from the first record. Of a long history the ends and what surrounds the mark
    are shown, with the number of records left out.

    :param mark: The position to point at with ``>``; the length of the history is its end.
    """
    size = len(history)
    wanted = _ends(size, _SHOWN_AT_ENDS) if mark is not None else _ends(size, _SHOWN_AROUND)
    if mark is not None:
        wanted |= set(range(max(0, mark - _SHOWN_AROUND), min(size, mark + _SHOWN_AROUND + 1)))
    excerpt = list(_excerpt(size, _LONGEST_TIMELINE, wanted))
    rows = _rows(history, [shown for shown in excerpt if isinstance(shown, int)])
    lines = []
    for shown in excerpt:
        if isinstance(shown, int):
            lines.append(f"{'>' if shown == mark else ' '} {rows[shown]}")
        else:
            lines.append(f"  ... {_left_out(shown)} ...")
    if not size:
        return ["  no records"]
    return [*lines, "> the history ends here"] if mark == size else lines


def _rows(history: History, positions: Sequence[int]) -> dict[int, str]:
    names = runner_names(history)
    hosts = {record.process[0] for record in history if record.runner_context}
    cells = {
        position: (
            str(position + 1),
            f"{seconds_since(history, position):+.3f} s",
            str(history[position].status),
            names.get(history[position].owner or "", "nobody"),
            _setter(history[position], names, is_host_told=len(hosts) > 1),
        )
        for position in positions
    }
    widths = [max(map(len, column)) for column in zip(*cells.values(), strict=True)]
    rows = {}
    for position, (number, since, status, owner, setter) in cells.items():
        row = (
            f"{number:>{widths[0]}}  {since:>{widths[1]}}  {status:<{widths[2]}}  "
            f"{owner:<{widths[3]}}  {setter}"
        )
        if position in history.order_unknown:
            row += "  (perhaps before the one above)"
        rows[position] = row
    return rows


def _setter(record: Record, names: dict[str, str], *, is_host_told: bool) -> str:
    context = record.runner_context
    if context is None:
        return f"by {names[record.mover]}"
    host = f" on {context.hostname}" if is_host_told else ""
    return f"pid {context.pid}{host}"


def seconds_since(history: History, position: int) -> float:
    """The seconds from the first record to that at *position*; negative if clocks differ."""
    return (history[position].at - history[0].at).total_seconds()


def runner_names(records: Sequence[Record]) -> dict[str, str]:
    """A short name for each owner and mover: its runner's class, and a part of its id."""
    contexts = {record.mover: record.runner_context for record in records if record.runner_context}
    ids = {each for record in records for each in (record.owner, record.mover) if each}
    return {each: _runner_name(each, contexts.get(each)) for each in ids}


def _runner_name(runner_id: str, context: RunnerContext | None) -> str:
    runner_cls = context.runner_cls if context else ""
    if not runner_cls and _UUID.fullmatch(runner_id):
        runner_cls = "runner"
    rest = runner_id.removeprefix(runner_cls).lstrip("-@") or runner_id
    if uuid := _UUID.search(rest):
        prefix = rest[: uuid.start()].rstrip("-@")
        rest = f"{prefix} {uuid[0][:4]}".lstrip()
    elif len(rest) > _LONGEST_ID:
        rest = f"...{rest[-_LONGEST_ID:]}"
    return f"{runner_cls} {rest}".lstrip()


def _ends(size: int, count: int) -> set[int]:
    return {*range(min(count, size)), *range(max(0, size - count), size)}


def _excerpt(size: int, longest: int, wanted: set[int]) -> Iterator[int | range]:
    """The positions to show, and the ranges of those to leave out."""
    if size <= longest:
        yield from range(size)
        return
    following = 0
    for position in sorted(wanted):
        if position > following:
            yield range(following, position)
        yield position
        following = position + 1


def _left_out(positions: range) -> str:
    return f"{len(positions):,} record{'s' if len(positions) > 1 else ''} left out"
