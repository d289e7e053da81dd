"""Tests that judge saved operations again: what ``--pynenc-replay FILE`` adds to a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_pynenc_state.conformance_selection import only_named_tests
from pytest_pynenc_state.errors import OperationsUnreadable
from pytest_pynenc_state.history.linearizability import assert_linearizable, judging
from pytest_pynenc_state.history.models import Model
from pytest_pynenc_state.history.operations import Operation, load_operations
from pytest_pynenc_state.hookspecs import OPTIONS

#: What the ids of these tests begin with.
REPLAY_NODE = "pynenc-replay"


class _Replays:
    """The hook of a run that judges saved operations."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Add a test for each file and each model that its operations are about."""
        for name in config.stash[OPTIONS].replay:
            items += _tests(session, Path(name))


class _Replay(pytest.Item):
    """Judges the operations of one file by one model."""

    def __init__(
        self, operations: list[Operation], model: Model[Any], budget_s: float, **options: Any
    ) -> None:
        super().__init__(**options)
        self._operations = operations
        self._model = model
        self._budget_s = budget_s

    def runtest(self) -> None:
        """Fail if no correct store could have answered so, or if that could not be decided."""
        assert_linearizable(self._operations, self._model, budget_s=self._budget_s)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_: Any) -> Any:
        """The verdict alone: there is no code of the user's on the way to it."""
        is_verdict = excinfo.errisinstance(AssertionError)
        return str(excinfo.value) if is_verdict else super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, None, str]:
        """The file, and what is judged."""
        return self.path, None, self.name


def select_operations(config: pytest.Config) -> None:
    """Judge the operations in the files that the option names."""
    only_named_tests(config)
    config.pluginmanager.register(_Replays())


def _tests(session: pytest.Session, path: Path) -> Iterator[pytest.Item]:
    try:
        operations = load_operations(path)
    except (OSError, OperationsUnreadable) as error:
        message = f"--pynenc-replay: {error}"
        raise pytest.UsageError(message) from None
    models = judging(operations)
    if not models:
        message = f"--pynenc-replay: {path} has no operation that a model is about"
        raise pytest.UsageError(message)
    budget_s = session.config.stash[OPTIONS].timeout
    for model in models:
        yield _Replay.from_parent(
            session,
            path=path,
            name=f"{path.name}[{model.name}]",
            nodeid=f"{REPLAY_NODE}::{path}[{model.name}]",
            operations=operations,
            model=model,
            budget_s=budget_s,
        )
