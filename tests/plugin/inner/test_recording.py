"""What an author writes who wants to know whether the store can have answered so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import jobs
import pytest

if TYPE_CHECKING:
    from pynenc import Pynenc

    from pytest_pynenc_state import Recorder
    from pytest_pynenc_state.processes.child import Children

pytestmark = pytest.mark.pynenc_no_history_check


def count(app: Pynenc, invocation_id: str) -> None:
    app.orchestrator.increment_invocation_retries(invocation_id)


@pytest.fixture
def counted(pynenc_recorder: Recorder, pynenc_app: Pynenc, pynenc_process: Children) -> str:
    """An invocation whose retries another process has incremented."""
    invocation_id = str(pynenc_app.task(jobs.double)(1).invocation_id)
    pynenc_process(count, invocation_id).result()
    return invocation_id


def test_sound(pynenc_recorder: Recorder, pynenc_app: Pynenc, counted: str) -> None:
    pynenc_app.orchestrator.get_invocation_retries(counted)
    pynenc_recorder.assert_linearizable()


def test_broken(pynenc_recorder: Recorder, pynenc_app: Pynenc, counted: str) -> None:
    pynenc_app.orchestrator._statuses.retries = lambda _: 0
    pynenc_app.orchestrator.get_invocation_retries(counted)
    pynenc_recorder.assert_linearizable()


def test_wrong_elsewhere(counted: str) -> None:
    assert counted == "something else"


@pytest.mark.usefixtures("pynenc_runner")
def test_runner(request: pytest.FixtureRequest, pynenc_app: Pynenc) -> None:
    """A runner that was asked for first is recorded all the same."""
    assert pynenc_app.task(jobs.double)(2).result == 4
    recorder: Recorder = request.getfixturevalue("pynenc_recorder")
    Path("processes").write_text("\n".join(sorted({each.process for each in recorder.operations})))
    recorder.assert_linearizable()
