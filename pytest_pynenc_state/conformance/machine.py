"""Random programs of one process, compared step by step with plain dictionaries.

What breaks is shrunk to a short program. Needs hypothesis: ``pytest-pynenc-state[hypothesis]``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pynenc.exceptions import InvocationStatusError
from pynenc.invocation.status import (
    InvocationStatus,
    InvocationStatusRecord,
    status_record_transition,
)

from pytest_pynenc_state.conformance.making import (
    at,
    new_history,
    new_invocation,
    new_pair,
    new_record,
    unique_id,
)

if TYPE_CHECKING:
    from pynenc.app import Pynenc

_PROGRAMS = 30
_STEPS = 20
_KEYS = 3

_RUNNERS = st.sampled_from(["runner 1", "runner 2"])
_STATUSES = st.sampled_from([*InvocationStatus])
_TEXTS = st.sampled_from(["", "one", "two", "\u00e4\U0001f600\x00"])


class StoreMachine(RuleBasedStateMachine):
    """A store, and what it should have, step by step. Each program begins with an empty one.

    :cvar app: The app whose store it is.
    """

    app: ClassVar[Pynenc]

    keys = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self._orchestrator: Any = self.app.orchestrator
        self._state_backend: Any = self.app.state_backend
        self._built: dict[str, Any] = {}
        self.purge()

    @initialize(target=keys, runner=_RUNNERS)
    def begin_with_one(self, runner: str) -> str:
        """There is something to work on from the beginning."""
        return self._registered(runner)

    @initialize(target=keys, runner=_RUNNERS)
    def begin_with_another(self, runner: str) -> str:
        """And something to mix it up with."""
        return self._registered(runner)

    @precondition(lambda self: len(self._built) < _KEYS)
    @rule(target=keys, runner=_RUNNERS)
    def register(self, runner: str) -> str:
        """A new invocation has the first status, whoever registers it."""
        return self._registered(runner)

    def _registered(self, runner: str) -> str:
        invocation = new_invocation(self.app)
        key = str(invocation.invocation_id)
        self._built[key] = invocation
        self._register(key, runner)
        self._check()
        return key

    @rule(key=keys, runner=_RUNNERS)
    def register_again(self, key: str, runner: str) -> None:
        """That changes nothing; after a purge, it is as new."""
        self._register(key, runner)
        self._check()

    def _register(self, key: str, runner: str) -> None:
        record = self._orchestrator._register_new_invocations([self._built[key]], runner)
        if key not in self._records:
            assert record.status == InvocationStatus.REGISTERED
            self._records[key] = record

    @rule(key=keys, which=st.integers(0, 5), runner=_RUNNERS)
    def move_on(self, key: str, which: int, runner: str) -> None:
        """Try one of the moves that the status allows, as its owner if it has one."""
        record = self._records.get(key)
        if record is None:
            return
        allowed = [each for each in InvocationStatus if record.status.can_transition_to(each)]
        if allowed:
            self.move(key, allowed[which % len(allowed)], record.runner_id or runner)

    @rule(key=keys, status=_STATUSES, runner=_RUNNERS)
    def move(self, key: str, status: InvocationStatus, runner: str) -> None:
        """Try any move: the store accepts and refuses what pynenc does, with the same error."""
        expected, _ = _outcome(self._moved, key, status, runner)
        transition = self._orchestrator._atomic_status_transition
        found, record = _outcome(transition, key, status, runner)
        assert (status, found) == (status, expected)
        if record is not None:
            self._records[key] = record
        self._check()

    def _moved(self, key: str, status: InvocationStatus, runner: str) -> InvocationStatusRecord:
        return status_record_transition(self._records[key], status, runner)

    @rule(key=keys)
    def retry(self, key: str) -> None:
        """Each increment adds one."""
        if key in self._records:
            self._orchestrator.increment_invocation_retries(key)
            self._retries[key] += 1
            self._check()

    @rule(key=keys, text=_TEXTS)
    def write_result(self, key: str, text: str) -> None:
        """The last text counts."""
        self._state_backend._set_result(key, text)
        self._results[key] = text
        self._check()

    @rule(key=keys, instants=st.lists(st.integers(0, 3), min_size=1, max_size=3))
    def add_records(self, key: str, instants: list[int]) -> None:
        """Histories are in the order of their instants, and else as they came."""
        for us in instants:
            context = unique_id("context")
            record = new_history(key, at(us), new_record(timestamp=at(us)), context)
            self._state_backend._add_histories([key], record)
            self._histories[key].append((us, context))
        self._check()

    @rule(parent=keys)
    def add_child(self, parent: str) -> None:
        """A stored invocation is found by its parent."""
        entry = new_pair(self.app, parent_invocation_id=parent)
        self._state_backend._upsert_invocations([entry])
        self._children[parent].add(str(entry[0].invocation_id))
        self._check()

    @precondition(lambda self: len(self._built) == _KEYS)
    @rule()
    def purge(self) -> None:
        """Nothing is left; all may come again."""
        self._orchestrator.purge()
        self._state_backend.purge()
        self._records: dict[str, InvocationStatusRecord] = {}
        self._retries: dict[str, int] = defaultdict(int)
        self._results: dict[str, str] = {}
        self._histories: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._children: dict[str, set[str]] = defaultdict(set)
        self._check()

    def _check(self) -> None:
        """Compare all there is. No invariant: hypothesis would list it after each step."""
        assert self._orchestrator.count_invocations() == len(self._records)
        for key in self._built:
            found = _or_none(self._orchestrator.get_invocation_status_record, key)
            assert (key, found) == (key, self._records.get(key))
            if found is not None:
                retries = self._orchestrator.get_invocation_retries(key)
                assert (key, retries) == (key, self._retries[key])
            result = _or_none(self._state_backend._get_result, key)
            assert (key, result) == (key, self._results.get(key))
            ordered = sorted(self._histories[key], key=lambda entry: entry[0])
            contexts = [each.runner_context_id for each in self._state_backend.get_history(key)]
            assert (key, contexts) == (key, [context for _, context in ordered])
            children = [*self._state_backend.get_child_invocations(key)]
            assert (key, sorted(children)) == (key, sorted(self._children[key]))


def run_programs(app: Pynenc, number: int) -> None:
    """Run random programs on the store of *app*, which is purged before each.

    :param number: The seed that they follow from.
    :raises Exception: What a step of the shortest program that breaks has raised; the program is
        a note of it.
    """
    machine = seed(number)(type(StoreMachine.__name__, (StoreMachine,), {"app": app}))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=_PROGRAMS,
            stateful_step_count=_STEPS,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            report_multiple_bugs=False,
            suppress_health_check=[*HealthCheck],
        ),
    )


def _outcome(
    move: Callable[..., InvocationStatusRecord], *arguments: object
) -> tuple[object, InvocationStatusRecord | None]:
    """What a move comes to, without its instant; and the record, if there is one."""
    try:
        record = move(*arguments)
    except (InvocationStatusError, KeyError) as error:
        return type(error), None
    return (record.status, record.runner_id), record


def _or_none(read: Callable[[str], Any], key: str) -> Any:
    try:
        return read(key)
    except KeyError:
        return None
