"""What the fixtures look like where pytest shows a failed test's arguments: short."""

from __future__ import annotations

import pytest

from pytest_pynenc_state import Children, CrashControl, Races, Recorder, RunnerControl


@pytest.mark.pynenc_backends("sqlite")
def test_a_fixture_is_shown_by_what_it_has_done(
    pynenc_recorder: Recorder,
    pynenc_crash: CrashControl,
    pynenc_runner: RunnerControl,
    pynenc_process: Children,
    pynenc_race: Races,
) -> None:
    """Not by its fields, which fill a screen."""
    shown = [pynenc_recorder, pynenc_crash, pynenc_runner, pynenc_process]
    assert [repr(each) for each in shown] == [
        "<Recorder: recording>",
        "<CrashControl: nothing arranged>",
        "<RunnerControl: 1 of kind thread>",
        "<Children: none>",
    ]
    assert repr(pynenc_race).startswith("<Races: 0 so far, seed ")
