"""Processes that contend, and one that is killed: the store agrees with what they were told."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

from pytest_pynenc_state import Backend, check_histories
from pytest_pynenc_state.conformance.making import at, flat, new_invocation
from pytest_pynenc_state.conformance.together import HANG_GUARD_S
from tests.backends import workers
from tests.backends.conftest import PROCESSES
from tests.backends.workers import AppAddress

if TYPE_CHECKING:
    from pynenc.app import Pynenc

pytestmark = pytest.mark.pynenc_requires("shared")

ATTEMPTS = 500


def test_contending_processes_leave_one_record_of_each_accepted_transition(
    pynenc_app: Pynenc, pynenc_backend: Backend, in_processes: Callable[..., list[list[str]]]
) -> None:
    """No move is legal twice, none is lost, and none is recorded that nobody was told of."""
    invocations = [new_invocation(pynenc_app) for _ in range(50)]
    ids = [each.invocation_id for each in invocations]
    address = AppAddress.of(pynenc_app, pynenc_backend)
    pynenc_app.orchestrator.register_new_invocations(invocations)

    told = in_processes(
        workers.move_about, [(address, ids, f"runner {n}", ATTEMPTS) for n in range(PROCESSES)]
    )

    check_histories(pynenc_app).raise_for_violations()
    histories = {each: pynenc_app.state_backend.get_history(each) for each in ids}
    recorded = Counter({each: len(histories[each]) - 1 for each in ids})  # but the registration
    assert recorded == Counter(chain.from_iterable(told))
    # Only who wants what another one gets is refused.
    assert ATTEMPTS < recorded.total() < PROCESSES * ATTEMPTS


@pytest.mark.parametrize("count", [1, 5, 30])
def test_a_process_that_is_killed_leaves_whole_batches(
    pynenc_app: Pynenc,
    address: AppAddress,
    started: Callable[..., tuple[Any, Any]],
    count: int,
) -> None:
    """Of every batch all records are there, or none; and all that were said to be done."""
    ids = [f"invocation {number}" for number in range(50)]
    process, pipe = started(workers.add_batches_until_killed, address, ids)
    for _ in range(count):
        pipe.recv()
    os.kill(process.pid, signal.SIGKILL)
    process.join(HANG_GUARD_S)
    assert process.exitcode == -signal.SIGKILL
    rows = flat(pynenc_app.state_backend.iter_history_in_timerange(at(0), at(10**6), 10_000))
    batches = Counter(row.timestamp for row in rows)
    assert (len(batches) >= count, set(batches.values())) == (True, {len(ids)})
