"""The rules between invocations: what must not happen at once, and what only within another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from datetime import timedelta
from itertools import chain, pairwise, zip_longest
from typing import Any

from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.compat import WORKING_STATUSES
from pytest_pynenc_state.history.arranging import CLOCK_TOLERANCE
from pytest_pynenc_state.history.facts import OPEN_END, AppFacts, InvocationFacts
from pytest_pynenc_state.history.records import History, Record
from pytest_pynenc_state.history.rule import Objection, Rule
from pytest_pynenc_state.history.rules import INTERRUPTIONS
from pytest_pynenc_state.history.verdict import Outcome
from pytest_pynenc_state.history.windows import Overlap, Window, overlaps

_CLOCKS_MAY_MISLEAD = ", unless the clocks of their hosts mislead"


def none_run_at_once(facts: AppFacts) -> Iterator[Objection]:
    """Find invocations that began to run while another one of the same running key ran.

    Between hosts, an overlap that their clocks may have made up is undecided.
    """
    runs: defaultdict[Hashable, list[Window[History]]] = defaultdict(list)
    for each in facts.invocations:
        if each.running_key is not None:
            runs[each.running_key].extend(_runs(each.history))
    for windows in runs.values():
        yield from map(_at_once, overlaps(windows))


def children_within_parents(facts: AppFacts) -> Iterator[Objection]:
    """Find children that were registered by somebody else than their parent's running task.

    Undecided if the parent is not in the store, or was cut off (its thread may have gone on),
    or was still running when it was read, or if the clocks of two hosts may have made it up.
    """
    for each in facts.invocations:
        if not each.history.records:
            continue
        registered_by = each.history.records[0].registered_by
        if registered_by != each.parent_id:
            message = (
                f"it was registered by {_task_of(registered_by, facts)}, "
                f"but its parent is {_task_of(each.parent_id, facts)}"
            )
            yield Objection(each.history, message, 0)
        elif each.parent_id and (objection := _outside(each, facts.by_id.get(each.parent_id))):
            yield objection


def services_apart(facts: AppFacts) -> Iterator[Objection]:
    """Find atomic services of which one began before that of another runner had ended.

    An end that somebody else wrote, because the runner was gone, decides nothing; nor does an
    overlap that the clocks of two hosts may have made up.
    """
    windows = [
        Window(each, each.start, each.end, each.host, each.is_end_known)
        for each in facts.services
        if each.end > each.start
    ]
    for overlap in overlaps(windows):
        earlier, later = overlap.earlier.holder, overlap.later.holder
        message = (
            f"{later.runner_id} began atomic services at {later.start.isoformat()}, "
            f"{_before_end(overlap)} {earlier.runner_id} ended them{_doubt_of(overlap)}"
        )
        yield Objection(None, message, outcome=_outcome(overlap))


def _runs(history: History) -> Iterator[Window[History]]:
    """The stretches in which an invocation was RUNNING."""
    for position, (record, after) in enumerate(_stretches(history.records)):
        if record.status is InvocationStatus.RUNNING:
            end = max(record.at, after.at) if after else OPEN_END
            host = _host(record)
            if after and _host(after) != host:
                host = None
            yield Window(history, record.at, end, host, position=position)


def _stretches(records: Sequence[Record]) -> Iterator[tuple[Record, Record | None]]:
    """Each record with the one that ended its status; the last one with None."""
    return zip_longest(records, records[1:])


def _at_once(overlap: Overlap[History]) -> Objection:
    earlier, later = overlap.earlier.holder, overlap.later.holder
    message = (
        f"it began to run {_before_end(overlap)} {earlier.invocation_id} stopped, though "
        f"running_concurrency allows one of them at a time{_doubt_of(overlap)}"
    )
    return Objection(later, message, overlap.later.position, (earlier,), _outcome(overlap))


def _before_end(overlap: Overlap[Any]) -> str:
    """How long before the end of the earlier window; to be followed by whose and what."""
    if overlap.earlier.end == OPEN_END:
        return "before"
    by_ms = (overlap.earlier.end - overlap.later.start) / timedelta(milliseconds=1)
    return f"{by_ms:.3f} ms before"


def _doubt_of(overlap: Overlap[Any]) -> str:
    if overlap.is_sure:
        return ""
    if not overlap.earlier.is_end_known:
        return ", as far as another runner could tell"
    return _CLOCKS_MAY_MISLEAD


def _outcome(overlap: Overlap[Any]) -> Outcome:
    return Outcome.VIOLATED if overlap.is_sure else Outcome.UNDECIDED


def _outside(child: InvocationFacts, parent: InvocationFacts | None) -> Objection | None:
    """Object to a child that was registered while its parent did not run."""
    history = child.history
    if parent is None or not parent.history.records:
        message = f"its parent {child.parent_id} is not in the store"
        return Objection(history, message, 0, outcome=Outcome.UNDECIDED)
    registered = history.records[0]
    front: list[Record] = []  # the parent's records in front of the child's registration
    for record, after in _stretches(parent.history.records):
        if record.at > registered.at:
            break
        if _is_working(record) and (after is None or registered.at <= after.at):
            return None
        front.append(record)
    name = f"its parent {parent.history.invocation_id}"
    told = f"when the status of {name} was {front[-1].status}" if front else f"before {name} was"
    doubt = _doubt(registered, front, parent.history)
    message = f"it was registered {told}{doubt}"
    outcome = Outcome.UNDECIDED if doubt else Outcome.VIOLATED
    return Objection(history, message, 0, (parent.history,), outcome)


def _doubt(child: Record, front: Sequence[Record], parent: History) -> str:
    """Why a child outside of its parent's runs may be right after all; empty if it is not."""
    if any(_is_working(a) and b.status in INTERRUPTIONS for a, b in pairwise(front)):
        return ", but an attempt that was cut off may have gone on"
    if len(front) == len(parent) and not parent.is_final:
        return ", but it may have moved on since it was read"
    edges = [(a, b or a) for a, b in _stretches(parent.records) if _is_working(a)]
    for edge in chain.from_iterable(edges):
        is_one_clock = _host(child) is not None and _host(child) == _host(edge)
        if abs(edge.at - child.at) <= CLOCK_TOLERANCE and not is_one_clock:
            return _CLOCKS_MAY_MISLEAD
    return ""


def _is_working(record: Record) -> bool:
    return record.status in WORKING_STATUSES


def _host(record: Record) -> str | None:
    process = record.process
    return process[0] if isinstance(process, tuple) else None


def _task_of(invocation_id: str | None, facts: AppFacts) -> str:
    if invocation_id is None:
        return "no task"
    known = facts.by_id.get(invocation_id)
    task = known.history.task if known else ""
    return f"{task} {invocation_id}".lstrip()


NONE_RUN_AT_ONCE = Rule(
    "none-run-at-once",
    "Of the invocations that running_concurrency keeps apart, one runs at a time.",
    "pynenc: the task options running_concurrency and key_arguments",
    none_run_at_once,
)
CHILDREN_WITHIN_PARENTS = Rule(
    "children-within-parents",
    "A child is registered by its parent, while that runs.",
    "pynenc: parent_invocation_id, and registered_by_inv_id in the history",
    children_within_parents,
)
SERVICES_APART = Rule(
    "services-apart",
    "The atomic services of an app run on one runner at a time.",
    "pynenc: record_atomic_service_execution_start admits one at a time",
    services_apart,
)
