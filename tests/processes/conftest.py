"""What the tests of children and races look at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_pynenc_state import Races, session, starting
from pytest_pynenc_state.processes.pool import Pool
from pytest_pynenc_state.processes.racing import Rules
from pytest_pynenc_state.processes.visiting import Destination
from tests.processes import crashing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pynenc.app import Pynenc

    from pytest_pynenc_state import Backend

#: The same random choices in each run.
SEED = 7


@pytest.fixture
def life(tmp_path: Path) -> Path:
    """A file that is there as soon as a function runs."""
    return tmp_path / "life"


@pytest.fixture
def registered(pynenc_app: Pynenc) -> str:
    """An invocation that nobody has claimed."""
    return str(pynenc_app.task(crashing.add_one)(40).invocation_id)


@pytest.fixture
def pynenc_pool(request: pytest.FixtureRequest) -> Pool:
    return session.state_of(request.config).pool


@pytest.fixture
def destination(
    request: pytest.FixtureRequest, pynenc_app: Pynenc, pynenc_backend: Backend
) -> Destination:
    return starting.destination(request, pynenc_app, pynenc_backend)


@pytest.fixture
def pynenc_race(
    request: pytest.FixtureRequest, destination: Destination, pynenc_pool: Pool
) -> Iterator[Races]:
    timeout_s = session.state_of(request.config).options.timeout
    races = Races(destination, pynenc_pool, Rules(4, SEED, timeout_s))
    yield races
    races.close()
