"""What other processes do in clauses of the levels ``process`` and ``crash``.

Each function gets the app of the test first, built again in the process that calls it.
"""

from __future__ import annotations

import itertools
import os
import random
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pynenc.exceptions import InvocationStatusError
from pynenc.invocation.status import InvocationStatus, InvocationStatusRecord

from pytest_pynenc_state.compat import AtomicServiceExecutionStatus, AtomicServiceRun
from pytest_pynenc_state.conformance.areas import AREAS
from pytest_pynenc_state.conformance.durable import WRITES
from pytest_pynenc_state.conformance.making import at, flat, new_history, new_invocation, new_pair
from pytest_pynenc_state.waiting import wait_for_instant

if TYPE_CHECKING:
    from pynenc.app import Pynenc
    from pynenc.state_backend.base_state_backend import InvocationHistory

#: A move that some process made: which invocation, who made it, and the record it was told.
Move = tuple[str, str, InvocationStatusRecord]

# How long an admitted runner keeps others out: it sleeps, which lets them try on a busy machine.
_SERVICE_NS = 500_000

# How often they try, all at the same instants; and for how long at the most.
_BEAT_NS = 300_000
_SERVING_S = 2.0

# Who writes as fast as it can has finished before others, on a busy machine, have begun to read.
_PACE_NS = 2_000_000

# Longer than it takes to find others writing, if they do.
_READING_S = 1.0

#: From when to when something surely was the case, by `time.monotonic_ns`.
Window = tuple[int, int]


def claim(app: Pynenc, ids: Sequence[str], instants_ns: Sequence[int], runner_id: str) -> list[str]:
    """Claim each invocation at its instant; return those that were won."""
    won = []
    for invocation_id, instant_ns in zip(ids, instants_ns, strict=True):
        wait_for_instant(instant_ns)
        with suppress(InvocationStatusError):
            app.orchestrator._atomic_status_transition(
                invocation_id, InvocationStatus.PENDING, runner_id
            )
            won.append(invocation_id)
    return won


def register_and_claim(
    app: Pynenc, ids: Sequence[str], instants_ns: Sequence[int], runner_id: str
) -> list[str]:
    """Register each invocation, as others do at the same instant, and claim it at once."""
    won = []
    for invocation_id, instant_ns in zip(ids, instants_ns, strict=True):
        invocation = new_invocation(app, invocation_id=invocation_id)
        wait_for_instant(instant_ns)
        app.orchestrator._register_new_invocations([invocation], runner_id)
        won += claim(app, [invocation_id], [0], runner_id)
    return won


def move_about(app: Pynenc, ids: Sequence[str], runner_id: str, attempts: int) -> list[Move]:
    """Attempt random moves of random invocations; return those that were accepted.

    Mostly such as the status of a moment ago allows, so that processes want the same one.
    """
    chooser = random.Random(runner_id)  # noqa: S311 - no cryptography
    accepted = []
    for _ in range(attempts):
        invocation_id = chooser.choice(ids)
        status = app.orchestrator.get_invocation_status(invocation_id)
        target = _chosen_target(status, chooser)
        with suppress(InvocationStatusError):
            record = app.orchestrator._atomic_status_transition(invocation_id, target, runner_id)
            accepted.append((invocation_id, runner_id, record))
    return accepted


def _chosen_target(status: InvocationStatus, chooser: random.Random) -> InvocationStatus:
    allowed = [target for target in InvocationStatus if status.can_transition_to(target)]
    lasting = [target for target in allowed if not target.is_final()]
    kind = chooser.random()
    if lasting and kind < 0.9:  # so that the work lasts
        return chooser.choice(lasting)
    return chooser.choice(allowed if allowed and kind < 0.95 else list(InvocationStatus))


def increment_retries(app: Pynenc, invocation_id: str, instants_ns: Sequence[int]) -> None:
    """Increment the retries of an invocation at each of the instants."""
    for instant_ns in instants_ns:
        wait_for_instant(instant_ns)
        app.orchestrator.increment_invocation_retries(invocation_id)


def beat(app: Pynenc, runner_ids: list[str], times: int) -> dict[str, set[datetime]]:
    """Give the heartbeats of all these runners so many times.

    :returns: All creation times that each of them was seen with.
    """
    created: dict[str, set[datetime]] = {runner_id: set() for runner_id in runner_ids}
    for _ in range(times):
        app.orchestrator.register_runner_heartbeats(runner_ids)
        for runner in app.orchestrator.get_active_runners():
            created[runner.runner_id].add(runner.creation_time)
    return created


def run_services(app: Pynenc, runner_id: str, times: int) -> list[Window]:
    """Ask to run the atomic services until admitted so many times; end them soon each time.

    Whoever is refused asks again: one that is held up while it runs them keeps the others waiting,
    but does not use up their attempts.

    :returns: When they surely ran: from after the admission to before the end, by
        `time.monotonic_ns`.
    """
    orchestrator: Any = app.orchestrator
    windows: list[Window] = []
    latest_s = time.monotonic() + _SERVING_S
    for number in itertools.count():
        if len(windows) == times or time.monotonic() > latest_s:
            break
        run = AtomicServiceRun(runner_id=runner_id, atomic_service_run_id=f"{runner_id}-{number}")
        _wait_for_beat()
        if orchestrator.record_atomic_service_execution_start(run, None):
            start_ns = time.monotonic_ns()
            # A chance for somebody else to be admitted wrongly.
            wait_for_instant(start_ns + _SERVICE_NS)
            windows.append((start_ns, time.monotonic_ns()))
            orchestrator.finalize_atomic_service_execution(
                run, datetime.now(UTC), AtomicServiceExecutionStatus.COMPLETED
            )
    return windows


def _wait_for_beat() -> None:
    """Wait for an instant that is the same for all processes."""
    beats = time.monotonic_ns() // _BEAT_NS
    wait_for_instant((beats + 1) * _BEAT_NS)


def write_area(app: Pynenc, name: str, number: int) -> None:
    """Write what one area of the store has."""
    AREAS[name].write(app, number)


def append_history(app: Pynenc, invocation_id: str, writer: int, count: int) -> None:
    """Append so many records to one history, each with an instant of its own."""
    for number in range(count):
        record = new_history(invocation_id, at(number), runner_context_id=f"{writer}-{number}")
        app.state_backend._add_histories([invocation_id], record)


def upsert_children(app: Pynenc, parent_id: str, writer: int, count: int) -> None:
    """Store so many children of one invocation, one by one."""
    for number in range(count):
        child = new_pair(
            app, invocation_id=f"child-{writer}-{number}", parent_invocation_id=parent_id
        )
        app.state_backend._upsert_invocations([child])


def overwrite_result(app: Pynenc, invocation_id: str, texts: Sequence[str], times: int) -> set[str]:
    """Write one text after the other over a result; return what was found in between."""
    found = set()
    for number in range(times):
        app.state_backend._set_result(invocation_id, texts[number % len(texts)])
        found.add(app.state_backend._get_result(invocation_id))
    return found


def write_while_one_reads(app: Pynenc, written: str, writer: int, times: int) -> list[list[str]]:
    """Append to a history as long as somebody reads; or read the range that it is in, by pages.

    :param writer: Which one; 0 is the reader.
    :param times: How often to find more than before, or to append, at the most.
    :returns: The context ids that each reading found.
    """
    if writer == 0:
        found = _read_ranges(app, times)
        app.state_backend._set_result(written, "was read")
        return found
    begun_ns = time.monotonic_ns()
    for number in range(times):
        record = new_history(written, at(number), runner_context_id=f"{writer}-{number}")
        wait_for_instant(begun_ns + number * _PACE_NS)
        app.state_backend._add_histories([written], record)
        with suppress(KeyError):
            app.state_backend._get_result(written)
            break
    return []


def _read_ranges(app: Pynenc, times: int) -> list[list[str]]:
    """Read until others have written meanwhile so many times, or do not seem to at all."""
    readings: list[list[str]] = []
    latest_s = time.monotonic() + _READING_S
    while times and time.monotonic() < latest_s:
        readings.append([record.runner_context_id for record in flat(_pages(app))])
        times -= len(readings) > 1 and len(readings[-1]) > len(readings[-2])
    return readings


def _pages(app: Pynenc) -> Iterable[list[InvocationHistory]]:
    return app.state_backend.iter_history_in_timerange(at(0), at(10**6), batch_size=7)


def write_until_killed(app: Pynenc, journal: str, names: Sequence[str]) -> None:
    """Make one write of each kind after the other, and note each in *journal* once it returned."""
    descriptor = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for number in itertools.count():
        for name in names:
            WRITES[name].write(app, number)
            os.write(descriptor, f"{number} {name}\n".encode())


def overwrite_until_killed(app: Pynenc, journal: str, texts: Sequence[str]) -> None:
    """Write one text after the other over a result, and note each once it is written."""
    descriptor = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for number in itertools.count():
        app.state_backend._set_result("overwritten", texts[number % len(texts)])
        os.write(descriptor, f"{number} result\n".encode())
