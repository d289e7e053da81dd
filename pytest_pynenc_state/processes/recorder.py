"""What the processes of a test did to its store: what the fixture ``pynenc_recorder`` gives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pytest_pynenc_state.apps.pointing import touch_components
from pytest_pynenc_state.errors import RecorderTooLate
from pytest_pynenc_state.history.linearizability import (
    BUDGET_S,
    Linearizability,
    NotLinearizable,
    check_all,
)
from pytest_pynenc_state.history.operations import Operation, save_operations
from pytest_pynenc_state.history.verdict import Outcome
from pytest_pynenc_state.processes import recording
from pytest_pynenc_state.processes.journal import JOURNALS_VARIABLE
from pytest_pynenc_state.processes.surroundings import variable_set

if TYPE_CHECKING:
    from pynenc.app import Pynenc


class Recorder:
    """The operations of one test, of all its processes and threads.

    Recorded are the calls that a model in `pytest_pynenc_state.history.models` is about: of the
    test's app, and of every further handle to it that is built from then on, here or in a process
    that the test starts. What calls `auto_purge` cannot be judged: no model knows when it removes
    what.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._recorded: list[Operation] | None = None

    def __repr__(self) -> str:
        return "<Recorder: recording>" if self._recorded is None else "<Recorder: ended>"

    @property
    def operations(self) -> list[Operation]:
        """What was done so far, by its start; once the test has ended, all."""
        return recording.operations_in(self._folder) if self._recorded is None else self._recorded

    def check_linearizable(self, *, budget_s: float = BUDGET_S) -> list[Linearizability]:
        """Decide whether any correct store could have answered so: a verdict for each model.

        :param budget_s: How long to search, for each model.
        """
        return check_all(self.operations, budget_s=budget_s)

    def assert_linearizable(self, *, budget_s: float = BUDGET_S) -> None:
        """Fail if no correct store could have answered so, or if that could not be decided.

        :raises NotLinearizable: An AssertionError. The message has the first impossible operation.
        :raises AssertionError: Nothing was recorded.
        """
        __tracebackhide__ = True
        verdicts = self.check_linearizable(budget_s=budget_s)
        # Raised, not asserted: pytest would show the texts once more, shortened.
        if not verdicts:
            message = "no operation was recorded: nothing that the models are about was called"
            raise AssertionError(message)
        if broken := [verdict for verdict in verdicts if verdict.outcome != Outcome.OK]:
            raise NotLinearizable(broken)

    def saved(self, path: Path) -> str:
        """Write the operations to *path*, as lines of JSON; return what a report says of it.

        :raises OSError: The file cannot be written.
        """
        operations = self.operations
        path.parent.mkdir(parents=True, exist_ok=True)
        save_operations(operations, path)
        count = len({operation.process for operation in operations})
        return (
            f"{len(operations)} operations of {count} processes or threads: {path}\n"
            f"judge them again with: pytest --pynenc-replay {path}"
        )

    def close(self) -> None:
        """Take what was recorded to this process, before its folder is removed."""
        self._recorded = self.operations


@contextmanager
def recorder_of(
    app: Pynenc, *, is_shared: bool = True, parent: str | None = None
) -> Iterator[Recorder]:
    """Record what *app* does, and other handles to it that are made meanwhile, in any process.

    :param is_shared: Whether they have one store; otherwise only *app* itself is recorded.
    :param parent: The folder for what is recorded meanwhile; by default that of the system.
    :raises RecorderTooLate: There are invocations already: what is done to them cannot be judged.
    """
    # One that is made later is recorded from then on: it must not be recorded twice.
    touch_components(app)
    if count := app.orchestrator.count_invocations():
        message = f"app {app.app_id!r} has {count} invocations already: their past is unknown"
        raise RecorderTooLate(message, "name pynenc_recorder before what makes invocations")
    # A child that a test has left behind may begin a journal while the folder is removed.
    with TemporaryDirectory(dir=parent, ignore_cleanup_errors=True) as directory:
        folder = Path(directory)
        (folder / recording.APP_FILE).write_text(app.app_id)
        recorder = Recorder(folder)
        with ExitStack() as stack:
            stack.callback(recorder.close)
            if is_shared:
                stack.enter_context(variable_set(JOURNALS_VARIABLE, directory))
                stack.enter_context(recording.installed(app))
            else:
                stack.enter_context(recording.only_of(folder, app))
            yield recorder
