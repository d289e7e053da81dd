"""What a history is made of: status records of one invocation, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import overload

from pynenc.invocation.status import InvocationStatus
from pynenc.runner.runner_context import RunnerContext


@dataclass(frozen=True, slots=True)
class Record:
    """One status of one invocation.

    :ivar status: The status it came to; it compares equal to its name, ``"running"``.
    :ivar owner: The ``runner_id`` that owns the invocation from then on; None if nobody does.
        The first record may name the one who registered.
    :ivar at: When the status was set, by the clock of the process that did it; aware.
    :ivar written_at: When that process wrote the record, a moment later; aware.
    :ivar mover: The ``runner_context_id``: who set the status, owner or not.
    :ivar registered_by: The ``invocation_id`` whose task registered this one; None for any
        other status, and if no task did.
    :ivar runner_context: pynenc's description of *mover*; None if it is not in the store.
    """

    status: InvocationStatus
    owner: str | None
    at: datetime
    written_at: datetime
    mover: str
    registered_by: str | None = None
    runner_context: RunnerContext | None = field(default=None, compare=False, repr=False)

    @property
    def process(self) -> tuple[str, int] | str:
        """Host and process id of *mover*, or *mover* itself where nothing more is known."""
        context = self.runner_context
        return (context.hostname, context.pid) if context else self.mover


@dataclass(frozen=True, init=False, repr=False, eq=False)
class History(Sequence[Record]):
    """The status records of one invocation, settled and in order. It never changes.

    Compare it with ``==`` to a `path`, or to another history.

    :ivar invocation_id: Whose history it is.
    :ivar task: Module and function of the task, ``"shop.payments.charge"``.
    :ivar records: The records, oldest first.
    :ivar order_unknown: Positions of records that may as well have come before the one in
        front of them: two processes' clocks tie, or contradict pynenc's rules.
    """

    invocation_id: str
    task: str
    records: tuple[Record, ...]
    order_unknown: tuple[int, ...]
    _arguments: Mapping[str, str]
    _source: Source | None

    def __init__(
        self,
        invocation_id: str,
        records: Sequence[Record],
        *,
        task: str = "",
        arguments: Mapping[str, str] | None = None,
        order_unknown: Sequence[int] = (),
        source: Source | None = None,
    ) -> None:
        vars(self).update(
            invocation_id=invocation_id,
            task=task,
            records=tuple(records),
            order_unknown=tuple(order_unknown),
            _arguments=dict(arguments or {}),
            _source=source,
        )

    @property
    def arguments(self) -> dict[str, str]:
        """The arguments of the call, as pynenc serialised them; each time a new dictionary."""
        return dict(self._arguments)

    @property
    def statuses(self) -> tuple[InvocationStatus, ...]:
        """Every status, oldest first."""
        return tuple(record.status for record in self.records)

    @property
    def owners(self) -> tuple[str | None, ...]:
        """The ``runner_id`` that owns the invocation in each status, or None; oldest first."""
        return tuple(record.owner for record in self.records)

    @property
    def durations(self) -> tuple[float | None, ...]:
        """The seconds spent in each status, oldest first; None for the last one.

        A duration between clocks of two processes may be negative.
        """
        moments = [record.at for record in self.records]
        between = [(later - sooner).total_seconds() for sooner, later in pairwise(moments)]
        return (*between, None) if moments else ()

    @property
    def is_final(self) -> bool:
        """Whether the invocation has ended."""
        return bool(self.records) and self.records[-1].status.is_final()

    @property
    def children(self) -> tuple[History, ...]:
        """The histories of the invocations that this one's task registered, oldest first.

        :raises HistoryNotSettled: One of them did not settle within the timeout.
        """
        return self._source.children(self) if self._source else ()

    def wait_for(self, status: str, *, timeout_s: float | None = None) -> History:
        """Return the settled history as soon as *status* is in it.

        :param timeout_s: Seconds; None is the timeout that this history was read with.
        :raises PathError: The installed pynenc has no such status.
        :raises StatusNotReached: It did not come in time, or cannot come any more.
        :raises HistoryNotSettled: The record of the last status did not come in time, nor within
            two seconds after the status.
        """
        __tracebackhide__ = True
        if self._source is None:
            message = f"history of {self.invocation_id} was not read from a store"
            raise RuntimeError(message)
        return self._source.wait_for(self, status, timeout_s)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Record, ...]: ...
    def __getitem__(self, index: int | slice) -> Record | tuple[Record, ...]:
        return self.records[index]

    def __contains__(self, item: object) -> bool:
        """Whether *item* is one of the records, or one of the statuses."""
        return item in self.records or item in self.statuses

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, History):
            return NotImplemented  # a path answers for itself
        return (self.invocation_id, self.records) == (other.invocation_id, other.records)

    def __hash__(self) -> int:
        return hash((self.invocation_id, self.records))

    def __repr__(self) -> str:
        trail = " > ".join(self.statuses)
        return f"<History of {self.task or 'invocation'} {self.invocation_id}: {trail or 'empty'}>"


@dataclass(frozen=True)
class Source:
    """Where a history was read from, so that it can be read again."""

    children: Callable[[History], tuple[History, ...]]
    wait_for: Callable[[History, str, float | None], History]
