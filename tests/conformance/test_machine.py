"""The machine finds a fault, and shrinks what shows it to a few steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_pynenc_state.conformance.machine import run_programs
from tests.conformance.mutants.all_of_them import __name__ as home

if TYPE_CHECKING:
    from pynenc.app import Pynenc

pytestmark = pytest.mark.pynenc_no_history_check  # its programs write what no app would


@pytest.mark.parametrize("pynenc_backend", ["memory"], indirect=True)
def test_a_sound_store_passes(pynenc_app: Pynenc) -> None:
    """With any seed."""
    for number in range(3):
        run_programs(pynenc_app, number)


@pytest.mark.parametrize(
    ("pynenc_backend", "culprit"),
    [
        (f"{home}:RetriesOfAll", "retry"),
        (f"{home}:RegistersAgain", "register_again"),
        (f"{home}:NewestFirst", "add_records"),
    ],
    indirect=["pynenc_backend"],
)
def test_what_breaks_is_shown_as_a_short_program(pynenc_app: Pynenc, culprit: str) -> None:
    """It begins with two invocations, and ends with the step that goes wrong."""
    with pytest.raises(AssertionError) as failure:
        run_programs(pynenc_app, 7)

    program = "\n".join(failure.value.__notes__).splitlines()
    calls = [line.partition("state.")[2] for line in program if "state." in line]
    steps = [call.partition("(")[0] for call in calls]
    assert sorted(steps[:2]) == ["begin_with_another", "begin_with_one"]
    assert steps[-2:] == [culprit, "teardown"]
    assert len(steps) <= 6
