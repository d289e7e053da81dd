"""The registered invocations of an app in memory, and the ways to find them."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.backends.timestamps import to_us

if TYPE_CHECKING:
    from pynenc.identifiers.invocation_id import InvocationId
    from pynenc.invocation.status import InvocationStatusRecord

    #: Ids in the order they came. The values mean nothing; a set would forget the order.
    Ids: TypeAlias = dict[InvocationId, None]
    #: An invocation's id, and the keys of its task and of its call.
    Newcomer: TypeAlias = tuple[InvocationId, str, str]

_Key = TypeVar("_Key")


@dataclass(slots=True)
class Registration:
    """One registered invocation; *sequence* numbers invocations as they register."""

    invocation_id: InvocationId
    task_key: str
    call_key: str
    sequence: int
    record: InvocationStatusRecord
    retries: int = 0


class RegistrationTable:
    """The registrations by id, and their ids by task, call, status and argument.

    Concurrency: not locked; whoever calls holds the lock of the orchestrator.
    """

    def __init__(self) -> None:
        #: In the order of registration. Reading one entry needs no lock.
        self.by_id: dict[InvocationId, Registration] = {}
        self._sequence = itertools.count()
        self._by_task: dict[str, Ids] = {}
        # None until somebody asks: pynenc never does, and an entry for each call is half
        # of what a purge has to free.
        self._by_call: dict[str, Ids] | None = None
        self._by_status: dict[InvocationStatus, Ids] = {status: {} for status in InvocationStatus}
        self._by_argument: dict[tuple[str, str], Ids] = {}
        self._arguments: dict[InvocationId, dict[str, str]] = {}

    def clear(self) -> None:
        """Remove everything; sequence numbers go on."""
        self.by_id.clear()
        self._by_task.clear()
        self._by_call = None
        self._by_argument.clear()
        self._arguments.clear()
        for invocation_ids in self._by_status.values():
            invocation_ids.clear()

    def add(self, newcomers: Iterable[Newcomer], record: InvocationStatusRecord) -> None:
        """Register each invocation with *record*, except those that are registered."""
        for invocation_id, task_key, call_key in newcomers:
            if invocation_id in self.by_id:
                continue
            self.by_id[invocation_id] = Registration(
                invocation_id, task_key, call_key, next(self._sequence), record
            )
            self._by_task.setdefault(task_key, {})[invocation_id] = None
            if self._by_call is not None:
                self._by_call.setdefault(call_key, {})[invocation_id] = None
            self._by_status[record.status][invocation_id] = None

    def change(self, registration: Registration, record: InvocationStatusRecord) -> None:
        """Give a registration another status record."""
        invocation_id = registration.invocation_id
        del self._by_status[registration.record.status][invocation_id]
        self._by_status[record.status][invocation_id] = None
        registration.record = record

    def remove(self, invocation_id: InvocationId) -> None:
        """Remove an invocation and its indexed arguments; an unknown one is no error."""
        for pair in self._arguments.pop(invocation_id, {}).items():
            _discard(self._by_argument, pair, invocation_id)
        registration = self.by_id.pop(invocation_id, None)
        if registration is not None:
            del self._by_status[registration.record.status][invocation_id]
            _discard(self._by_task, registration.task_key, invocation_id)
            if self._by_call is not None:
                _discard(self._by_call, registration.call_key, invocation_id)

    def index_arguments(self, invocation_id: InvocationId, arguments: Mapping[str, str]) -> None:
        """Make an invocation, registered or not yet, searchable by *arguments* too."""
        self._arguments.setdefault(invocation_id, {}).update(arguments)
        for pair in arguments.items():
            self._by_argument.setdefault(pair, {})[invocation_id] = None

    def of_task(self, task_key: str) -> list[InvocationId]:
        """The invocations of a task, in the order of registration."""
        return list(self._by_task.get(task_key, ()))

    def of_call(self, call_key: str) -> list[InvocationId]:
        """The invocations of a call, in the order of registration.

        The first question takes a look at each registration.
        """
        if self._by_call is None:
            self._by_call = {}
            for each in self.by_id.values():
                self._by_call.setdefault(each.call_key, {})[each.invocation_id] = None
        return list(self._by_call.get(call_key, ()))

    def pending_since(self, latest_us: int) -> list[InvocationId]:
        """The invocations that became PENDING at that time or earlier."""
        return [
            invocation_id
            for invocation_id in self._by_status[InvocationStatus.PENDING]
            if to_us(self.by_id[invocation_id].record.timestamp) <= latest_us
        ]

    def running_without(self, alive_runner_ids: Collection[str]) -> list[InvocationId]:
        """The invocations that are RUNNING for an owner that is not alive."""
        return [
            invocation_id
            for invocation_id in self._by_status[InvocationStatus.RUNNING]
            if (owner_id := self.by_id[invocation_id].record.runner_id)
            and owner_id not in alive_runner_ids
        ]

    def newest_first(
        self, task_key: str | None, statuses: Collection[InvocationStatus] | None
    ) -> Iterable[InvocationId]:
        """The invocations of a task, or all, in one of *statuses*, or any; newest first.

        Lazy: to be consumed before the lock is released.
        """
        pool = self.by_id if task_key is None else self._by_task.get(task_key, {})
        newest_first: Iterable[InvocationId] = reversed(pool)
        if not statuses:
            return newest_first
        return (each for each in newest_first if self.by_id[each].record.status in statuses)

    def matching(
        self,
        task_key: str,
        arguments: Mapping[str, str],
        statuses: Collection[InvocationStatus],
    ) -> list[InvocationId]:
        """The invocations of a task with all *arguments*, in one of *statuses*, or any.

        In the order of registration. Looks through the fewest candidates that one of
        the three conditions leaves, so a search by a rare argument stays cheap.
        """
        pools_of_arguments = [self._by_argument.get(pair, {}) for pair in arguments.items()]
        conditions: list[Sequence[Ids]] = [[self._by_task.get(task_key, {})]]
        conditions += [[pool] for pool in pools_of_arguments]
        if statuses:
            conditions.append([self._by_status.get(status, {}) for status in set(statuses)])
        fewest = min(conditions, key=lambda pools: sum(map(len, pools)))
        found = [
            registration
            for invocation_id in itertools.chain.from_iterable(fewest)
            if (registration := self.by_id.get(invocation_id))
            and registration.task_key == task_key
            and (not statuses or registration.record.status in statuses)
            and all(invocation_id in pool for pool in pools_of_arguments)
        ]
        found.sort(key=lambda registration: registration.sequence)
        return [registration.invocation_id for registration in found]


def _discard(index: dict[_Key, Ids], key: _Key, invocation_id: InvocationId) -> None:
    # An empty entry would stay for ever: keys of calls and arguments rarely come back.
    invocation_ids = index[key]
    del invocation_ids[invocation_id]
    if not invocation_ids:
        del index[key]
