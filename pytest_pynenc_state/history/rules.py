"""The rules that each invocation keeps or breaks by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from pynenc.invocation.status import InvocationStatus, get_status_definition

from pytest_pynenc_state.history.facts import AppFacts, InvocationFacts
from pytest_pynenc_state.history.ordering import may_be_legal
from pytest_pynenc_state.history.records import History, Record
from pytest_pynenc_state.history.rule import Objection, Rule, of_each
from pytest_pynenc_state.history.status_machine import (
    leaver_objection,
    owner_objection,
    transition_objection,
)
from pytest_pynenc_state.history.stored import agrees, aware
from pytest_pynenc_state.history.verdict import Outcome

#: The statuses after which an attempt may have left a result or an exception behind.
INTERRUPTIONS = frozenset(
    status
    for status in InvocationStatus
    if get_status_definition(status).overrides_ownership
    or status in {InvocationStatus.KILLED, InvocationStatus.REROUTED}
)


def ends_are_final(one: InvocationFacts) -> Objection | None:
    """Find the first record that follows a final status."""
    return _first_step(one.history, _end_objection)


def one_owner(one: InvocationFacts) -> Objection | None:
    """Find the first record that takes an invocation from its owner, or somebody else moved."""
    return _first_step(
        one.history, lambda before, after: _taken(before, after) or leaver_objection(before, after)
    )


def legal_transitions(one: InvocationFacts) -> Objection | None:
    """Find the first status that pynenc does not allow after the one in front of it."""
    return _first_step(one.history, transition_objection)


def ownership_kept(one: InvocationFacts) -> Objection | None:
    """Find the first record with an owner that its status does not have by its definition.

    What `one_owner` objects to is left to it.
    """
    return _first_step(
        one.history,
        lambda before, after: "" if _taken(before, after) else owner_objection(before, after),
    )


def retries_counted(one: InvocationFacts) -> Objection | None:
    """Compare the RETRY records with the orchestrator's count, and with what the task allows.

    The count goes up just after the status, so that a history which ends there may be ahead by
    one. It is read after the history, so that it may be ahead of one that has not ended. Of an
    invocation that the orchestrator does not know, there is no count.
    """
    history = one.history
    places = [
        position
        for position, record in enumerate(history.records)
        if record.status is InvocationStatus.RETRY
    ]
    count = len(places)
    if one.max_retries is not None and count > one.max_retries:
        message = f"it was retried {_times(count)}, but its task has max_retries={one.max_retries}"
        return Objection(history, message, places[one.max_retries])
    if one.status_record is None or count == one.retries:
        return None
    message = f"it was retried {_times(count)}, but the orchestrator counted {one.retries}"
    place = places[-1] if places else None
    if count == one.retries + 1 and place == len(history) - 1:
        message += ", perhaps not yet the last one"
        return Objection(history, message, place, outcome=Outcome.UNDECIDED)
    if count < one.retries and not history.is_final:
        message += ", perhaps one since the history was read"
        return Objection(history, message, place, outcome=Outcome.UNDECIDED)
    return Objection(history, message, place)


def result_iff_success(one: InvocationFacts) -> Objection | None:
    """Compare the end of an invocation with whether it has a result."""
    return _stored_iff(one, InvocationStatus.SUCCESS, "result", is_stored=one.has_result)


def exception_iff_failed(one: InvocationFacts) -> Objection | None:
    """Compare the end of an invocation with whether it has an exception."""
    return _stored_iff(one, InvocationStatus.FAILED, "exception", is_stored=one.has_exception)


def status_agrees(facts: AppFacts) -> Iterator[Objection]:
    """Compare each status with the last record of the history.

    An orchestrator that knows no status at all was purged as a whole. One that does not know
    what ended long ago may have purged that by its age.
    """
    known = [each for each in facts.invocations if each.status_record is not None]
    if facts.invocations and not known:
        message = "the orchestrator knows no status of any invocation: was it purged?"
        yield Objection(None, message, outcome=Outcome.UNDECIDED)
        return
    for each in facts.invocations:
        if objection := _disagreement(each, facts.forgotten_before):
            yield _excused(objection, each, facts.cut_off_since)


def _first_step(
    history: History, objection_to: Callable[[Record | None, Record], str]
) -> Objection | None:
    before = None
    for position, after in enumerate(history.records):
        if message := objection_to(before, after):
            if may_be_legal(history.records):
                message += ", unless the order was another one: two clocks do not tell"
                return Objection(history, message, position, outcome=Outcome.UNDECIDED)
            return Objection(history, message, position)
        before = after
    return None


def _end_objection(before: Record | None, after: Record) -> str:
    if before is None or not before.status.is_final():
        return ""
    return f"{after.mover} set {after.status} after {before.status}, which is final"


def _taken(before: Record | None, after: Record) -> str:
    """Say from whom *after* took an invocation that was not released, or return nothing."""
    if before is None or get_status_definition(before.status).releases_ownership:
        return ""
    if before.owner is None or after.owner in {None, before.owner}:
        return ""
    return f"{after.status} belongs to {after.owner}, but {before.owner} had not released it"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _a(what: str) -> str:
    return f"an {what}" if what[0] in "aeiou" else f"a {what}"


def _stored_iff(
    one: InvocationFacts, status: InvocationStatus, what: str, *, is_stored: bool
) -> Objection | None:
    """Object if *what* is stored of an invocation that did not end as *status*, or the reverse.

    pynenc stores it before it sets the status, so that only what has ended is judged, and an
    attempt that was cut off may have left it behind.
    """
    history = one.history
    if not history.is_final or (history.records[-1].status == status) == is_stored:
        return None
    ended = f"it ended as {history.records[-1].status}"
    if not is_stored:
        return Objection(history, f"{ended}, but no {what} is stored", len(history) - 1)
    cut_off = _interruption(history)
    if cut_off is None:
        return Objection(history, f"{ended}, but {_a(what)} is stored", len(history) - 1)
    message = f"{ended}, but {_a(what)} is stored, perhaps by the attempt that was cut off here"
    return Objection(history, message, cut_off, outcome=Outcome.UNDECIDED)


def _interruption(history: History) -> int | None:
    """The position of the first record that cut an attempt off, or None."""
    has_run = False
    for position, record in enumerate(history.records):
        if has_run and record.status in INTERRUPTIONS:
            return position
        has_run = has_run or record.status is InvocationStatus.RUNNING
    return None


def _disagreement(one: InvocationFacts, forgotten_before: datetime) -> Objection | None:
    history, status_record = one.history, one.status_record
    last = history.records[-1] if history.records else None
    end = len(history) - 1
    if status_record is None and last is not None:
        message = "it has a history, but the orchestrator does not know its status"
        if not history.is_final or last.at > forgotten_before:
            return Objection(history, message, end)
        message += ", which it may have purged by its age"
        return Objection(history, message, end, outcome=Outcome.UNDECIDED)
    if status_record is None or (last is not None and agrees(last, status_record)):
        return None
    stands = f"the orchestrator has {_owned(status_record.status, status_record.runner_id)}"
    if last is None:
        return Objection(history, f"{stands}, but there is no history")
    if (status_record.status, status_record.runner_id) != (last.status, last.owner):
        message = f"{stands}, but the history ends with {_owned(last.status, last.owner)}"
        return Objection(history, message, end)
    apart_ms = (aware(status_record.timestamp) - last.at) / timedelta(milliseconds=1)
    place = "after" if apart_ms > 0 else "before"
    message = f"{stands}, set {abs(apart_ms):.3f} ms {place} the instant in the last record"
    return Objection(history, message, end)


def _excused(objection: Objection, one: InvocationFacts, since: datetime | None) -> Objection:
    """Tell what was cut off from what was never written."""
    status_record = one.status_record
    if since is None or status_record is None or aware(status_record.timestamp) < since:
        return objection
    message = f"{objection.message}; perhaps its runner was ended before it wrote the record"
    return replace(objection, message=message, outcome=Outcome.UNDECIDED)


def _owned(status: InvocationStatus, owner: str | None) -> str:
    return f"{status} owned by {owner or 'nobody'}"


ENDS_ARE_FINAL = Rule(
    "ends-are-final",
    "Nothing follows a final status.",
    "pynenc: StatusDefinition.is_final",
    of_each(ends_are_final),
)
ONE_OWNER = Rule(
    "one-owner",
    "An owned invocation has one owner until it is released, and only the owner or a recovery "
    "moves it on.",
    "pynenc: StatusDefinition.requires_ownership and overrides_ownership",
    of_each(one_owner),
)
LEGAL_TRANSITIONS = Rule(
    "legal-transitions",
    "Each status is one that pynenc allows after the one in front of it.",
    "pynenc: StatusDefinition.allowed_transitions",
    of_each(legal_transitions),
)
OWNERSHIP_KEPT = Rule(
    "ownership-kept",
    "A status that acquires ownership has an owner, one that releases it has none, any other "
    "keeps the owner.",
    "pynenc: StatusDefinition.acquires_ownership and releases_ownership",
    of_each(ownership_kept),
)
STATUS_AGREES = Rule(
    "status-agrees",
    "The status that the orchestrator has is the last record of the history.",
    "pynenc: set_invocation_status writes both",
    status_agrees,
)
RETRIES_COUNTED = Rule(
    "retries-counted",
    "The orchestrator counted as many retries as the history has, and no more than the task "
    "allows.",
    "pynenc: set_invocation_retry, and the task option max_retries",
    of_each(retries_counted),
)
RESULT_IFF_SUCCESS = Rule(
    "result-iff-success",
    "An ended invocation has a result if it ended as success, and only then.",
    "pynenc: set_invocation_result",
    of_each(result_iff_success),
)
EXCEPTION_IFF_FAILED = Rule(
    "exception-iff-failed",
    "An ended invocation has an exception if it ended as failed, and only then.",
    "pynenc: set_invocation_exception",
    of_each(exception_iff_failed),
)
