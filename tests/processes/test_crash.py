"""Crash points: exactly the process, exactly there, exactly once, and nothing afterwards."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import psutil
import pytest
from pynenc.orchestrator.base_orchestrator import BaseOrchestrator

from pytest_pynenc_state import starting
from pytest_pynenc_state.errors import CrashNotReached, CrashRefused, NotShared, ProcessDied
from pytest_pynenc_state.processes import crash_points
from pytest_pynenc_state.processes.crash_control import crash_control_of
from pytest_pynenc_state.processes.crash_files import CRASHES_VARIABLE
from pytest_pynenc_state.waiting import wait_until
from tests.processes import crashing

if TYPE_CHECKING:
    from pynenc import Pynenc

    from pytest_pynenc_state import Backend, Crash, CrashControl, RunnerControl
    from pytest_pynenc_state.processes.child import Child, Children
    from pytest_pynenc_state.processes.racing import Races

# Hang guard: a process that starts, and does next to nothing.
START_S = 30.0

pytestmark = pytest.mark.pynenc_backends("sqlite")
on_both = pytest.mark.pynenc_backends("sqlite", "mongomock")


@pytest.fixture
def registered(pynenc_app: Pynenc) -> str:
    """An invocation that nobody has claimed."""
    return str(pynenc_app.task(crashing.add_one)(40).invocation_id)


def statuses(app: Pynenc, invocation_id: str) -> list[str]:
    """The history, as far as it is written."""
    return [
        record.status_record.status.value for record in app.state_backend.get_history(invocation_id)
    ]


def status(app: Pynenc, invocation_id: str) -> str:
    return str(app.orchestrator.get_invocation_status(invocation_id).value)


def has_died(child: Child) -> bool:
    """Whether *child* was killed (-9); fails if it has answered."""
    with pytest.raises(ProcessDied, match=r"SIGKILL"):
        child.result()
    return not child.is_alive()


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


def test_a_process_is_killed_from_outside_after_a_delay_of_the_seed(
    pynenc_backend: Backend, pynenc_process: Children
) -> None:
    """The same seed, the same delays; whatever the process is doing."""
    delays = []
    for _ in range(2):
        with crash_control_of(pynenc_backend, START_S, seed=3) as control:
            child = pynenc_process(crashing.block)
            crash = control.at_random(child, within_s=(0.0, 0.05))
            [delay] = control._delays
            delays.append(delay._delay_s)
            hit = crash.wait()
            assert (hit.pid, hit.invocation_id) == (child.pid, None)
            assert has_died(child)

    assert delays[0] == delays[1]
    assert 0.0 <= delays[0] <= 0.05


def test_a_process_that_has_ended_before_its_delay_is_not_hit(pynenc_crash: CrashControl) -> None:
    """There is nothing left to kill, and the message says so."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        ended = psutil.Process(process.pid)
        assert wait_until(lambda: ended.status() == psutil.STATUS_ZOMBIE, START_S)
        crash = pynenc_crash.at_random(process.pid, within_s=(0.0, 0.0))

        with pytest.raises(CrashNotReached, match=rf"pid {process.pid}: had ended before"):
            crash.wait(timeout_s=1.0)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda c: c.when("runing"), r"no status 'runing'\n- did you mean 'running'\?"),
        (lambda c: c.before("set_invocation_resul"), r"did you mean 'set_invocation_result'\?"),
        (lambda c: c.after("orchestrator.purg"), r"did you mean 'orchestrator\.purge'\?"),
        (lambda c: c.after("nothing.purge"), "purge"),
        (lambda c: c.before("__init__"), "no method '__init__'"),
        (
            lambda c: c.before("purge"),
            r"write 'orchestrator\.purge'\n- write 'state_backend\.purge'",
        ),
        (lambda c: c.before("broker.purge", task="a.b"), "no invocation is an argument"),
        (lambda c: c.when("running", task=crashing.add_one), "expected a task or its key"),
        (lambda c: c.when("running", nth=0), "whole number from 1 on; got 0"),
        (lambda c: c.when("running", action="kil"), r"did you mean 'kill'\?"),
        (lambda c: c.at_random(os.getpid()), "this test has no such process"),
        (lambda c: c.at_random(os.getppid()), "this test has no such process"),
    ],
)
def test_what_cannot_be_is_refused_at_once(pynenc_crash: CrashControl, ask: Any, said: str) -> None:
    """With a name that is near, or with what to write instead."""
    with pytest.raises(CrashRefused, match=said):
        ask(pynenc_crash)


@pytest.mark.parametrize("within_s", [(0.5, 0.1), 0.5, (-1, 0), (0.1,), ("0", "1"), (0, math.inf)])
def test_a_refused_range_of_delays_says_what_is_expected(
    pynenc_crash: CrashControl, pynenc_process: Children, within_s: Any
) -> None:
    """And what was got."""
    child = pynenc_process(crashing.process_id)

    with pytest.raises(CrashRefused, match="the shortest delay, then the longest") as caught:
        pynenc_crash.at_random(child, within_s=within_s)
    assert f"within_s={within_s!r}" in str(caught.value)
    assert child.result() == child.pid


@pytest.mark.parametrize("pynenc_runner", ["process"], indirect=True)
@pytest.mark.pynenc_no_history_check
def test_a_runner_that_is_the_only_one_need_not_be_named(
    pynenc_crash: CrashControl, pynenc_runner: RunnerControl
) -> None:
    """Of several, it has to be; of those that have ended, none is meant."""
    (runner,) = pynenc_runner.runners
    crash = pynenc_crash.at_random(pynenc_runner, within_s=(0.0, 0.0))
    assert crash.wait().pid == cast("Any", runner).pid

    with pytest.raises(CrashRefused, match="0 of its runners are alive") as caught:
        pynenc_crash.at_random(pynenc_runner)
    assert caught.value.remedies == ("give one of pynenc_runner.runners",)


@pytest.mark.parametrize("pynenc_runner", ["thread"], indirect=True)
def test_a_runner_in_the_pytest_process_is_not_hit_at_random(
    pynenc_crash: CrashControl, pynenc_runner: RunnerControl
) -> None:
    """Nor is anything that is no process at all."""
    for given in (pynenc_runner, *pynenc_runner.runners):
        with pytest.raises(CrashRefused, match="in the pytest process, which is never") as caught:
            pynenc_crash.at_random(given)  # type: ignore[arg-type]
        assert "--pynenc-runner process" in caught.value.remedies[0]
    with pytest.raises(CrashRefused, match=r"at_random\(None\): this test has no such process"):
        pynenc_crash.at_random(None)  # type: ignore[arg-type]


@pytest.mark.pynenc_backends("memory")
@pytest.mark.parametrize("pynenc_backend", ["memory"], indirect=True)
def test_a_state_of_one_process_is_refused(
    request: pytest.FixtureRequest, pynenc_backend: Backend
) -> None:
    """No other process could come by."""
    with (
        pytest.raises(NotShared, match="pynenc_crash needs a second process"),
        starting.crash_control(request, pynenc_backend),
    ):
        pytest.fail("it was not refused")
    assert CRASHES_VARIABLE not in os.environ


def test_nothing_is_left_of_it(
    pynenc_app: Pynenc, pynenc_backend: Backend, pynenc_process: Children, registered: str
) -> None:
    """No variable, no folder, no thread, nothing wrapped; what was paused goes on."""
    construct = BaseOrchestrator.__init__
    threads = threading.active_count()
    with crash_control_of(pynenc_backend, START_S, seed=1) as control:
        folder = Path(os.environ[CRASHES_VARIABLE].partition(":")[2])
        pause = control.when("pending", action="pause")
        child = pynenc_process(crashing.move, registered, "pending")
        pause.wait()
        control.at_random(child, within_s=(60.0, 60.0))
        crash_points.install()  # what the plugin would do in a process that may be hit
        assert BaseOrchestrator.__init__ is construct
        assert folder.is_dir()

    assert child.result()
    assert status(pynenc_app, registered) == "pending"
    assert CRASHES_VARIABLE not in os.environ
    assert not folder.exists()
    assert threading.active_count() == threads
    assert vars(pynenc_app.orchestrator).get("set_invocation_status") is None


def test_a_process_that_outlives_the_crash_points_of_its_test_looks_for_none(
    pynenc_backend: Backend, pynenc_process: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been started at the very end, and have the variable still."""
    with crash_control_of(pynenc_backend, START_S, seed=1):
        variable = os.environ[CRASHES_VARIABLE]
    monkeypatch.setenv(CRASHES_VARIABLE, variable)
    child = pynenc_process(crashing.process_id)

    assert child.result() == child.pid


def test_only_the_processes_of_a_test_with_crash_points_have_anything_wrapped(
    pynenc_process: Children, pynenc_backend: Backend
) -> None:
    """Also of those in which the next test finds them."""
    without = pynenc_process(is_wrapped).result()
    with crash_control_of(pynenc_backend, START_S, seed=1):
        within = pynenc_process(is_wrapped).result()

    assert (without, within) == (False, True)


def test_a_racer_has_nothing_wrapped_after_a_test_with_crash_points(
    pynenc_race: Races, pynenc_backend: Backend
) -> None:
    """The very same process."""
    with crash_control_of(pynenc_backend, START_S, seed=1):
        within = pynenc_race(is_wrapped, 2)
    without = pynenc_race(is_wrapped, 2)

    assert [outcome.value for outcome in within.outcomes] == [True, True]
    assert [outcome.value for outcome in without.outcomes] == [False, False]
    assert [each.pid for each in within.outcomes] == [each.pid for each in without.outcomes]


def is_wrapped(app: Pynenc) -> bool:
    return "set_invocation_status" in vars(app.orchestrator)
