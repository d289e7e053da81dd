"""What every contender is asked to do, through the methods that pynenc calls."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pynenc.call import LazyCall
from pynenc.identifiers.call_id import CallId
from pynenc.identifiers.invocation_id import generate_invocation_id
from pynenc.invocation.dist_invocation import DistributedInvocation
from pynenc.invocation.status import InvocationStatus, InvocationStatusRecord
from pynenc.models.call_dto import CallDTO
from pynenc.runner.runner_context import RunnerContext
from pynenc.state_backend.base_state_backend import InvocationHistory
from pynenc.workflow import WorkflowIdentity

from pytest_pynenc_state import compat

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.models.invocation_dto import InvocationDTO

RUNNER_ID = "benchmark-runner"

#: Legal moves that start anew after the last one; the first also follows a registration.
CYCLE = (InvocationStatus.PENDING, InvocationStatus.RUNNING, InvocationStatus.RETRY)
_TO_SUCCESS = (InvocationStatus.PENDING, InvocationStatus.RUNNING, InvocationStatus.SUCCESS)

#: When the made-up history begins.
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def add(left: int, right: int) -> int:
    """Return the sum: the task whose invocations are stored, and never run."""
    return left + right


class Workload:
    """Makes invocations, and stores what an operation needs before it is timed."""

    def __init__(self, app: Pynenc) -> None:
        self.state: Any = app.state_backend
        self.orchestrator: Any = app.orchestrator
        self.runner_context = RunnerContext("BenchmarkRunner", RUNNER_ID)
        self.ids: list[str] = []
        self._app = app
        self._task_id = app.task(add).task_id
        self._numbers = itertools.count()
        self._turns: Iterator[str] = iter(())
        self._window = 0

    def entry(self) -> tuple[InvocationDTO, CallDTO]:
        """A new invocation as pynenc's pair of transfer objects."""
        invocation_id, number = generate_invocation_id(), next(self._numbers)
        call_id = CallId(self._task_id, f"{number:064x}")
        workflow = WorkflowIdentity(invocation_id, self._task_id)
        invocation = compat.invocation_dto(invocation_id, call_id, workflow, None, None)
        return invocation, CallDTO(call_id, {"left": str(number), "right": "1"})

    def result(self) -> str:
        """A result that was not stored before: equal ones would not be written again."""
        number = next(self._numbers)
        return f'{{"answer": {number}, "question": "what is a usual result, not empty or large"}}'

    def seed(self, count: int) -> None:
        """Store, register and give a result to *count* more invocations."""
        entries = [self.entry() for _ in range(count)]
        self.state._upsert_invocations(entries)
        invocations = [
            DistributedInvocation.from_dto(invocation, LazyCall.from_dto(self._app, call))
            for invocation, call in entries
        ]
        self.orchestrator._register_new_invocations(invocations, RUNNER_ID)
        self.ids += [invocation.invocation_id for invocation, _ in entries]
        self._turns = itertools.cycle(self.ids)

    def seed_histories(self, records: int = 4) -> None:
        """Give each invocation *records* status changes: records of its own, as pynenc does."""
        for invocation_id in self.ids:
            self.add_records([invocation_id], records)

    def seed_finished(self) -> None:
        """Move every other invocation to SUCCESS."""
        for invocation_id in self.ids[::2]:
            for status in _TO_SUCCESS:
                self.move(invocation_id, status, RUNNER_ID)

    def seed_timeline(self, milliseconds: int, ids: int, first_ms: int = 0) -> None:
        """Write a row of each of *ids* new invocations in each millisecond."""
        self.add_records([generate_invocation_id() for _ in range(ids)], milliseconds, first_ms)

    def add_records(self, ids: Sequence[str], count: int, first_ms: int = 0) -> None:
        """Write *count* records, a millisecond apart from each other, for each of *ids*."""
        for number in range(first_ms, first_ms + count):
            moment = EPOCH + timedelta(milliseconds=number)
            record = InvocationStatusRecord(CYCLE[number % len(CYCLE)], RUNNER_ID, moment)
            history = InvocationHistory(ids[0], record, RUNNER_ID)
            history._timestamp = moment
            self.state._add_histories(list(ids), history)

    def slide(self, step: int, end: int) -> int:
        """Where the next window begins: *step* behind the former, back at 0 behind *end*."""
        start, self._window = self._window, self._window + step
        if self._window > end:
            self._window = 0
        return start

    def next_ids(self, count: int) -> list[str]:
        """The next *count* of the stored ids; the first follows the last."""
        return list(itertools.islice(self._turns, count))

    @property
    def move(self) -> Any:
        """The method that changes a status."""
        return self.orchestrator._atomic_status_transition
