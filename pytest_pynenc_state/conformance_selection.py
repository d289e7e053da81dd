"""The conformance suite as part of a run: what ``--pynenc-conformance`` and the level collect."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_pynenc_state.hookspecs import OPTIONS
from pytest_pynenc_state.options import LEVELS, wants_conformance

#: What the ids of the suite's tests begin with, where no file of the project has it.
SUITE_NODE = "pynenc-conformance"


class _Clauses:
    """The hook of a run that has the conformance suite added, or clauses left out."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Add the conformance suite if asked to, and leave out clauses above the chosen level."""
        if wants_conformance(config):
            items += conformance_items(session)
        keep_up_to_level(config, items, config.stash[OPTIONS].level)


def select_clauses(config: pytest.Config) -> None:
    """Add the conformance suite to what is collected, if asked to, and keep to the level."""
    if wants_conformance(config):
        only_named_tests(config)
    config.pluginmanager.register(_Clauses())


def only_named_tests(config: pytest.Config) -> None:
    """Collect only tests that were named: without names, pytest looks for all there are."""
    if config.args_source is not config.ArgsSource.ARGS:
        config.args = []


def conformance_items(session: pytest.Session) -> list[pytest.Item]:
    """Collect the conformance suite, on each of the selected backends.

    It is no file of the project: no conftest of the folders that it is in is loaded for it.
    """
    path = Path(__file__).with_name("conformance") / "selected.py"
    module = pytest.Module.from_parent(session, path=path, nodeid=SUITE_NODE)
    return list(session.genitems(module))


def keep_up_to_level(config: pytest.Config, items: list[pytest.Item], level: str) -> None:
    """Deselect those of *items* that check clauses above *level*."""
    above = LEVELS[LEVELS.index(level) + 1 :]
    left_out = [item for item in items if _level(item) in above]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if _level(item) not in above]


def _level(item: pytest.Item) -> str:
    marker = item.get_closest_marker("pynenc_clause")
    return marker.kwargs.get("level", LEVELS[0]) if marker else ""
