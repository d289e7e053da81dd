"""More tests than workers, each on a place of its own, with a worker's processes to itself."""

# ruff: noqa: ANN001, ANN201
# Written as the author of an application would, without annotations.

from __future__ import annotations

from pathlib import Path

import office
import pytest

pytestmark = pytest.mark.pynenc(app="office:app")


@pytest.mark.parametrize("number", range(4))
def test_alone(pynenc_app, pynenc_namespace, pynenc_place, worker_id, number):
    """Find nothing, leave something, and say where this was."""
    assert pynenc_app.orchestrator.count_invocations() == 0
    office.add(number, number)
    with Path("seen.txt").open("a") as seen:
        seen.write(f"{worker_id} {pynenc_namespace} {pynenc_place.location}\n")


@pytest.mark.parametrize("pynenc_runner", ["process"], indirect=True)
@pytest.mark.usefixtures("pynenc_runner")
def test_with_a_runner():
    """A worker of xdist runs tests in its main thread, or not: both have to do."""
    assert office.add(1, 2).result == 3


@pytest.mark.usefixtures("pynenc_app")
def test_fails():
    """Keep a place."""
    raise RuntimeError
