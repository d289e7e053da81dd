"""A runner of a chosen class and id, in a process that does nothing else."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from pytest_pynenc_state.processes import host
from pytest_pynenc_state.processes.base_runner import RUNNER_CLASSES
from pytest_pynenc_state.processes.separate_runner import SeparateRunner

if TYPE_CHECKING:
    from pynenc.app import Pynenc

    from pytest_pynenc_state.apps.recipe import AppRecipe
    from pytest_pynenc_state.processes.guarding import Guard


class HostedRunner(SeparateRunner):
    """A runner that starts processes, alone in a child process."""

    def __init__(self, app: Pynenc, kind: str, recipe: AppRecipe, guard: Guard) -> None:
        super().__init__(app, kind, guard)
        self._recipe = recipe

    def start(self) -> None:
        """Start the process and tell it what to run."""
        super().start()
        assert self._process is not None
        assert self._process.stdin is not None
        runner_class = RUNNER_CLASSES[self.kind]
        # Where paths are short: that of a socket has a hundred characters at most.
        sockets = self._guard.folder
        order = host.Order(self._recipe, runner_class, self.runner_id, sockets)
        host.send(order, self._process.stdin)

    def _popen(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            host.COMMAND,
            stdin=subprocess.PIPE,
            stdout=self.output.fileno(),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
