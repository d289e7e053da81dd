"""Random programs that several processes run on the same few things, so as to collide.

Each function gets the app of the test first, built again in the process that calls it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pynenc.exceptions import InvocationStatusError
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state import compat
from pytest_pynenc_state.compat import AtomicServiceExecutionStatus
from pytest_pynenc_state.conformance.making import new_invocation
from pytest_pynenc_state.conformance.service_runs import new_run
from pytest_pynenc_state.waiting import wait_for_instant

if TYPE_CHECKING:
    from pynenc.app import Pynenc

_STEPS_OF_ONE_KIND = 60

# Longer than pynenc's ids are, so that it is no special case.
_TEXT_LENGTH = 50


class Program:
    """What one process does: one random step after the other.

    :param keys: The ids of the invocations that it is about.
    :param name: Tells it from other programs; also the id of its runner.
    :param seed: The same program again has the same seed and the same name.
    """

    def __init__(self, app: Pynenc, keys: Sequence[str], name: str, seed: int) -> None:
        self._app = app
        self._keys = keys
        self._name = name
        self._chooser = random.Random(f"{seed}-{name}")  # noqa: S311 - no cryptography
        self._made = 0

    def step(self, kind: str) -> None:
        """Call the store once or twice, about one thing."""
        self._made += 1
        with suppress(KeyError, InvocationStatusError):
            _STEPS[kind](self, self._chooser.choice(self._keys))

    def _status(self, key: str) -> None:
        orchestrator = self._app.orchestrator
        if self._chooser.random() < 0.1:
            invocation = new_invocation(self._app, invocation_id=key)
            orchestrator._register_new_invocations([invocation], self._name)
        record = orchestrator.get_invocation_status_record(key)
        if self._chooser.random() < 0.7:
            target = self._chosen_target(record.status)
            orchestrator._atomic_status_transition(key, target, self._name)

    def _retries(self, key: str) -> None:
        if self._chooser.random() < 0.5:
            self._app.orchestrator.increment_invocation_retries(key)
        self._app.orchestrator.get_invocation_retries(key)

    def _result(self, key: str) -> None:
        if self._chooser.random() < 0.5:
            text = f"{self._name} {self._made} ".ljust(_TEXT_LENGTH, "-")
            self._app.state_backend._set_result(key, text)
        self._app.state_backend._get_result(key)

    def _services(self, _: str) -> None:
        orchestrator: Any = self._app.orchestrator
        # Who is admitted tries again meanwhile: a run takes as long as an attempt of another
        # process then, and a wrong admission shows.
        runs = [new_run(f"{self._name}-{self._made}-{each}", self._name) for each in range(2)]
        admitted = []
        try:
            for run in runs:
                if not orchestrator.record_atomic_service_execution_start(run, None):
                    break
                admitted.append(run)
        finally:
            for run in admitted:
                orchestrator.finalize_atomic_service_execution(
                    run, datetime.now(UTC), AtomicServiceExecutionStatus.COMPLETED
                )

    def _chosen_target(self, status: InvocationStatus) -> InvocationStatus:
        """Mostly what *status* allows, and what does not end the invocation."""
        allowed = [target for target in InvocationStatus if status.can_transition_to(target)]
        lasting = [target for target in allowed if not target.is_final()]
        if lasting and self._chooser.random() < 0.9:
            return self._chooser.choice(lasting)
        return self._chooser.choice(allowed or list(InvocationStatus))


_STEPS: Mapping[str, Callable[[Program, str], None]] = MappingProxyType(
    {
        "status": Program._status,
        "retries": Program._retries,
        "result": Program._result,
        "services": Program._services,
    }
)

#: What the installed pynenc has, by the names of the models that judge it.
KINDS = tuple(kind for kind in _STEPS if kind != "services" or compat.HAS_EXECUTION_RECORDS)


def run_steps(
    app: Pynenc, kind: str, keys: Sequence[str], name: str, seed: int, start_ns: int
) -> None:
    """Take some steps, all of one kind, from an instant of `time.monotonic_ns` on."""
    program = Program(app, keys, name, seed)
    wait_for_instant(start_ns)
    for _ in range(_STEPS_OF_ONE_KIND):
        program.step(kind)


def run_until_told(app: Pynenc, keys: Sequence[str], name: str, seed: int, stop: str) -> None:
    """Take steps of each kind in turn until a file is there."""
    program, end = Program(app, keys, name, seed), Path(stop)
    while not end.exists():
        for kind in KINDS:
            program.step(kind)
