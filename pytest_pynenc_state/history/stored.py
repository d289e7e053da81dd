"""What a store holds of histories right now, settled or not, one invocation or all of an app."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from pynenc.identifiers.invocation_id import InvocationId

from pytest_pynenc_state import compat
from pytest_pynenc_state.history.lookups import Lookups
from pytest_pynenc_state.history.ordering import is_legal, ordered
from pytest_pynenc_state.history.records import History, Record, Source
from pytest_pynenc_state.waiting import wait_until

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.invocation.status import InvocationStatusRecord
    from pynenc.models.invocation_dto import InvocationDTO
    from pynenc.runner.runner_context import RunnerContext
    from pynenc.state_backend.base_state_backend import InvocationHistory

#: Stores that keep milliseconds only round what others keep exactly.
PRECISION = timedelta(milliseconds=1)

# When every last record is there, but one in front of it seems to be missing, its writer is given
# this long. After that, the history is what it is, and the rules say what is wrong with it.
LATE_RECORD_S = 1.0

_FIRST_INSTANT = datetime(1970, 1, 2, tzinfo=UTC)
_LAST_INSTANT = datetime(9000, 1, 1, tzinfo=UTC)
_BATCH_SIZE = 1000


@dataclass(frozen=True, slots=True)
class StoredInvocation:
    """One invocation as an app's store has it.

    :ivar history: Its history; empty if there is none.
    :ivar status_record: Its status; None if the orchestrator does not know it.
    :ivar invocation: Whose child it is; None if the state backend does not know it.
    :ivar retries: How often the orchestrator counts it as retried.
    """

    history: History
    status_record: InvocationStatusRecord | None
    invocation: InvocationDTO | None
    retries: int

    @property
    def is_settled(self) -> bool:
        """Whether the last record is the status, as far as there is a status."""
        if self.status_record is None:
            return True
        return bool(self.history) and agrees(self.history[-1], self.status_record)


def agrees(record: Record, status_record: InvocationStatusRecord) -> bool:
    """Whether *record* is that of the status which the orchestrator has."""
    return (
        record.status == status_record.status
        and record.owner == status_record.runner_id
        and abs(record.at - aware(status_record.timestamp)) <= PRECISION
    )


def _is_of(status_record: InvocationStatusRecord | None, record: Record) -> bool:
    return status_record is not None and agrees(record, status_record)


def aware(moment: datetime) -> datetime:
    """Return *moment*; a naive one is read as UTC, as pynenc's own JSON form is."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class HistoryStore:
    """An app's store, asked for histories.

    :param source: How a history that was read finds its children, and waits.
    """

    def __init__(self, app: Pynenc, source: Source | None = None) -> None:
        self._app = app
        self._source = source
        self._lookups = Lookups(app)
        self._contexts: dict[str, RunnerContext | None] = {}

    def read(self, invocation_id: str) -> History:
        """The history of one invocation; empty if there is none."""
        return self.read_stored(invocation_id).history

    def read_stored(self, invocation_id: str) -> StoredInvocation:
        """All that is stored of one invocation."""
        backend = self._app.state_backend
        compat.wait_for_writes(backend, invocation_id)
        rows = backend.get_history(InvocationId(invocation_id))
        (stored,) = self._stored({invocation_id: rows})
        return stored

    def read_all(self) -> Iterator[StoredInvocation]:
        """All that is stored of each invocation of the app, in no order."""
        backend = self._app.state_backend
        compat.wait_for_all_writes(backend)
        rows: dict[str, list[InvocationHistory]] = {each: [] for each in self._registered_ids()}
        for batch in backend.iter_history_in_timerange(_FIRST_INSTANT, _LAST_INSTANT, _BATCH_SIZE):
            for row in batch:
                rows.setdefault(row.invocation_id, []).append(row)
        return self._stored(rows)

    def _registered_ids(self) -> Iterator[str]:
        orchestrator = self._app.orchestrator
        seen: set[str] = set()
        offset = 0
        # Until a page has nothing new: a store that ignores the offset has no empty one.
        while page := set(
            orchestrator.get_invocation_ids_paginated(limit=_BATCH_SIZE, offset=offset)
        ).difference(seen):
            yield from sorted(page)
            seen |= page
            offset += _BATCH_SIZE

    def _stored(
        self, rows: Mapping[str, Sequence[InvocationHistory]]
    ) -> Iterator[StoredInvocation]:
        """What is stored of the invocations that these rows are of."""
        # The statuses after the rows: a record that is written meanwhile is then missing from
        # both, or seen to be missing.
        ids = list(rows)
        states = self._lookups.states(ids)
        pairs = self._lookups.invocations(ids)
        for invocation_id in ids:
            status_record, retries = states.get(invocation_id, (None, 0))
            is_last = partial(_is_of, status_record)
            records, unknown = ordered(self._records(rows[invocation_id]), is_last)
            invocation, called = pairs.get(invocation_id, (None, None))
            history = History(
                invocation_id,
                records,
                task=called.call_id.task_id.key if called else "",
                arguments=called.serialized_arguments if called else None,
                order_unknown=unknown,
                source=self._source,
            )
            yield StoredInvocation(history, status_record, invocation, retries)

    def _records(self, rows: Iterable[InvocationHistory]) -> list[Record]:
        return [
            Record(
                status=row.status_record.status,
                owner=row.status_record.runner_id,
                at=aware(row.status_record.timestamp),
                written_at=aware(row.timestamp),
                mover=row.runner_context_id,
                registered_by=row.registered_by_inv_id,
                runner_context=self._context(row.runner_context_id),
            )
            for row in rows
        ]

    def _context(self, runner_context_id: str) -> RunnerContext | None:
        if runner_context_id not in self._contexts:
            found = self._app.state_backend.get_runner_contexts([runner_context_id])
            self._contexts[runner_context_id] = next(iter(found), None)
        return self._contexts[runner_context_id]


def read_histories(app: Pynenc, timeout_s: float) -> list[StoredInvocation]:
    """Read all invocations of *app*, settled as far as they settle within *timeout_s*.

    :returns: In the order in which they were registered. Those that did not settle are as they
        were last; whoever judges them sees that history and status disagree.
    """
    store = HistoryStore(app)
    found = {stored.history.invocation_id: stored for stored in store.read_all()}

    def reread_until(is_good: Callable[[StoredInvocation], bool], limit_s: float) -> None:
        late = {key for key, stored in found.items() if not is_good(stored)}

        def all_good() -> bool:
            for key in list(late):
                found[key] = store.read_stored(key)
                if is_good(found[key]):
                    late.remove(key)
            return not late

        if late:
            wait_until(all_good, limit_s)

    reread_until(lambda stored: stored.is_settled, timeout_s)
    reread_until(lambda stored: is_legal(stored.history.records), min(LATE_RECORD_S, timeout_s))
    return sorted(found.values(), key=_registration)


def _registration(stored: StoredInvocation) -> datetime:
    history = stored.history
    return history[0].at if history else _LAST_INSTANT
