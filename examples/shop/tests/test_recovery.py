"""Processes that die with a payment in their hands, and how pynenc gets it out of them.

Where one dies is chosen with ``pynenc_crash``, to the very call: nothing here waits for luck.
"""

from __future__ import annotations

import pytest
from pynenc import Pynenc
from pynenc.conf.config_pynenc import ConfigPynenc
from pynenc.identifiers.task_id import TaskId
from shop.gateway import GOOD_CARD, attempts
from shop.payments import charge
from waiting import wait_until

from pytest_pynenc_state import CrashControl, HistoryReader, RunnerControl, path

# By default a runner is dead once it has been silent for ten minutes, and shows that it is
# alive every half a minute; and several of them take turns of minutes to look for lost work.
SOON = {
    "max_pending_seconds": 0.5,
    "runner_considered_dead_after_minutes": 1 / 60,
    "atomic_service_check_interval_minutes": 0.001,
    "atomic_service_interval_minutes": 0.05,
    "atomic_service_spread_margin_minutes": 0.01,
}
if "atomic_service_max_start_slot_fraction" in ConfigPynenc.config_fields():
    # Since pynenc 0.2.4 a runner looks at triggers only in the first half of every five
    # minutes, unless told.
    SOON["atomic_service_max_start_slot_fraction"] = 1.0

# One worker is killed, and the other one recovers. pynenc's multi-thread runner does not replace
# a dead worker, and if it keeps to its maximum, it may start one more while it stops, for which
# it then waits ten seconds.
TWO_WORKERS = {"min_parallel_slots": 2, "min_processes": 2, "enforce_max_processes": False}

pytestmark = [
    pytest.mark.pynenc_requires("shared"),
    pytest.mark.pynenc(**TWO_WORKERS, **SOON),
]

by_processes = pytest.mark.parametrize("pynenc_runner", ["process"], indirect=True)
by_each_kind = pytest.mark.parametrize(
    "pynenc_runner", ["process", "multi-thread", "persistent-process"], indirect=True
)

RECOVER_PENDING = TaskId("pynenc.core_tasks", "recover_pending_invocations")
RECOVER_RUNNING = TaskId("pynenc.core_tasks", "recover_running_invocations")
TO_THE_END = path("rerouted", "pending", "running", "success")


class Recovery:
    """pynenc's two tasks that look for lost work, which every runner has.

    They are run whenever a runner starts, and from then on by cron, once a minute at most. Whoever
    dies while running one keeps everybody else from running it, for good: only one may run at a
    time.
    """

    def __init__(self, app: Pynenc, read_history: HistoryReader) -> None:
        self.app = app
        self.read_history = read_history
        app.register_core_tasks()

    def wait_for_starts(self, starts: int) -> None:
        """Return once both have run as often as runners were started, and none is left."""
        orchestrator = self.app.orchestrator

        def runs(task_id: TaskId) -> list[str]:
            """Return them all, if they have ended and there are as many as there should be."""
            ids = list(orchestrator.get_task_invocation_ids(task_id))
            has_ended = len(orchestrator.filter_final(ids)) == len(ids)
            return ids if has_ended and len(ids) >= starts else []

        for task_id in (RECOVER_PENDING, RECOVER_RUNNING):
            wait_until(lambda task_id=task_id: runs(task_id), f"{task_id} to run {starts} times")
            for invocation_id in runs(task_id):
                self.read_history(invocation_id)

    def wait_until_due(self, invocation_id: str) -> None:
        """Return once pynenc takes the invocation for lost."""
        orchestrator = self.app.orchestrator

        def is_due() -> bool:
            running = orchestrator.get_running_invocations_for_recovery()
            return invocation_id in {*running, *orchestrator.get_pending_invocations_for_recovery()}

        wait_until(is_due, "the owner of the invocation to be silent for long enough")

    def run(self, task_id: TaskId) -> None:
        """Have a runner do now what cron has it do every few minutes."""
        self.read_history(self.app.get_task(task_id)()).wait_for("success")


@pytest.fixture
def recovery(
    pynenc_app: Pynenc,
    pynenc_runner: RunnerControl,  # noqa: ARG001 - runs
    pynenc_history: HistoryReader,
) -> Recovery:
    """What pynenc does about lost work, once the runner has looked for it a first time."""
    recovery = Recovery(pynenc_app, pynenc_history)
    recovery.wait_for_starts(1)
    return recovery


@by_each_kind
def test_a_payment_whose_worker_is_killed_is_recovered(
    recovery: Recovery, pynenc_crash: CrashControl, pynenc_history: HistoryReader
) -> None:
    crash = pynenc_crash.when("running", task=charge)

    invocation = charge("order-1", 1350, GOOD_CARD)
    assert crash.wait().invocation_id == invocation.invocation_id
    recovery.wait_until_due(invocation.invocation_id)
    recovery.run(RECOVER_RUNNING)

    assert pynenc_history(invocation).wait_for("success") == path(
        "registered", "pending", "running", "running_recovery", TO_THE_END
    )
    assert invocation.result == "payment-order-1"
    assert len(attempts("order-1")) == 1


@by_processes
def test_the_next_runner_recovers_a_payment_that_the_former_one_had_only_claimed(
    recovery: Recovery,
    pynenc_crash: CrashControl,
    pynenc_runner: RunnerControl,
    pynenc_history: HistoryReader,
) -> None:
    (runner,) = pynenc_runner.runners
    # Of this kind, the runner itself claims, and only then starts the process that is to run.
    crash = pynenc_crash.when("pending", task=charge)
    invocation = charge("order-1", 1350, GOOD_CARD)
    assert crash.wait().pid == runner.pid
    recovery.wait_until_due(invocation.invocation_id)

    pynenc_runner.start()

    assert pynenc_history(invocation).wait_for("success") == path(
        "registered", "pending", "pending_recovery", TO_THE_END
    )
    assert len(attempts("order-1")) == 1
    recovery.wait_for_starts(2)  # this runner is not to be stopped while it still looks for more


@by_processes
def test_a_payment_is_made_twice_if_its_worker_dies_before_the_result_is_stored(
    recovery: Recovery,
    pynenc_crash: CrashControl,
    pynenc_runner: RunnerControl,
    pynenc_history: HistoryReader,
) -> None:
    pynenc_runner.start()  # another one, which competes for the payment and for recovering it
    recovery.wait_for_starts(2)
    crash = pynenc_crash.before("set_invocation_result", task=charge)

    invocation = charge("order-1", 1350, GOOD_CARD)
    killed = crash.wait()
    recovery.wait_until_due(invocation.invocation_id)
    recovery.run(RECOVER_RUNNING)

    assert pynenc_history(invocation).wait_for("success") == path(
        "registered", "pending", "running", "running_recovery", TO_THE_END
    )
    first, second = attempts("order-1")
    assert first.process_id == killed.pid
    assert second.process_id != killed.pid
