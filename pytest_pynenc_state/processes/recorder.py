"""What the processes of a test did to its store: what the fixture ``pynenc_recorder`` gives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pytest_pynenc_state.apps.pointing import touch_components
from pytest_pynenc_state.history.linearizability import BUDGET_S, Linearizability, check_all
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
    test's app, and of every app that is built from then on, here or in a process that the test
    starts. What calls `auto_purge` cannot be judged: no model knows when it removes what.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._recorded: list[Operation] | None = None

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

        :raises AssertionError: The message has the first operation that is impossible; or nothing
            was recorded.
        """
        __tracebackhide__ = True
        verdicts = self.check_linearizable(budget_s=budget_s)
        broken = [str(verdict) for verdict in verdicts if verdict.outcome != Outcome.OK]
        if not verdicts:
            broken.append("no operation was recorded: nothing that the models are about was called")
        # Raised, not asserted: pytest would show the texts once more, shortened.
        if broken:
            raise AssertionError("\n".join(broken))

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
def recorder_of(app: Pynenc) -> Iterator[Recorder]:
    """Record what *app* does, and what the processes do that are started meanwhile."""
    # One that is made later is recorded from then on: it must not be recorded twice.
    touch_components(app)
    with TemporaryDirectory(prefix="pynenc-operations-") as directory:
        recorder = Recorder(Path(directory))
        try:
            with variable_set(JOURNALS_VARIABLE, directory), recording.installed(app):
                yield recorder
        finally:
            recorder.close()
