"""Two tests of one app, which would see each other's data if they had the same place."""

# ruff: noqa: ANN001, ANN201
# Written as the author of an application would, without annotations.

from __future__ import annotations

from pathlib import Path

import office
import pytest


@pytest.mark.pynenc(app="office:app")
@pytest.mark.parametrize("number", [1, 2])
def test_nothing_is_there_before(pynenc_app, pynenc_place, number):
    """Leave something behind, for the next test to find."""
    assert pynenc_app.app_id == "office"
    assert pynenc_app.orchestrator.count_invocations() == 0
    pynenc_app.client_data_store.purge()

    invocation = office.add(number, number)

    assert pynenc_app.orchestrator.count_invocations() == 1
    assert list(pynenc_app.orchestrator.get_task_invocation_ids(office.add.task_id)) == [
        invocation.invocation_id
    ]
    with Path("places.txt").open("a") as places:
        places.write(f"{pynenc_place.location}\n")
