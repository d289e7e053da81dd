"""How a child comes to its end: by a signal, by itself, or with the test."""

from __future__ import annotations

import signal
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from pytest_pynenc_state.errors import (
    ProcessDied,
    ProcessLeaked,
    ProcessTimeout,
)
from pytest_pynenc_state.processes import child as child_module
from pytest_pynenc_state.processes.child import Children
from pytest_pynenc_state.processes.spawning import METHODS
from pytest_pynenc_state.processes.tree import session_members
from pytest_pynenc_state.waiting import wait_until
from tests.processes import functions
from tests.processes.looking import DEADLINE_S, awaited, lives

pytestmark = [
    pytest.mark.pynenc_backends("sqlite"),
    # Statuses are moved without the records that pynenc would write.
    pytest.mark.pynenc_no_history_check,
]
each_method = pytest.mark.parametrize("method", METHODS)
on_all_shared_backends = pytest.mark.pynenc_backends("sqlite", "mongomock")


class TestSignals:
    @each_method
    def test_a_paused_child_is_stopped_until_it_is_resumed(
        self, pynenc_process: Children, life: Path, tmp_path: Path, method: Any
    ) -> None:
        """When `pause` returns it is stopped; a timeout says that it is."""
        child = pynenc_process(functions.wait_for_file, str(life), str(tmp_path), method=method)
        child.pause()
        assert psutil.Process(child.pid).status() == psutil.STATUS_STOPPED
        with pytest.raises(ProcessTimeout, match="it is paused"):
            child.result(0.05)
        assert child.is_alive()
        child.resume()
        assert child.result() == "it came"

    @each_method
    def test_a_killed_child_is_dead_and_so_are_its_children(
        self, pynenc_process: Children, life: Path, method: Any
    ) -> None:
        """When `kill` returns; also if it was paused."""
        child = pynenc_process(functions.block_with_grandchild, str(life), method=method)
        grandchild = int(awaited(life).read_text())
        child.pause()
        child.kill()
        assert not child.is_alive()
        assert wait_until(lambda: not lives(grandchild), DEADLINE_S)
        with pytest.raises(ProcessDied, match="SIGKILL"):
            child.result()

    @each_method
    def test_a_terminated_child_may_end_as_it_likes(
        self, pynenc_process: Children, life: Path, method: Any
    ) -> None:
        """By default it dies of the signal, whatever handler this process has."""
        former = signal.signal(signal.SIGTERM, lambda *_: None)
        try:
            child = pynenc_process(functions.block, str(life), method=method)
            awaited(life)
            child.terminate()
            with pytest.raises(ProcessDied, match="SIGTERM"):
                child.result()
        finally:
            signal.signal(signal.SIGTERM, former)


class TestEnd:
    """What `Children.close` does when the test ends."""

    @pytest.fixture
    def short_grace(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Do not wait long for what never ends."""
        monkeypatch.setattr(child_module, "_GRACE_S", 0.1)

    @each_method
    @pytest.mark.usefixtures("short_grace")
    def test_a_child_that_was_left_running_is_killed_and_told(
        self, pynenc_process: Children, life: Path, method: Any
    ) -> None:
        """With its name, its id, and where it was."""
        deaf = partial(functions.block, deaf=True)
        child = pynenc_process(deaf, str(life), method=method)
        awaited(life)
        with pytest.raises(ProcessLeaked, match="outlived its test and was killed") as caught:
            pynenc_process.close()
        assert f"block in child process {child.pid}:" in str(caught.value)
        assert "in block" in str(caught.value)
        assert session_members(child.pid) == []

    @pytest.mark.usefixtures("short_grace")
    def test_all_children_are_ended_whatever_one_of_them_did(
        self, pynenc_process: Children, life: Path
    ) -> None:
        """Each is told."""
        signs = [life.with_name(name) for name in ("one", "two")]
        children = [pynenc_process(functions.block, str(sign)) for sign in signs]
        for sign in signs:
            awaited(sign)
        with pytest.raises(ExceptionGroup) as caught:
            pynenc_process.close()
        told = zip(children, caught.value.exceptions, strict=True)
        assert [f"block in child process {child.pid}" in str(leak) for child, leak in told] == [
            True,
            True,
        ]
        assert [child.is_alive() for child in children] == [False, False]

    @pytest.mark.parametrize("measure", ["pause", "terminate", "kill"])
    def test_a_child_that_the_test_has_stopped_is_gone_and_no_leak(
        self, pynenc_process: Children, life: Path, measure: str
    ) -> None:
        """Also if it did not listen, or was only paused."""
        child = pynenc_process(partial(functions.block, deaf=True), str(life))
        awaited(life)
        getattr(child, measure)()
        pynenc_process.close()
        assert session_members(child.pid) == []

    def test_a_process_that_a_child_has_left_behind_is_killed_and_told(
        self, pynenc_process: Children, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Though the function has returned."""
        child = pynenc_process(functions.start_grandchild)
        grandchild = child.result()
        monkeypatch.setattr(child_module, "_GRACE_S", 0.1)
        with pytest.raises(ProcessLeaked, match=f"(?s)processes of .*pid {grandchild} "):
            pynenc_process.close()
        assert session_members(child.pid) == []

    def test_an_error_that_nobody_asked_for_is_raised(self, pynenc_process: Children) -> None:
        """A test that does not look must not pass."""
        pynenc_process(functions.fail, "unseen")
        with pytest.raises(ValueError, match="unseen"):
            pynenc_process.close()

    def test_a_child_that_ends_by_itself_needs_no_asking(self, pynenc_process: Children) -> None:
        """Whether it has ended is not asked before it had the time to."""
        child = pynenc_process(functions.who)
        pynenc_process.close()
        assert session_members(child.pid) == []

    def test_what_a_child_has_printed_can_be_read_later(self, pynenc_process: Children) -> None:
        """A report is written after the test."""
        child = pynenc_process(functions.speak)
        pynenc_process.close()
        assert (child.stdout, child.stderr) == ("to one", "to the other")
