"""A runner that pynenc's own command line starts, as on a server."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from pynenc.util.import_app import find_app_instance

from pytest_pynenc_state.errors import AppError
from pytest_pynenc_state.processes.base_runner import COMMAND_LINE_KIND
from pytest_pynenc_state.processes.separate_runner import SeparateRunner
from pytest_pynenc_state.waiting import wait_until

if TYPE_CHECKING:
    from pynenc.app import Pynenc

    from pytest_pynenc_state.processes.guarding import Guard

_REMEDY = (
    "name an importable app: --pynenc-app pkg.mod:app, or @pytest.mark.pynenc(app='pkg.mod:app')"
)


class CommandLineRunner(SeparateRunner):
    """``pynenc --app pkg.mod runner start``, in a child process.

    Nothing but the environment and the working directory leads it to the place of the test:
    values of the configuration that no variable can hold do not get there. The class of the
    runner is the app's ``runner_cls``.

    :raises AppError: The command line would not find the app.
    """

    def __init__(self, app: Pynenc, path: str | None, guard: Guard, timeout_s: float) -> None:
        # First, because what is refused must not have opened a file.
        self._module = _module_of(app, path)
        super().__init__(app, COMMAND_LINE_KIND, guard)
        self._timeout_s = timeout_s

    def start(self) -> None:
        """Start the process, and learn the runner's id, which it chooses by itself.

        Return when it is known: of two that started at once it could not be told whose it is.
        """
        others = self._leading_ids()
        super().start()
        wait_until(lambda: self._finds_its_id(others) or not self.is_alive(), self._timeout_s)

    def _popen(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "pynenc", "--app", self._module, "runner", "start"],
            # Where modules come from is all that a test may have changed in this process only.
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.DEVNULL,
            stdout=self.output.fileno(),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _finds_its_id(self, others: set[str]) -> bool:
        self.runner_id = next(iter(self._leading_ids() - others), "")
        return self.runner_id != ""

    def _leading_ids(self) -> set[str]:
        """The active runners; without their workers, which have heartbeats, too."""
        active = self.app.orchestrator.get_active_runners(can_run_atomic_service=True)
        return {runner.runner_id for runner in active}


def _module_of(app: Pynenc, path: str | None) -> str:
    """The module that the command line finds *app* in."""
    if path is None:
        message = (
            "the command-line runner needs an app that it can import; this test has a fresh one"
        )
        raise AppError(message, _REMEDY, "or choose another kind of runner, like process")
    module, _, _ = path.partition(":")
    if find_app_instance(module) is not app:
        message = f"pynenc's command line takes another app of module {module} than {path!r}"
        raise AppError(message, "let the module have one app only", _REMEDY)
    return module
