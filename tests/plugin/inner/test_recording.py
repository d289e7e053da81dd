"""What an author writes who wants to know whether the store can have answered so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jobs
import office
import pytest

if TYPE_CHECKING:
    from pynenc import Pynenc

    from pytest_pynenc_state import Recorder, RunnerControl
    from pytest_pynenc_state.processes.child import Children

pytestmark = pytest.mark.pynenc_no_history_check


def count(app: Pynenc, invocation_id: str) -> None:
    app.orchestrator.increment_invocation_retries(invocation_id)


@pytest.fixture
def counted(pynenc_app: Pynenc, pynenc_process: Children) -> str:
    """An invocation whose retries another process has incremented."""
    invocation_id = str(pynenc_app.task(jobs.greet)("Ann").invocation_id)
    pynenc_process(count, invocation_id).result()
    return invocation_id


def test_sound(pynenc_recorder: Recorder, pynenc_app: Pynenc, counted: str) -> None:
    pynenc_app.orchestrator.get_invocation_retries(counted)
    pynenc_recorder.assert_linearizable()


def test_broken(pynenc_recorder: Recorder, pynenc_app: Pynenc, counted: str) -> None:
    pynenc_app.orchestrator._statuses.retries = lambda _: 0
    pynenc_app.orchestrator.get_invocation_retries(counted)
    pynenc_recorder.assert_linearizable()


@pytest.mark.usefixtures("pynenc_recorder")
def test_wrong_elsewhere(counted: str) -> None:
    assert counted == "something else"


@pytest.mark.pynenc(app="office:app")
def test_runner(pynenc_runner: RunnerControl, pynenc_recorder: Recorder) -> None:
    """A runner that was asked for first is recorded all the same, and so is its worker."""
    assert not pynenc_runner.run_here()
    worker = office.process_id().result
    recorded = {each.process.partition(" ")[0] for each in pynenc_recorder.operations}
    assert str(worker) in recorded
    pynenc_recorder.assert_linearizable()
