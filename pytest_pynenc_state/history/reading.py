"""Reading histories from a store once they are settled: when the last record is the status.

pynenc moves the status first and writes the record a moment later; up to 0.2.0 in a thread.
So whoever holds a result may be ahead of the history. Reading waits, within bounds, until the
last record agrees with the status and no record in between is missing.
"""

from __future__ import annotations

import reprlib
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pynenc.identifiers.invocation_id import InvocationId

from pytest_pynenc_state.errors import HistoryError, HistoryNotSettled, StatusNotReached
from pytest_pynenc_state.history.ordering import is_legal
from pytest_pynenc_state.history.records import History, Source
from pytest_pynenc_state.history.status_machine import status_named
from pytest_pynenc_state.history.stored import LATE_RECORD_S, HistoryStore, StoredInvocation
from pytest_pynenc_state.history.timeline import NO_RUNNER, call, trail
from pytest_pynenc_state.waiting import wait_until

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.invocation.base_invocation import BaseInvocation

#: In seconds. Whoever was to write a record has been stopped by then, or is this process: a last
#: record that does not come within this time does not come.
LAST_RECORDS_S = 2.0

_GIVE_INVOCATION = "pass what the call of the task returned, not the result of that"


class HistoryReader:
    """Reads histories of one app: what the fixture ``pynenc_history`` returns.

    :param timeout_s: How long a history may take to settle, in seconds.
    """

    def __init__(self, app: Pynenc, timeout_s: float) -> None:
        self._app = app
        self._timeout_s = timeout_s
        self._store = HistoryStore(app, Source(self._children, self._wait_for))

    def __call__(self, invocation: BaseInvocation[..., object] | str) -> History:
        """Read the settled history of *invocation*, or of the invocation of that id.

        The invocation need not have ended: its history is settled when its last record is the
        status it has at the moment.

        :raises HistoryError: The store knows no such invocation, or it is none.
        :raises HistoryNotSettled: Status and history did not agree in time.
        """
        __tracebackhide__ = True
        invocation_id = getattr(invocation, "invocation_id", invocation)
        if not isinstance(invocation_id, str):
            got = f"{type(invocation).__name__} {reprlib.repr(invocation)}"
            message = f"a history is read of an invocation, or of the id of one; got {got}"
            raise HistoryError(
                message,
                _GIVE_INVOCATION,
                "of a group, read each one: map(pynenc_history, group.invocations)",
            )
        return self._settled(invocation_id, self._timeout_s)

    def _settled(self, invocation_id: str, timeout_s: float) -> History:
        __tracebackhide__ = True
        stored = self._stored(invocation_id)

        def is_settled() -> bool:
            nonlocal stored
            stored = self._stored(invocation_id)
            return stored.is_settled

        if not stored.is_settled and not wait_until(is_settled, timeout_s):
            raise self._unsettled(stored, timeout_s)
        if not is_legal(stored.history.records):
            wait_until(
                lambda: is_settled() and is_legal(stored.history.records),
                min(LATE_RECORD_S, timeout_s),
            )
        return stored.history

    def __repr__(self) -> str:
        return f"<HistoryReader of app {self._app.app_id!r}>"

    def _stored(self, invocation_id: str) -> StoredInvocation:
        __tracebackhide__ = True
        stored = self._store.read_stored(invocation_id)
        if stored.status_record is None:
            message = f"the store of app {self._app.app_id!r} has no invocation {invocation_id!r}"
            raise HistoryError(
                message,
                "ask for one that this test's app has registered, and not purged",
                _GIVE_INVOCATION,
            )
        return stored

    def _unsettled(self, stored: StoredInvocation, timeout_s: float) -> HistoryNotSettled:
        history, status = stored.history, stored.status_record
        assert status is not None
        last = f"its last record is {history[-1].status}" if history else "it has no record"
        owner = f"owned by {status.runner_id}" if status.runner_id else "owned by nobody"
        message = (
            f"the history of {call(history)} {history.invocation_id} did not settle within "
            f"{timeout_s:g} s: the status is {status.status}, {owner}, set at "
            f"{status.timestamp}, but {last}\n{trail(history)}"
        )
        return HistoryNotSettled(
            message,
            "a process that was killed between setting a status and writing its record "
            "leaves such a history",
            "or raise --pynenc-timeout if the machine is that slow",
        )

    def _children(self, history: History) -> tuple[History, ...]:
        ids = list(self._app.state_backend.get_child_invocations(_id(history)))
        return tuple(sorted((self(child) for child in ids), key=lambda child: child[0].at))

    def _wait_for(self, history: History, name: str, timeout_s: float | None) -> History:
        __tracebackhide__ = True
        status = status_named(name)
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        until_s = time.monotonic() + limit_s
        invocation_id = history.invocation_id

        def has_come() -> bool:
            stored = self._stored(invocation_id)
            assert stored.status_record is not None
            now = stored.status_record.status
            return now == status or now.is_final() or status in stored.history.statuses

        wait_until(has_come, limit_s)
        # What comes in the last moment still has its record to be written.
        left_s = max(until_s - time.monotonic(), LAST_RECORDS_S)
        history = self._settled(invocation_id, min(left_s, self._timeout_s))
        if status in history.statuses:
            return history
        if history.is_final:
            fate = f"has ended as {history.statuses[-1]}{self._exception(history)}"
        else:
            fate = f"is {history.statuses[-1]} after {limit_s:g} s"
        message = f"waited for {status} of {call(history)}, which {fate}\n{trail(history)}"
        raise StatusNotReached(message, *([NO_RUNNER] if len(history) == 1 else []))

    def _exception(self, history: History) -> str:
        try:
            error = self._app.state_backend.get_exception(_id(history))
        except KeyError:
            return ""
        return f" with {error!r}"


def wait_for_last_records(app: Pynenc) -> datetime:
    """Return once each invocation that has ended has its last record; or after two seconds.

    pynenc moves a status, then lets go who waits for the result, and writes the record last. To
    end a worker in between would take the record away.

    :returns: When the store was read last: nobody knows of what was moved since.
    """
    store = HistoryStore(app)
    read_at = datetime.now(UTC)

    def is_recorded(stored: StoredInvocation) -> bool:
        status = stored.status_record
        return status is None or not status.status.is_final() or stored.is_settled

    def are_recorded() -> bool:
        nonlocal read_at
        read_at = datetime.now(UTC)
        return all(map(is_recorded, store.read_all()))

    # What cannot be read is told when the histories are judged.
    with suppress(Exception):
        wait_until(are_recorded, LAST_RECORDS_S)
    return read_at


def _id(history: History) -> InvocationId:
    return InvocationId(history.invocation_id)
