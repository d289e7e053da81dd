"""A killed process leaves whole batches, which is more than pynenc's contract asks for."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pytest_pynenc_state.conformance.making import at, flat
from pytest_pynenc_state.conformance.together import HANG_GUARD_S
from tests.backends import workers
from tests.backends.workers import AppAddress

if TYPE_CHECKING:
    from pynenc.app import Pynenc

pytestmark = pytest.mark.pynenc_requires("shared")


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
