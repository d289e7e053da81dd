"""What a store says of many invocations at once, in a few questions if it can answer them.

pynenc's interface asks of one invocation at a time. Our own stores answer for many; any other
that has methods of the same names does, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from pynenc.identifiers.invocation_id import InvocationId

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.invocation.status import InvocationStatusRecord
    from pynenc.models.call_dto import CallDTO
    from pynenc.models.invocation_dto import InvocationDTO

    #: A status record, and the number of retries.
    State: TypeAlias = tuple[InvocationStatusRecord, int]
    Pair: TypeAlias = tuple[InvocationDTO, CallDTO]


class Lookups:
    """An app's store, asked of many invocations at once. Who is unknown is in no answer."""

    def __init__(self, app: Pynenc) -> None:
        self._app = app

    def states(self, ids: Sequence[str]) -> dict[str, State]:
        """The status record and the number of retries of each of *ids*."""
        orchestrator: Any = self._app.orchestrator
        ask = getattr(orchestrator, "get_invocation_states", None)
        if ask is not None:
            return dict(ask(ids))
        records = _answered(ids, orchestrator.get_invocation_status_record)
        return {
            each: (record, orchestrator.get_invocation_retries(InvocationId(each)))
            for each, record in records
        }

    def invocations(self, ids: Sequence[str]) -> dict[str, Pair]:
        """The transfer objects of each of *ids*."""
        backend: Any = self._app.state_backend
        ask = getattr(backend, "get_stored_invocations", None)
        if ask is not None:
            return dict(ask(ids))
        # The public method imports the task, which this process may not be able to.
        pairs = {each: backend._get_invocation(InvocationId(each)) for each in ids}
        return {each: pair for each, pair in pairs.items() if pair is not None}

    def with_result(self, ids: Sequence[str]) -> set[str]:
        """Those of *ids* that have a result, of any value."""
        backend: Any = self._app.state_backend
        ask = getattr(backend, "invocations_with_result", None)
        return set(ask(ids) if ask else dict(_answered(ids, backend._get_result)))

    def with_exception(self, ids: Sequence[str]) -> set[str]:
        """Those of *ids* that have an exception."""
        backend: Any = self._app.state_backend
        ask = getattr(backend, "invocations_with_exception", None)
        return set(ask(ids) if ask else dict(_answered(ids, backend._get_exception)))


def _answered(ids: Iterable[str], get: Callable[[InvocationId], Any]) -> list[tuple[str, Any]]:
    """The answers of *get*, which raises ``KeyError`` for what it does not have."""
    answers = []
    for each in ids:
        try:
            answers.append((each, get(InvocationId(each))))
        except KeyError:
            continue
    return answers
