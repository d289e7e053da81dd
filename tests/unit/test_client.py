"""A test never waits for ever for a result."""

from __future__ import annotations

import pytest

from pytest_pynenc_state.errors import ResultTimeout
from pytest_pynenc_state.processes.client import Watch

HOUR_S = 3600.0


def test_waiting_goes_on_while_a_runner_lives_and_time_is_left() -> None:
    """Looking is all that happens; pynenc then waits in its own way."""
    watch = Watch(HOUR_S, lambda: "")

    for _ in range(3):
        watch.look(["invocation"])


def test_waiting_ends_at_once_when_no_result_can_come() -> None:
    """The reason is in the message: usually the last lines of a runner's log."""
    watch = Watch(HOUR_S, lambda: "no runner is alive")

    with pytest.raises(ResultTimeout, match="result of first, second: no runner is alive"):
        watch.look(["first", "second"])


def test_waiting_ends_after_the_timeout_and_then_starts_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The clock runs from the first look at the same invocations."""
    now_s = 0.0
    monkeypatch.setattr("pytest_pynenc_state.processes.client.time.monotonic", lambda: now_s)
    watch = Watch(2.0, lambda: "")
    watch.look(["invocation"])
    now_s = 2.5

    with pytest.raises(ResultTimeout, match="nothing came within 2 s"):
        watch.look(["invocation"])
    watch.look(["invocation"])


def test_progress_of_a_group_restarts_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group asks for those of its invocations that are still missing."""
    now_s = 0.0
    monkeypatch.setattr("pytest_pynenc_state.processes.client.time.monotonic", lambda: now_s)
    watch = Watch(2.0, lambda: "")
    watch.look(["first", "second"])
    now_s = 1.9
    watch.look(["second"])
    now_s = 3.8

    watch.look(["second"])
