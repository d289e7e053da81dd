"""What others may build on: a hook to implement, and where options and places are found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_pynenc_state.backends.backend import Backend
    from pytest_pynenc_state.options import Options

#: Where a run's `Options` are in the stash of its ``config``.
OPTIONS: pytest.StashKey[Options] = pytest.StashKey()

#: The user property of a report that says where the test's place is kept.
KEPT_PLACE = "pynenc_place"

#: The user property of a report that says which clause it is about, as JSON.
CLAUSE = "pynenc_clause"

#: How the reason begins why a clause was skipped, or was allowed to fail.
NOT_RUN, UNSUPPORTED, UNDECIDED, PREVIEW = "not run", "unsupported", "undecided", "preview"


@pytest.hookspec
def pytest_pynenc_backends(config: pytest.Config) -> Iterable[Backend]:
    """Return backends that may be selected by their names, besides the built-in ones.

    The result may be any iterable of `pytest_pynenc_state.Backend`. A name that is
    already taken is a usage error.
    """
    raise NotImplementedError
