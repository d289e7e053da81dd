"""pynenc's own suites for authors of backends, run on ours.

pynenc ships them in its wheel, to be star-imported beside an ``app_instance`` fixture: that
is its documented way, and why these modules do what no other one here may. Not one of the
tests is left out, and none is expected to fail, on any pynenc from 0.1.1 to 0.4.0.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pynenc import Pynenc
from pynenc_tests.conftest import reset_mock_classes

__all__ = ["reset_mock_classes"]  # a fixture of every test, which resets pynenc's mocks

# A hang guard: runners end within their loop's pause.
_RUNNER_DEADLINE_S = 10.0


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Leave this folder to runs that have it as their root.

    The suites are not ours to keep free of warnings, which are errors everywhere else.
    """
    return None if config.rootpath == Path(__file__).parent else True


@pytest.fixture
def app_instance(pynenc_app: Pynenc) -> Iterator[Pynenc]:
    """The app under test, on each selected backend in turn.

    Some tests tell their runner to stop and do not wait for it; it must not go on when
    the store of its test is gone.
    """
    before = set(threading.enumerate())
    yield pynenc_app
    for thread in set(threading.enumerate()) - before:
        thread.join(_RUNNER_DEADLINE_S)
