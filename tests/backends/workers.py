"""What other processes do with the app under test. A spawned process imports this module."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pynenc.app import Pynenc
from pynenc.exceptions import InvocationStatusError
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state import Backend
from pytest_pynenc_state.apps.recipe import AppRecipe
from pytest_pynenc_state.conformance.making import at, new_context, new_history, new_invocation

if TYPE_CHECKING:
    from multiprocessing.connection import Connection as Pipe

_VARIABLES = "PYNENC__"


@dataclass(frozen=True)
class AppAddress:
    """Where a process finds an app, also one that was started for an earlier test.

    :param variables: pynenc's variables in the environment, which beat all else.
    """

    recipe: AppRecipe
    variables: dict[str, str]

    @classmethod
    def of(cls, app: Pynenc, backend: Backend) -> AppAddress:
        """Describe *app*, once its store is ready for other processes."""
        app.state_backend.purge()
        app.orchestrator.purge()
        variables = {name: os.environ[name] for name in os.environ if _VARIABLES in name}
        return cls(AppRecipe.of(app, None, backend.modules), variables)

    def open(self) -> Pynenc:
        """Build the app and its state in this process, which keeps its own variables."""
        own = {name: os.environ.pop(name) for name in list(os.environ) if _VARIABLES in name}
        os.environ.update(self.variables)
        try:
            app = self.recipe.build()
            app.state_backend, app.orchestrator  # noqa: B018 - made when they are asked for
        finally:
            for name in self.variables:
                del os.environ[name]
            os.environ.update(own)
        return app


def increment_retries(address: AppAddress, invocation_id: str, times: int) -> None:
    """Increment the retries of an invocation so many times."""
    orchestrator = address.open().orchestrator
    for _ in range(times):
        orchestrator.increment_invocation_retries(invocation_id)


def beat(address: AppAddress, runner_ids: list[str], times: int) -> dict[str, set[datetime]]:
    """Give the heartbeats of all these runners so many times.

    :returns: All creation times that each of them was seen with.
    """
    orchestrator = address.open().orchestrator
    created: dict[str, set[datetime]] = {runner_id: set() for runner_id in runner_ids}
    for _ in range(times):
        orchestrator.register_runner_heartbeats(runner_ids)
        for runner in orchestrator.get_active_runners():
            created[runner.runner_id].add(runner.creation_time)
    return created


def attempt_transitions(address: AppAddress, ids: list[str], runner_id: str, attempts: int) -> int:
    """Attempt random transitions of random invocations, and record those that succeed.

    Mostly such as the status allows that was there a moment ago, so that processes want
    the same one; sometimes any. Final statuses are rarely chosen, so that the work lasts.

    :returns: How many were accepted. What pynenc refuses is expected; nothing else is.
    """
    app = address.open()
    chooser = random.Random(runner_id)  # noqa: S311 - the same choices in every run
    runner_context = new_context(runner_id)
    accepted = 0
    for _ in range(attempts):
        invocation_id = chooser.choice(ids)
        status = app.orchestrator.get_invocation_status(invocation_id)
        target = _chosen_target(status, chooser)
        try:
            record = app.orchestrator._atomic_status_transition(invocation_id, target, runner_id)
        except InvocationStatusError:
            continue
        app.state_backend.add_history(invocation_id, record, runner_context)
        accepted += 1
    return accepted


def _chosen_target(status: InvocationStatus, chooser: random.Random) -> InvocationStatus:
    allowed = [target for target in InvocationStatus if status.can_transition_to(target)]
    lasting = [target for target in allowed if not target.is_final()]
    kind = chooser.random()
    if lasting and kind < 0.9:
        return chooser.choice(lasting)
    return chooser.choice(allowed if allowed and kind < 0.95 else list(InvocationStatus))


def work_until_killed(address: AppAddress, pipe: Pipe) -> None:
    """Register, move and record invocation after invocation; say when each is done."""
    app = address.open()
    runner_context = new_context("worker")
    life = (InvocationStatus.PENDING, InvocationStatus.RUNNING, InvocationStatus.SUCCESS)
    while True:
        invocation = new_invocation(app)
        invocation_id = invocation.invocation_id
        app.state_backend.upsert_invocations([invocation])
        record = app.orchestrator._register_new_invocations([invocation])
        app.state_backend.add_history(invocation_id, record, runner_context)
        for status in life:
            record = app.orchestrator._atomic_status_transition(invocation_id, status, "worker")
            app.state_backend.add_history(invocation_id, record, runner_context)
        pipe.send(invocation_id)


def add_batches_until_killed(address: AppAddress, ids: list[str], pipe: Pipe) -> None:
    """Add one record under every id, again and again; say when each batch is done."""
    backend = address.open().state_backend
    number = 0
    while True:
        backend._add_histories(ids, new_history("any", at(number)))
        pipe.send(number)
        number += 1
