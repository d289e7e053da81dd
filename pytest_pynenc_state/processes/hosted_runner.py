"""A runner of a chosen class and id, in a process that does nothing else."""

from __future__ import annotations

import subprocess
from shutil import rmtree
from tempfile import mkdtemp
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
        self._sockets: str | None = None

    def start(self) -> None:
        """Start the process and tell it what to run."""
        super().start()
        # Where paths are short: that of a socket has a hundred characters at most.
        self._sockets = mkdtemp(prefix="", dir=self._guard.folder)
        assert self._process is not None
        assert self._process.stdin is not None
        runner_class = RUNNER_CLASSES[self.kind]
        order = host.Order(self._recipe, runner_class, self.runner_id, self._sockets)
        host.send(order, self._process.stdin)

    def stop(self, timeout_s: float) -> None:
        """Stop the runner, and remove what it may have left of its own."""
        try:
            super().stop(timeout_s)
        finally:
            sockets, self._sockets = self._sockets, None
            if sockets is not None:
                rmtree(sockets, ignore_errors=True)

    def _popen(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            host.COMMAND,
            stdin=subprocess.PIPE,
            stdout=self.output.fileno(),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
