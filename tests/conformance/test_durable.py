"""The kinds of writes that processes are killed in: each leaves all of its traces, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_pynenc_state.conformance.durable import WRITES

if TYPE_CHECKING:
    from pynenc.app import Pynenc


@pytest.mark.parametrize("name", WRITES)
def test_a_write_leaves_all_its_traces_at_once(pynenc_app: Pynenc, name: str) -> None:
    """Before it there are none, whatever is written before it and to other numbers."""
    for number in (1, 2):
        for former in WRITES:
            if former == name and number == 2:
                break
            WRITES[former].write(pynenc_app, number)

    before = set(WRITES[name].traces(pynenc_app, 2))
    WRITES[name].write(pynenc_app, 2)
    after = set(WRITES[name].traces(pynenc_app, 2))

    assert (before, after) == ({False}, {True})
