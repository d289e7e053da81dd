"""Runners: who is alive, in an order that all agree on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pytest_pynenc_state.conformance.clause import clause
from pytest_pynenc_state.conformance.making import wait_for_later_clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pynenc.app import Pynenc
    from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

HOUR_S = 3600.0
# A time-out, and how long to wait until it is over by any clock.
_SHORT_S = 0.005
_LONGER = timedelta(milliseconds=15)
# So much later is the next heartbeat where the order matters.
_APART = timedelta(milliseconds=2)


def _active(orchestrator: BaseOrchestrator, flag: bool | None = None) -> list[str]:  # noqa: FBT001
    return [runner.runner_id for runner in orchestrator._get_active_runners(HOUR_S, flag)]


def _times(orchestrator: BaseOrchestrator) -> dict[str, tuple[Any, Any]]:
    return {
        runner.runner_id: (runner.creation_time, runner.last_heartbeat)
        for runner in orchestrator._get_active_runners(HOUR_S, None)
    }


@clause("OR-RUN-01", hint="the first heartbeat inserts the runner")
def a_runner_that_was_heard_of_is_active(pynenc_orchestrator: BaseOrchestrator) -> None:
    """The runners that gave a heartbeat in time are active, and no others."""
    assert _active(pynenc_orchestrator) == []
    pynenc_orchestrator.register_runner_heartbeats(["one"])
    pynenc_orchestrator.register_runner_heartbeats(["two", "three"])
    assert sorted(_active(pynenc_orchestrator)) == ["one", "three", "two"]


@clause("OR-RUN-02", hint="compare the last heartbeat with now minus the time-out, in seconds")
def a_silent_runner_is_not_active(pynenc_orchestrator: BaseOrchestrator) -> None:
    """A runner whose last heartbeat is longer ago than the time-out is not active."""
    pynenc_orchestrator.register_runner_heartbeats(["silent"])
    wait_for_later_clock(_LONGER)
    assert pynenc_orchestrator._get_active_runners(_SHORT_S, None) == []
    assert _active(pynenc_orchestrator) == ["silent"]


@clause("OR-RUN-03", hint="take the time once per call, not once per runner")
def new_runners_of_one_call_are_equally_old(pynenc_orchestrator: BaseOrchestrator) -> None:
    """The new runners of one call have one creation time."""
    runner_ids = [f"runner {number}" for number in range(20)]
    pynenc_orchestrator.register_runner_heartbeats(runner_ids)
    assert len({creation for creation, _ in _times(pynenc_orchestrator).values()}) == 1


@clause("OR-RUN-04", since="0.2.4", hint="order by creation time, then by runner id")
def equally_old_runners_come_in_the_order_of_their_ids(
    pynenc_orchestrator: BaseOrchestrator,
) -> None:
    """Active runners with the same creation time come in the order of their ids."""
    pynenc_orchestrator.register_runner_heartbeats(["c", "a", "d", "b"])
    assert _active(pynenc_orchestrator) == ["a", "b", "c", "d"]


@clause("OR-RUN-05", hint="order by creation time, not by the last heartbeat")
def older_runners_come_first(pynenc_orchestrator: BaseOrchestrator) -> None:
    """Active runners come in the order of their first heartbeats."""
    for runner_id in ("c", "a", "b"):
        pynenc_orchestrator.register_runner_heartbeats([runner_id])
        wait_for_later_clock(_APART)
    pynenc_orchestrator.register_runner_heartbeats(["b", "c"])
    assert _active(pynenc_orchestrator) == ["c", "a", "b"]


@clause("OR-RUN-06", hint="write the creation time on insert only")
def a_later_heartbeat_renews_the_last_one_only(pynenc_orchestrator: BaseOrchestrator) -> None:
    """A further heartbeat renews the time of the last one; that of creation never changes."""
    pynenc_orchestrator.register_runner_heartbeats(["one"])
    ((creation, first),) = _times(pynenc_orchestrator).values()
    wait_for_later_clock(_APART)
    pynenc_orchestrator.register_runner_heartbeats(["one"])
    ((creation_then, last),) = _times(pynenc_orchestrator).values()
    assert (creation_then, last > first) == (creation, True)


@clause(
    "OR-RUN-07", hint="store the flag; None is no filter, False asks for those without the right"
)
def runners_are_filtered_by_their_right_to_run_services(
    pynenc_orchestrator: BaseOrchestrator,
) -> None:
    """Runners are filtered by whether they may run atomic services; None does not filter."""
    pynenc_orchestrator.register_runner_heartbeats(["able"], can_run_atomic_service=True)
    pynenc_orchestrator.register_runner_heartbeats(["unable"])
    for flag, expected in ((None, ["able", "unable"]), (True, ["able"]), (False, ["unable"])):
        assert (flag, sorted(_active(pynenc_orchestrator, flag))) == (flag, expected)


@clause("OR-RUN-08", hint="a heartbeat with can_run_atomic_service=True updates the flag")
def a_right_to_run_services_can_be_given_later(pynenc_orchestrator: BaseOrchestrator) -> None:
    """A heartbeat can give a runner that exists the right to run atomic services."""
    pynenc_orchestrator.register_runner_heartbeats(["one"])
    pynenc_orchestrator.register_runner_heartbeats(["one"], can_run_atomic_service=True)
    assert _active(pynenc_orchestrator, True) == ["one"]
    (runner,) = pynenc_orchestrator._get_active_runners(HOUR_S, None)
    assert runner.allow_to_run_atomic_service


@clause("OR-RUN-09", hint="the creation time and heartbeat that are read need their UTC offset")
def the_times_of_a_runner_are_aware_instants(pynenc_orchestrator: BaseOrchestrator) -> None:
    """The creation time and the last heartbeat of a runner are instants of the call."""
    before = wait_for_later_clock(_APART)
    pynenc_orchestrator.register_runner_heartbeats(["one"])
    after = wait_for_later_clock(_APART)
    ((creation, heartbeat),) = _times(pynenc_orchestrator).values()
    assert before - _APART <= creation <= heartbeat <= after


@clause("OR-RUN-10", hint="take the time-out from runner_considered_dead_after_minutes")
def the_configured_time_makes_a_runner_silent(
    pynenc_app: Pynenc, pynenc_orchestrator: BaseOrchestrator
) -> None:
    """Which runners are active, the app's configuration decides if nobody else does."""
    pynenc_orchestrator.register_runner_heartbeats(["able"], can_run_atomic_service=True)
    pynenc_orchestrator.register_runner_heartbeats(["unable"])
    for flag, expected in ((None, ["able", "unable"]), (True, ["able"]), (False, ["unable"])):
        found = [each.runner_id for each in pynenc_orchestrator.get_active_runners(flag)]
        assert (flag, sorted(found)) == (flag, expected)
    pynenc_app.conf.runner_considered_dead_after_minutes = _SHORT_S / 60
    wait_for_later_clock(_LONGER)
    assert pynenc_orchestrator.get_active_runners() == []


@clause(
    "OR-RUN-11",
    since="0.4.0",
    hint="register_runner_heartbeats has to take consumed_queues, by name, and store it",
)
def the_queues_of_a_runner_are_shown(pynenc_orchestrator: BaseOrchestrator) -> None:
    """The queues that a heartbeat names are those of the runner, until another names others."""
    given: tuple[Sequence[str], ...] = (["a", "b"], ("c",))
    for queues in given:
        pynenc_orchestrator.register_runner_heartbeats(["one"], consumed_queues=queues)
        (runner,) = pynenc_orchestrator._get_active_runners(HOUR_S, None)
        assert runner.consumed_queues == tuple(queues)
    pynenc_orchestrator.register_runner_heartbeats(["two"], consumed_queues=None)
    assert sorted(_active(pynenc_orchestrator)) == ["one", "two"]
