"""What others may build on: a hook to implement, and where options and places are found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_pynenc_state.backends.backend import Backend
    from pytest_pynenc_state.options import Options
    from pytest_pynenc_state.report.contents import ConformanceReport

#: Where a run's `Options` are in the stash of its ``config``.
OPTIONS: pytest.StashKey[Options] = pytest.StashKey()

#: Where the report of a run's clauses is in the stash of its ``config``, once it has ended.
REPORT: pytest.StashKey[ConformanceReport] = pytest.StashKey()

#: Where the names of the files that a run has written its report to are in the stash of its
#: ``config``, each with the error if it could not be written.
WRITTEN: pytest.StashKey[dict[str, OSError | None]] = pytest.StashKey()

#: The user property of a report that says where the test's place is kept.
KEPT_PLACE = "pynenc_place"

#: The user property of a report that says which clause it is about, as JSON.
CLAUSE = "pynenc_clause"

#: How the reason begins why a clause was skipped, or was allowed to fail.
NOT_RUN, UNSUPPORTED, UNDECIDED, PREVIEW = "not run", "unsupported", "undecided", "preview"


#: The attribute of a test's report with what is to be drawn of it.
PICTURES = "pynenc_pictures"


def told(report: object, name: str) -> str:
    """The user property *name* of a test's report; nothing if it has none."""
    properties: dict[str, str] = dict(getattr(report, "user_properties", ()))
    return properties.get(name, "")


@pytest.hookspec
def pytest_pynenc_backends(config: pytest.Config) -> Iterable[Backend]:
    """Return backends that may be selected by their names, besides the built-in ones.

    The result may be any iterable of `pytest_pynenc_state.Backend`. A name that is
    already taken is a usage error.
    """
    raise NotImplementedError


@pytest.hookspec
def pytest_pynenc_report(config: pytest.Config, report: ConformanceReport) -> None:
    """Called once at the end of a run that checked clauses, before anything is written.

    :param report: A `pytest_pynenc_state.report.contents.ConformanceReport`.
    """
