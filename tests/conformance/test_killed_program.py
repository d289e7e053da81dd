"""The kill of BE-LIN-01 comes while others are at work: a record without that proves nothing."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
from pynenc.app import Pynenc

from pytest_pynenc_state.conformance.clauses.linearizability import a_kill_undoes_nothing
from pytest_pynenc_state.processes.child import Children
from pytest_pynenc_state.processes.racing import Races
from pytest_pynenc_state.processes.recorder import Recorder

# More than ten times what is usual: only the victim makes more if others are held up.
MOST_CALLS = 15_000


@pytest.mark.pynenc_backends("sqlite")
@pytest.mark.pynenc_no_history_check  # programs write what no app would
def test_another_process_is_at_work_before_a_kill_and_after_it(
    request: pytest.FixtureRequest,
    pynenc_app: Pynenc,
    pynenc_recorder: Recorder,
    pynenc_process: Children,
    pynenc_race: Races,
    tmp_path: Path,
) -> None:
    """At least the one that kills; all others make calls after it."""
    a_kill_undoes_nothing(
        request, pynenc_app, pynenc_recorder, pynenc_process, pynenc_race, tmp_path
    )
    operations = pynenc_recorder.operations
    calls_ns: dict[str, list[int]] = defaultdict(list)
    for operation in operations:
        calls_ns[operation.process].append(operation.start_ns)
    # The test's own process registers at first; the victim is the next to make its last call.
    _, victim_ns, *others_ns = sorted(calls_ns.values(), key=max)
    meanwhile = [[ns for ns in each if victim_ns[0] < ns < victim_ns[-1]] for each in others_ns]
    assert any(meanwhile)
    assert len(operations) < MOST_CALLS
