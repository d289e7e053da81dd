"""What our state backends have in common: pynenc's public surface, whatever its version.

A store implements pynenc's abstract methods (their names are the same from 0.1.1 to
0.4.0). This class adds the methods that pynenc dropped, renamed or has yet to gain,
and takes an invocation wherever an older pynenc took one in place of its id.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, ClassVar

from pynenc import context
from pynenc.invocation.status import InvocationStatus, InvocationStatusRecord
from pynenc.state_backend.base_state_backend import BaseStateBackend
from pynenc.state_backend.base_state_backend import InvocationHistory as PynencInvocationHistory

if TYPE_CHECKING:
    from datetime import datetime

    from pynenc.app_info import AppInfo
    from pynenc.identifiers.invocation_id import InvocationId
    from pynenc.invocation.dist_invocation import DistributedInvocation
    from pynenc.runner.runner_context import RunnerContext
    from pynenc.workflow import WorkflowIdentity

# No workflow key that a user writes starts with NUL.
_DETERMINISTIC = "\0deterministic:"


class InvocationHistory(PynencInvocationHistory):
    """One status change of one invocation, as pynenc's own record.

    Adds the ``status`` that records had before ``status_record``, and compares equal
    to pynenc's own class when all fields are.

    :ivar execution_context: None; what older records had reserved for later use.
    """

    execution_context: ClassVar[None] = None

    @property
    def status(self) -> InvocationStatus:
        """The status the invocation changed to."""
        return self.status_record.status

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PynencInvocationHistory):
            return NotImplemented
        return _fields(self) == _fields(other)

    __hash__ = None  # type: ignore[assignment]  # mutable, like pynenc's dataclass

    @classmethod
    def restored(
        cls,
        invocation_id: str,
        timestamp: datetime,
        status_record: InvocationStatusRecord,
        runner_context_id: str,
        registered_by_inv_id: str | None,
    ) -> InvocationHistory:
        """Build a record that was written earlier, at *timestamp*."""
        # Not through the constructor, which would take the time only to have it replaced.
        history = cls.__new__(cls)
        history.invocation_id = invocation_id
        history._timestamp = timestamp
        history.status_record = status_record
        history.runner_context_id = runner_context_id
        history.registered_by_inv_id = registered_by_inv_id
        return history


def _fields(history: PynencInvocationHistory) -> tuple[object, ...]:
    return (
        history.invocation_id,
        history.timestamp,
        history.status_record,
        history.runner_context_id,
        history.registered_by_inv_id,
    )


def invocation_id_of(invocation: Any) -> InvocationId:
    """The id of *invocation*, which may be an invocation or already its id."""
    # Ids are what pynenc passes, on every status change; ask the cheap question first.
    if type(invocation) is str:
        return invocation  # type: ignore[return-value]  # InvocationId is str at run time
    invocation_id: InvocationId = getattr(invocation, "invocation_id", invocation)
    return invocation_id


def key_of(identifier: Any) -> str:
    """The key of *identifier*: a ``TaskId``, a ``CallId``, or already its key."""
    key: str = getattr(identifier, "key", identifier)
    return key


def checked_batch_size(batch_size: int) -> int:
    """Return *batch_size*, or raise ValueError if no batch could ever be that large."""
    if batch_size < 1:
        message = f"batch_size must be at least 1, got {batch_size!r}"
        raise ValueError(message)
    return batch_size


class PytestStateBackend(BaseStateBackend):  # type: ignore[type-arg]
    """Base of this package's state backends. History is written before the call returns."""

    @abstractmethod
    def _add_records(self, records: Sequence[PynencInvocationHistory]) -> None:
        """Append *records* in their order, as one step if the store has any."""

    @abstractmethod
    def _purge_store(self) -> None:
        """Remove what this app stored, except its app info."""

    # -- history ---------------------------------------------------------------------

    def add_history(
        self,
        invocation_id: str | DistributedInvocation[Any, Any],
        status_record: InvocationStatusRecord | InvocationStatus | None = None,
        runner_context: RunnerContext | None = None,
    ) -> None:
        """Append one status change to an invocation's history, and keep its runner context.

        :param invocation_id: The invocation's id, or the invocation.
        :param status_record: The change; a bare status means "now, without owner", and none at
            all the status that the invocation has.
        :param runner_context: Who made it; by default the current runner.
        :raises KeyError: No status was given, and the invocation is unknown.
        :raises BackendError: The store failed; nothing was written.

        Concurrency: atomic between threads and processes; visible to all on return.
        """
        author = runner_context or context.get_or_create_runner_context(self.app.app_id)
        invocation_id = invocation_id_of(invocation_id)
        if status_record is None:
            status_record = self.app.orchestrator.get_invocation_status_record(invocation_id)
        self._add_records_of(
            author,
            [
                InvocationHistory(
                    invocation_id=invocation_id,
                    status_record=_as_record(status_record),
                    runner_context_id=author.runner_id,
                )
            ],
        )

    def add_histories(
        self,
        invocations: Sequence[DistributedInvocation[Any, Any]],
        status_record: InvocationStatusRecord | InvocationStatus,
        runner_context: RunnerContext | None = None,
    ) -> None:
        """Append the same status change to the history of each of *invocations*.

        A registration also records the parent that registered the invocation. Errors as
        `add_history`. Concurrency: how much of it is one step, each class says.
        """
        author = runner_context or context.get_or_create_runner_context(self.app.app_id)
        record = _as_record(status_record)
        is_registration = record.status == InvocationStatus.REGISTERED
        self._add_records_of(
            author,
            [
                InvocationHistory(
                    invocation_id=invocation.invocation_id,
                    status_record=record,
                    runner_context_id=author.runner_id,
                    registered_by_inv_id=(
                        invocation.parent_invocation_id if is_registration else None
                    ),
                )
                for invocation in invocations
            ],
        )

    def _add_histories(
        self, invocation_ids: list[InvocationId], invocation_history: PynencInvocationHistory
    ) -> None:
        """Append one record under every id; the record keeps its own time stamp."""
        record = invocation_history
        self._add_records(
            [
                InvocationHistory.restored(
                    invocation_id,
                    record.timestamp,
                    record.status_record,
                    record.runner_context_id,
                    record.registered_by_inv_id,
                )
                for invocation_id in invocation_ids
            ]
        )

    def get_history(
        self,
        invocation_id: str | DistributedInvocation[Any, Any],
    ) -> list[PynencInvocationHistory]:
        """Return an invocation's status changes, oldest first; ``[]`` if it is unknown.

        Records of the same microsecond come in the order they were written. Each call
        returns records of its own: changing one changes nothing in the store.
        """
        return self._get_history(invocation_id_of(invocation_id))

    def _add_records_of(
        self, author: RunnerContext, records: Sequence[PynencInvocationHistory]
    ) -> None:
        """Store the context of who made *records*, and then append them."""
        self.store_runner_context(author)
        self._add_records(records)

    # -- results and exceptions ------------------------------------------------------

    def set_result(self, invocation_id: Any, result: Any) -> None:
        """Store the result of an invocation, given by id or itself; the last one wins."""
        super().set_result(invocation_id_of(invocation_id), result)

    def get_result(self, invocation_id: Any) -> Any:
        """Return the result of an invocation, given by id or itself.

        :raises KeyError: The invocation has no result.
        """
        return super().get_result(invocation_id_of(invocation_id))

    def set_exception(self, invocation_id: Any, exception: Exception) -> None:
        """Store the exception that an invocation, given by id or itself, ended with."""
        super().set_exception(invocation_id_of(invocation_id), exception)

    def get_exception(self, invocation_id: Any) -> Exception:
        """Return (not raise) the exception that an invocation ended with.

        :raises KeyError: The invocation has no exception.
        """
        return super().get_exception(invocation_id_of(invocation_id))

    # -- runner contexts and purge ---------------------------------------------------

    @abstractmethod
    def _has_runner_context(self, runner_id: str) -> bool:
        """Whether the store has a context of this runner."""

    def store_runner_context(self, runner_context: RunnerContext) -> None:
        """Store a runner's context, and its parents'; a changed one replaces the former.

        Concurrency: each context is one write, atomic between threads and processes.
        """
        runner_id = runner_context.runner_id
        # Every status change stores its runner's context, which almost never changes. But
        # another process may have purged the store since.
        if not (self._was_stored(runner_context) and self._has_runner_context(runner_id)):
            self._store_runner_context(runner_context)
            self._runner_context_cache[runner_id] = deepcopy(runner_context)
        if runner_context.parent_ctx:
            self.store_runner_context(runner_context.parent_ctx)

    def _was_stored(self, runner_context: RunnerContext) -> bool:
        """Whether `store_runner_context` has had this context, with these parents, before."""
        stored = self._runner_context_cache.get(runner_context.runner_id)
        # Comparing both dictionaries takes a third of what comparing dataclasses does.
        return stored is not None and vars(stored) == vars(runner_context)

    def get_runner_context(self, runner_id: str) -> RunnerContext | None:
        """Return the context of a runner as it is stored now; None if it is unknown."""
        return self._get_runner_context(runner_id)

    def get_runner_contexts(self, runner_ids: list[str]) -> list[RunnerContext]:
        """Return the stored contexts of *runner_ids*, each once, in no order."""
        return self._get_runner_contexts(runner_ids) if runner_ids else []

    def purge(self) -> None:
        """Remove everything that this app stored, and nothing of any other app.

        Its app info stays, because pynenc writes that only once: the app can still be
        found. Concurrency: how much of it is one step, each class says.
        """
        self._purge_store()

    # -- names that another pynenc has -----------------------------------------------

    def upsert_invocation(self, invocation: DistributedInvocation[Any, Any]) -> None:
        """Store one invocation; `upsert_invocations` for one."""
        self.upsert_invocations([invocation])

    @classmethod
    def get_all_app_infos(cls) -> dict[str, AppInfo]:
        """Return all apps of the configured store by id; `discover_app_infos`."""
        return cls.discover_app_infos()

    def get_all_workflows(self) -> Iterator[str]:
        """Return the keys of all workflow types; `get_all_workflow_types` as text."""
        return (workflow_type.key for workflow_type in self.get_all_workflow_types())

    def get_all_workflows_runs(self) -> Iterator[WorkflowIdentity]:
        """Return all workflow runs; `get_all_workflow_runs`."""
        return self.get_all_workflow_runs()

    def get_workflow_deterministic_value(self, workflow: WorkflowIdentity, key: str) -> Any:
        """Return the value stored for a deterministic operation; None if there is none."""
        return self.get_workflow_data(workflow, _DETERMINISTIC + key)

    def set_workflow_deterministic_value(
        self, workflow: WorkflowIdentity, key: str, value: Any
    ) -> None:
        """Store the value of a deterministic operation; it is not workflow data of *key*."""
        self.set_workflow_data(workflow, _DETERMINISTIC + key, value)

    def wait_for_all_async_operations(self) -> None:
        """Return at once: nothing is ever written in the background."""

    def wait_for_invocation_async_operations(self, invocation_id: str) -> None:
        """Return at once: nothing is ever written in the background."""


def _as_record(status: InvocationStatusRecord | InvocationStatus) -> InvocationStatusRecord:
    return status if isinstance(status, InvocationStatusRecord) else InvocationStatusRecord(status)
