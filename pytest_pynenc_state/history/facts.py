"""What rules judge: plain facts about the invocations of one app, read beforehand."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from pynenc.invocation.status import InvocationStatusRecord

from pytest_pynenc_state.history.records import History

#: The end of what has not ended.
OPEN_END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class InvocationFacts:
    """What an app's store says about one invocation.

    :ivar history: Its history; empty if there is none.
    :ivar status_record: Its status; None if the orchestrator does not know it.
    :ivar retries: The orchestrator's count of its retries.
    :ivar max_retries: How many its task allows; None if the app does not know the task.
    :ivar has_result: Whether a result is stored. It is asked of ended invocations only.
    :ivar has_exception: Whether an exception is stored; as for a result.
    :ivar parent_id: The ``invocation_id`` of its parent, or None.
    :ivar running_key: What it shares with those that may not run while it does; None if any may.
    """

    history: History
    status_record: InvocationStatusRecord | None = None
    retries: int = 0
    max_retries: int | None = None
    has_result: bool = False
    has_exception: bool = False
    parent_id: str | None = None
    running_key: Hashable | None = None


@dataclass(frozen=True, slots=True)
class ServiceWindow:
    """When one runner ran the atomic services of an app.

    :ivar end: `OPEN_END` while it still runs.
    :ivar is_end_known: False if somebody else wrote the end, because the runner was gone.
    :ivar host: Whose clock it is; None if that is not known.
    """

    runner_id: str
    start: datetime
    end: datetime = OPEN_END
    is_end_known: bool = True
    host: str | None = None


@dataclass(frozen=True)
class AppFacts:
    """What an app's store says about all of its invocations, and about its atomic services.

    :ivar forgotten_before: The orchestrator may have purged by itself what ended before.
    :ivar cut_off_since: Since when a process may have been ended that was about to write a
        record; None if there was none.
    """

    invocations: tuple[InvocationFacts, ...]
    services: tuple[ServiceWindow, ...] = ()
    forgotten_before: datetime = field(default=datetime.min.replace(tzinfo=UTC))
    cut_off_since: datetime | None = None

    @cached_property
    def by_id(self) -> Mapping[str, InvocationFacts]:
        """The facts of each invocation by its id."""
        return {each.history.invocation_id: each for each in self.invocations}
