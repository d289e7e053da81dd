"""What the tests of children and races look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_pynenc_state import Races, session, starting
from pytest_pynenc_state.processes.pool import Pool
from pytest_pynenc_state.processes.racing import Rules
from pytest_pynenc_state.processes.visiting import Destination

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pynenc.app import Pynenc

    from pytest_pynenc_state import Backend

#: The same random choices in each run.
SEED = 7


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
