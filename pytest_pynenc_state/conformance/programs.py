"""Random programs that several processes run on the same few things, so as to collide.

Each function gets the app of the test first, built again in the process that calls it.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
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

# A final status ends what there is to race for: it is tried, but not so often that nothing is left.
_LASTING_SHARE = 0.97

# A process takes so many turns before another one is killed, and so many after that; in each it
# makes two dozen calls.
_TURNS = 8

# More than a pipe holds.
_PIPE_SIZE = 1 << 20

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

    def take_turn(self) -> None:
        """Take a dozen steps, of all kinds."""
        for kind in _TURN:
            self.step(kind)

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
        if lasting and self._chooser.random() < _LASTING_SHARE:
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

# Each admission to the services makes the next one slower.
_TURN = (*KINDS, *("status", "retries", "result") * 3)


def run_steps(
    app: Pynenc, instants_ns: Sequence[int], kind: str, keys: Sequence[str], name: str, seed: int
) -> None:
    """Take a step at each of these instants of `time.monotonic_ns`, all of one kind."""
    program = Program(app, keys, name, seed)
    for instant_ns in instants_ns:
        wait_for_instant(instant_ns)
        program.step(kind)


def run_until_killed(
    app: Pynenc, keys: Sequence[str], name: str, seed: int, pipes: Sequence[str]
) -> None:
    """Take turn after turn until killed, from when each of the pipes has a reader.

    :param pipes: Made here, which says that this process is there. Each gets a line at the
        beginning of each turn: the id of this process.
    """
    program = Program(app, keys, name, seed)
    for pipe in pipes:
        os.mkfifo(pipe)
    with ExitStack() as stack:
        readers = [stack.enter_context(Path(pipe).open("w", buffering=1)) for pipe in pipes]
        while True:
            for reader in readers:
                reader.write(f"{os.getpid()}\n")
            program.take_turn()


def run_past_a_kill(app: Pynenc, keys: Sequence[str], name: str, seed: int, pipe: str) -> None:
    """Take turns while a victim takes some, kill it then, and take as many when it is dead.

    Several processes may do that: the first one that has taken so many kills it.

    :param pipe: One of `run_until_killed`. The kernel closes it when that process is dead.
    """
    program, taken = Program(app, keys, name, seed), 0
    with Path(pipe).open("rb", buffering=0) as victim:
        # Takes all that it has said so far: the turn after this one waits until it says more.
        while lines := victim.read(_PIPE_SIZE):
            program.take_turn()
            taken += 1
            if taken == _TURNS:
                # Dead or not, it has its id: its parent waits for this process first.
                os.kill(int(lines.split()[0]), signal.SIGKILL)
    for _ in range(_TURNS):
        program.take_turn()
