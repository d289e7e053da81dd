"""Who waits for whom, in the memory of one process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import TYPE_CHECKING, Any

from pynenc.orchestrator.base_orchestrator import BaseBlockingControl

if TYPE_CHECKING:
    from pynenc.identifiers.invocation_id import InvocationId

    from pytest_pynenc_state.backends.memory.registrations import (
        Registration,
        RegistrationTable,
    )


class PytestMemBlockingControl(BaseBlockingControl):
    """The edges from invocations that wait to those whose results they wait for.

    :param lock: The orchestrator's lock. Not a lock of its own: statuses must not move
        between looking for awaited invocations and looking at their statuses.
    :param registrations: What the orchestrator knows of invocations.

    Concurrency: each method is atomic between threads.
    """

    def __init__(self, lock: AbstractContextManager[Any], registrations: RegistrationTable) -> None:
        self._lock = lock
        self._registrations = registrations
        self._awaited_by: dict[InvocationId, set[InvocationId]] = {}
        self._waiters_of: dict[InvocationId, set[InvocationId]] = {}
        # The registrations that are awaited and wait for nothing, oldest first; None
        # when edges have changed since. Runners ask far more often than edges change.
        self._candidates: list[Registration] | None = None

    def waiting_for_results(
        self, caller_invocation_id: InvocationId, result_invocation_ids: Sequence[InvocationId]
    ) -> None:
        """Add an edge from the caller to each of the others; repeating one changes nothing.

        The ids need not be registered. Awaiting nothing adds nothing.
        """
        with self._lock:
            for awaited_id in result_invocation_ids:
                self._awaited_by.setdefault(caller_invocation_id, set()).add(awaited_id)
                self._waiters_of.setdefault(awaited_id, set()).add(caller_invocation_id)
            self._candidates = None

    def release_waiters(self, waited_invocation_id: InvocationId) -> None:
        """Remove all edges of a finished invocation: to it, and from it.

        It waits for nothing any more, so nothing is blocking because of it. An unknown
        id is no error.
        """
        with self._lock:
            for waiter_id in self._waiters_of.pop(waited_invocation_id, ()):
                _remove(self._awaited_by, waiter_id, waited_invocation_id)
            for awaited_id in self._awaited_by.pop(waited_invocation_id, ()):
                _remove(self._waiters_of, awaited_id, waited_invocation_id)
            self._candidates = None

    def get_blocking_invocations(self, max_num_invocations: int) -> Iterator[InvocationId]:
        """Return invocations that others wait for, and that wait for nothing themselves.

        :param max_num_invocations: How many at most; 0 or less means none.
        :returns: Distinct ids, oldest registration first, only such as may be run now.
        """
        with self._lock:
            available = (
                candidate.invocation_id
                for candidate in self._candidates_oldest_first()
                if candidate.record.status.is_available_for_run()
            )
            return iter(list(islice(available, max(max_num_invocations, 0))))

    def clear(self) -> None:
        """Remove all edges."""
        with self._lock:
            self._awaited_by.clear()
            self._waiters_of.clear()
            self._candidates = None

    def _candidates_oldest_first(self) -> list[Registration]:
        if self._candidates is not None:
            return self._candidates
        by_id = self._registrations.by_id
        ready_ids = [each for each in self._waiters_of if each not in self._awaited_by]
        candidates = [by_id[each] for each in ready_ids if each in by_id]
        candidates.sort(key=lambda candidate: candidate.sequence)
        # An id that is not registered yet would be missed for ever, if this was kept.
        self._candidates = candidates if len(candidates) == len(ready_ids) else None
        return candidates


def _remove(
    edges: dict[InvocationId, set[InvocationId]], key: InvocationId, invocation_id: InvocationId
) -> None:
    # A key without edges has to go: being a key is what "waits" and "is awaited" mean.
    others = edges.get(key)
    if others is not None:
        others.discard(invocation_id)
        if not others:
            del edges[key]
