"""Crash points: exactly the process, exactly there, exactly once, and nothing afterwards."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil
import pytest

from pytest_pynenc_state.errors import CrashNotReached, ProcessDied
from tests.processes import crashing
from tests.processes.looking import has_died, status, statuses

if TYPE_CHECKING:
    from pynenc import Pynenc

    from pytest_pynenc_state import Crash, CrashControl
    from pytest_pynenc_state.processes.child import Children
    from pytest_pynenc_state.processes.racing import Races

pytestmark = pytest.mark.pynenc_backends("sqlite")
on_both = pytest.mark.pynenc_backends("sqlite", "mongomock")


@on_both
@pytest.mark.parametrize(
    ("recorded", "written"),
    [(True, ["registered", "pending", "running"]), (False, ["registered", "pending"])],
    ids=["recorded", "unrecorded"],
)
def test_a_status_kills_its_process_after_or_before_the_record_is_written(
    request: pytest.FixtureRequest,
    pynenc_crash: CrashControl,
    pynenc_process: Children,
    recorded: object,
    written: list[str],
) -> None:
    """The status is there in both cases; nothing that comes after it is."""
    app, registered = (request.getfixturevalue(name) for name in ("pynenc_app", "registered"))
    crash = pynenc_crash.when("running", recorded=bool(recorded))

    child = pynenc_process(crashing.move, registered, "pending", "running", "success")
    hit = crash.wait()

    assert (hit.pid, hit.action, hit.invocation_id) == (child.pid, "kill", registered)
    assert has_died(child)
    assert status(app, registered) == "running"
    assert statuses(app, registered) == written


class Around(NamedTuple):
    """A crash around a method, and what is then in the store."""

    arrange: Callable[[CrashControl], Crash]
    result: int | None
    status: str


@pytest.mark.parametrize(
    "around",
    [
        Around(lambda crash: crash.before("set_invocation_result"), None, "running"),
        Around(lambda crash: crash.before("state_backend.set_result"), None, "running"),
        Around(lambda crash: crash.before("_set_result"), None, "running"),
        Around(lambda crash: crash.after("state_backend.set_result"), 41, "running"),
        Around(lambda crash: crash.after("set_invocation_result"), 41, "success"),
    ],
)
def test_a_method_kills_its_process_before_it_begins_or_after_it_has_returned(
    pynenc_app: Pynenc,
    pynenc_crash: CrashControl,
    pynenc_process: Children,
    registered: str,
    around: Around,
) -> None:
    """Of the orchestrator or of the state backend; what it calls itself has happened or not."""
    crash = around.arrange(pynenc_crash)

    child = pynenc_process(crashing.succeed, registered)
    hit = crash.wait()

    assert (hit.pid, hit.invocation_id) == (child.pid, registered)
    assert has_died(child)
    assert status(pynenc_app, registered) == around.status
    if around.result is None:
        with pytest.raises(KeyError):
            pynenc_app.state_backend.get_result(registered)
    else:
        assert pynenc_app.state_backend.get_result(registered) == around.result


@pytest.mark.parametrize("written", [["registered"], []], ids=["recorded", "unrecorded"])
def test_a_registration_kills_who_registers(
    pynenc_app: Pynenc, pynenc_crash: CrashControl, pynenc_process: Children, written: list[str]
) -> None:
    """It has no transition, but a status, and comes in batches."""
    task = pynenc_app.task(crashing.add_one)
    crash = pynenc_crash.when("registered", recorded=bool(written))

    child = pynenc_process(crashing.register)
    hit = crash.wait()

    assert has_died(child)
    [invocation_id] = pynenc_app.orchestrator.get_task_invocation_ids(task.task_id)
    assert hit.invocation_id == invocation_id
    assert statuses(pynenc_app, invocation_id) == written
    assert pynenc_app.broker.count_invocations() == 0


def test_the_broker_has_crash_points_too(
    pynenc_app: Pynenc, pynenc_crash: CrashControl, pynenc_process: Children
) -> None:
    """Between the store and the queue is where an invocation gets lost."""
    task = pynenc_app.task(crashing.add_one)
    crash = pynenc_crash.before("broker.route_invocations")

    child = pynenc_process(crashing.register)

    assert crash.wait().pid == child.pid
    assert has_died(child)
    [invocation_id] = pynenc_app.orchestrator.get_task_invocation_ids(task.task_id)
    assert statuses(pynenc_app, invocation_id) == ["registered"]
    assert pynenc_app.broker.count_invocations() == 0


def test_a_method_that_yields_has_returned_after_its_last_item(
    pynenc_crash: CrashControl, pynenc_process: Children
) -> None:
    """Before that, its caller has nothing in hands."""
    crash = pynenc_crash.after("orchestrator.get_blocking_invocations")

    assert pynenc_process(crashing.ask_for_pages).result() is None
    child = pynenc_process(crashing.page_ids)

    assert crash.wait().invocation_id is None
    assert has_died(child)


@on_both
def test_exactly_one_of_several_is_killed(
    pynenc_app: Pynenc, pynenc_crash: CrashControl, pynenc_process: Children
) -> None:
    """Although all come by, and each more than once."""
    task = pynenc_app.task(crashing.add_one)
    ids = [[task(number).invocation_id for number in range(5)] for _ in range(4)]
    crash = pynenc_crash.when("pending")

    children = [pynenc_process(crashing.move_all, own, "pending") for own in ids]
    victim = crash.wait().pid

    for child in children:
        if child.pid == victim:
            assert has_died(child)
        else:
            assert child.result() is None
    left = sum(status(pynenc_app, each) == "registered" for own in ids for each in own)
    assert left == 4  # the victim's others


def test_the_nth_call_is_counted_over_all_processes(
    pynenc_app: Pynenc, pynenc_crash: CrashControl, pynenc_process: Children
) -> None:
    """One does it four times, and then another one: its second is the sixth."""
    task = pynenc_app.task(crashing.add_one)
    ids = [[task(number).invocation_id for number in range(4)] for _ in range(2)]
    crash = pynenc_crash.when("pending", nth=6)

    first = pynenc_process(crashing.move_all, ids[0], "pending")
    assert first.result() is None
    second = pynenc_process(crashing.move_all, ids[1], "pending")

    hit = crash.wait()
    assert (hit.pid, hit.invocation_id) == (second.pid, ids[1][1])
    assert has_died(second)
    assert [status(pynenc_app, each) for each in ids[1]] == 2 * ["pending"] + 2 * ["registered"]


@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "unrecorded"])
def test_the_nth_invocation_of_a_batch_is_counted(
    pynenc_app: Pynenc, pynenc_crash: CrashControl, pynenc_process: Children, *, recorded: bool
) -> None:
    """Although it comes to its status in one call with others."""
    task = pynenc_app.task(crashing.add_one)
    crash = pynenc_crash.when("registered", nth=13, recorded=recorded)

    assert pynenc_process(crashing.register_many, list(range(10))).result() is None
    child = pynenc_process(crashing.register_many, list(range(10)))

    hit = crash.wait()
    assert hit.pid == child.pid
    assert has_died(child)
    ids = list(pynenc_app.orchestrator.get_task_invocation_ids(task.task_id))
    assert (len(ids), hit.invocation_id in ids) == (20, True)


def test_the_nth_call_is_one_whatever_it_is_about(
    pynenc_app: Pynenc, pynenc_crash: CrashControl, pynenc_process: Children
) -> None:
    """All invocations of a batch, or none."""
    task = pynenc_app.task(crashing.add_one)
    ids = [str(task(number).invocation_id) for number in range(3)]
    crash = pynenc_crash.before("filter_final", nth=3)

    child = pynenc_process(crashing.filter_final, ids, [], ids)

    assert crash.wait().invocation_id == ids[0]
    assert has_died(child)
    assert len(list(crash._folder._path.glob("1-call-*"))) == 3


def test_a_call_about_no_invocation_is_about_none_of_the_chosen_task(
    pynenc_app: Pynenc, pynenc_crash: CrashControl, pynenc_process: Children
) -> None:
    """It is any call, if no task was chosen."""
    one, two = pynenc_app.task(crashing.add_one), pynenc_app.task(crashing.add_two)
    chosen = pynenc_crash.before("filter_final", task=two)

    assert pynenc_process(crashing.filter_final, [], [str(one(1).invocation_id)]).result() is None
    assert chosen.hit is None
    crash = pynenc_crash.before("filter_final")
    child = pynenc_process(crashing.filter_final, [])

    assert crash.wait().invocation_id is None
    assert has_died(child)


@pytest.mark.parametrize("named", [lambda task: task, lambda task: task.task_id.key])
def test_only_the_chosen_task_is_meant(
    pynenc_app: Pynenc, pynenc_crash: CrashControl, pynenc_process: Children, named: Any
) -> None:
    """An invocation of another one passes."""
    one, two = pynenc_app.task(crashing.add_one), pynenc_app.task(crashing.add_two)
    ids = [one(1).invocation_id, two(1).invocation_id, one(2).invocation_id]
    crash = pynenc_crash.when("pending", task=named(two))

    child = pynenc_process(crashing.move_all, ids, "pending")

    assert crash.wait().invocation_id == ids[1]
    assert has_died(child)
    assert status(pynenc_app, ids[0]) == "pending"


def test_tasks_of_pynencs_own_are_not_meant_by_any_task(
    pynenc_app: Pynenc, pynenc_crash: CrashControl, pynenc_process: Children, registered: str
) -> None:
    """Each runner has them run whenever it likes."""
    pynenc_app.register_core_tasks()
    core = next(task for key, task in pynenc_app.tasks.items() if "core_tasks" in key.module)
    ids = [core().invocation_id, registered]
    crash = pynenc_crash.when("pending")

    child = pynenc_process(crashing.move_all, ids, "pending")

    assert crash.wait().invocation_id == registered
    assert has_died(child)


def test_several_points_each_hit_their_own_process(
    pynenc_app: Pynenc, pynenc_crash: CrashControl, pynenc_process: Children
) -> None:
    """In whatever order they were arranged."""
    task = pynenc_app.task(crashing.add_one)
    ids = [task(number).invocation_id for number in range(2)]
    later = pynenc_crash.when("running")
    sooner = pynenc_crash.when("pending")

    first = pynenc_process(crashing.move, ids[0], "pending", "running")
    assert sooner.wait().pid == first.pid
    second = pynenc_process(crashing.move, ids[1], "pending", "running")
    assert later.wait().pid == second.pid

    assert has_died(first)
    assert has_died(second)


@on_both
def test_a_paused_process_is_stopped_where_it_is_until_it_is_resumed(
    pynenc_app: Pynenc, pynenc_crash: CrashControl, pynenc_process: Children, registered: str
) -> None:
    """Then it does what it was about to do."""
    crash = pynenc_crash.when("running", action="pause")

    child = pynenc_process(crashing.move, registered, "pending", "running", "success")
    hit = crash.wait()

    assert (hit.pid, hit.action) == (child.pid, "pause")
    assert psutil.Process(hit.pid).status() == psutil.STATUS_STOPPED
    assert status(pynenc_app, registered) == "running"
    crash.resume()
    pynenc_crash.resume()  # there is nothing left to do
    assert child.result() == pynenc_app.state_backend.get_history(registered)[2].runner_context_id
    assert status(pynenc_app, registered) == "success"


@on_both
def test_a_racer_is_hit_and_the_next_race_is_run_by_others(
    pynenc_app: Pynenc, pynenc_crash: CrashControl, pynenc_race: Races, registered: str
) -> None:
    """The pool's children were there before the test, and know nothing of it after."""
    other = str(pynenc_app.task(crashing.add_one)(41).invocation_id)
    crash = pynenc_crash.when("pending")

    with pytest.raises(ProcessDied, match="claim"):
        pynenc_race(crashing.claim, 3, args=(registered,))

    assert crash.wait().invocation_id == registered
    assert status(pynenc_app, registered) == "pending"
    race = pynenc_race(crashing.claim, 3, args=(other,))
    assert sorted(outcome.value for outcome in race.outcomes) == [False, False, True]


def test_a_child_that_was_forked_is_hit(
    pynenc_crash: CrashControl, pynenc_process: Children, registered: str
) -> None:
    """It is no other interpreter, but another process than pytest's."""
    crash = pynenc_crash.when("pending")

    child = pynenc_process(crashing.move, registered, "pending", method="fork")

    assert crash.wait().pid == child.pid
    assert has_died(child)


def test_a_process_that_the_test_starts_itself_is_hit(
    pynenc_app: Pynenc, pynenc_crash: CrashControl, registered: str
) -> None:
    """Whatever it is: pynenc imports the plugin, and the environment says the rest."""
    crash = pynenc_crash.when("pending")
    program = (
        "from tests.processes import crashing\n"
        "from pynenc import Pynenc\n"
        f"app = Pynenc(config_values={{'app_id': {pynenc_app.app_id!r}}})\n"
        "app.task(crashing.add_one)\n"
        f"crashing.move(app, {registered!r}, 'pending')\n"
    )

    root = Path(__file__).parents[2]
    ended = subprocess.run([sys.executable, "-c", program], cwd=root, check=False)

    assert ended.returncode == -signal.SIGKILL
    assert crash.wait().invocation_id == registered


def test_what_is_known_of_a_hit_is_true(
    pynenc_crash: CrashControl, pynenc_process: Children, registered: str
) -> None:
    """Which process, and when, by both clocks."""
    crash = pynenc_crash.when("pending")
    assert crash.hit is None

    child = pynenc_process(crashing.move, registered, "pending")
    hit = crash.wait()

    assert hit.point == "when('pending')"
    assert hit.process == "MainProcess"
    assert "processes.serving" in hit.command
    assert abs(hit.at.timestamp() - psutil.Process().create_time()) < 3600
    assert crash.hit == hit == crash.wait()
    assert has_died(child)


def test_a_point_that_nobody_reaches_is_an_error_that_says_what_was_seen(
    pynenc_crash: CrashControl, pynenc_process: Children, registered: str
) -> None:
    """Within the time that was given."""
    crash = pynenc_crash.when("success", nth=2)

    child = pynenc_process(crashing.move, registered, "pending", "running", "success")
    child.result()

    with pytest.raises(CrashNotReached) as caught:
        crash.wait(timeout_s=0.1)
    message = str(caught.value)
    assert "no process came to when('success'), no. 2 within 0.1 s" in message
    assert f"1 processes looked for it, [{child.pid}]" in message
    key = f"{crashing.__name__}.add_one"
    for seen in ("pending", "running", "success"):
        assert f"pid {child.pid}: {seen} of {key}" in message
