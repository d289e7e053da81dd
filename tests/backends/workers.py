"""What other processes do with the app under test. A spawned process imports this module."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
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
_RETRY = InvocationStatus.RETRY


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


def move_about(address: AppAddress, ids: Sequence[str], runner_id: str, attempts: int) -> list[str]:
    """Attempt moves of random invocations; return the id of each that was accepted, as often.

    Each is one that the status of a moment ago allows, and that leaves more to do; none is a
    retry, which a runner has to count.
    """
    orchestrator = address.open().orchestrator
    runner_context = new_context(runner_id)
    chooser = random.Random(runner_id)  # noqa: S311 - no cryptography
    lasting = [each for each in InvocationStatus if not each.is_final() and each != _RETRY]
    accepted = []
    for _ in range(attempts):
        invocation_id = chooser.choice(ids)
        status = orchestrator.get_invocation_status(invocation_id)
        allowed = [each for each in lasting if status.can_transition_to(each)]
        target = chooser.choice(allowed)
        with suppress(InvocationStatusError):
            orchestrator.set_invocation_status(invocation_id, target, runner_context)
            accepted.append(invocation_id)
    return accepted
