"""Whatever the order of calls, each is answered as it would be out of plain dictionaries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.session import state_of

if TYPE_CHECKING:
    from pynenc.app import Pynenc


@clause(
    "BE-PRG-01",
    needs="hypothesis",
    hint="run the shortest program that breaks, which is shown with the failure",
)
def programs_are_answered_as_by_dictionaries(
    request: pytest.FixtureRequest, pynenc_app: Pynenc
) -> None:
    """Random programs of one process are answered as plain dictionaries would."""
    from pytest_pynenc_state.conformance.machine import run_programs

    run_programs(pynenc_app, state_of(request.config).seed)
