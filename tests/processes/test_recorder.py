"""Recorded operations: complete, in every process, and there after a kill."""

from __future__ import annotations

import json
import os
import statistics
import threading
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from pynenc.invocation.status import InvocationStatus

from pytest_pynenc_state.errors import ProcessDied, RecorderTooLate
from pytest_pynenc_state.history.operations import Ending, Operation
from pytest_pynenc_state.processes.journal import JOURNALS_VARIABLE, Journal, entries_of
from pytest_pynenc_state.processes.recorder import recorder_of
from pytest_pynenc_state.processes.recording import Recording, operations_in
from tests.processes import crashing, recorded

if TYPE_CHECKING:
    from pynenc import Pynenc

    from pytest_pynenc_state import Backend, CrashControl, Recorder
    from pytest_pynenc_state.processes.child import Children
    from pytest_pynenc_state.processes.racing import Races

# So short that others leave some of them alone.
_ROUNDS, _CALLS = 200, 100

pytestmark = [
    pytest.mark.pynenc_backends("sqlite"),
    pytest.mark.pynenc_no_history_check,  # what these tests do writes no history
]


@pytest.fixture
def invocation_id(pynenc_recorder: Recorder, pynenc_app: Pynenc) -> str:  # noqa: ARG001 - first
    """An invocation that nobody has claimed."""
    return str(pynenc_app.task(crashing.add_one)(40).invocation_id)


def told(recorder: Recorder, *names: str) -> list[str]:
    """The operations of these names, in words."""
    return [str(each) for each in recorder.operations if each.name in names]


def lost(recorder: Recorder) -> list[Operation]:
    return [each for each in recorder.operations if each.ending == Ending.UNKNOWN]


def test_what_this_process_calls_is_recorded_with_what_came_of_it(
    pynenc_recorder: Recorder, pynenc_app: Pynenc, invocation_id: str
) -> None:
    """Also an error."""
    recorded.claim(pynenc_app, invocation_id, "r-1")
    recorded.claim(pynenc_app, invocation_id, "r-2")
    pynenc_app.state_backend.set_result(invocation_id, "x" * 100)
    pynenc_app.state_backend.get_result(invocation_id)
    with pytest.raises(KeyError):
        pynenc_app.orchestrator.get_invocation_status_record("nobody's")  # type: ignore[arg-type]
    pynenc_app.purge()

    operations = pynenc_recorder.operations
    own = [each for each in operations if each.key == invocation_id]
    assert {each.process for each in operations} == {str(os.getpid())}
    assert [each.name for each in own[:3]] == [
        "register_new_invocations",
        *["atomic_status_transition"] * 2,
    ]
    assert str(own[1]) == "atomic_status_transition(pending, r-1) = pending r-1"
    assert own[2].ending == Ending.ERROR
    written, read = [each for each in own if each.name.endswith("_result")]
    assert written.arguments == (read.value,)
    assert len(str(read.value)) < 100
    assert [each.value for each in operations if each.key == "nobody's"] == ["KeyError"]
    purged = [each.name for each in operations if each.key == "*"]
    assert sorted(purged) == ["orchestrator.purge", "state_backend.purge"]
    assert all(each.end_ns is not None and each.start_ns < each.end_ns for each in operations)
    pynenc_recorder.assert_linearizable()


def test_every_racer_and_thread_is_recorded(
    pynenc_recorder: Recorder, pynenc_app: Pynenc, pynenc_race: Races, invocation_id: str
) -> None:
    """With a name of its own each."""
    pynenc_race(recorded.retry, n=3, args=(invocation_id, 5))
    thread = threading.Thread(target=recorded.retry, args=(pynenc_app, invocation_id, 5), name="t")
    thread.start()
    thread.join()

    retries = [each for each in pynenc_recorder.operations if "retries" in each.name]
    by_process = {each.process: 0 for each in retries}
    for each in retries:
        by_process[each.process] += 1
    assert list(by_process.values()) == [10] * 4
    assert [each for each in by_process if each.endswith(" t")]
    assert retries == sorted(retries, key=lambda each: each.start_ns)
    pynenc_recorder.assert_linearizable()


def test_a_forked_process_has_a_journal_of_its_own(
    pynenc_recorder: Recorder, pynenc_process: Children, invocation_id: str
) -> None:
    """It would write over that of its parent."""
    pynenc_process(recorded.retry_in_fork, invocation_id).result()

    counted = [each for each in pynenc_recorder.operations if each.name == "get_invocation_retries"]
    assert [each.value for each in counted] == [1, 2, 3, 4]
    assert len({each.process for each in counted}) == 3


@pytest.mark.pynenc_backends("memory")
def test_a_forked_process_that_has_a_copy_of_the_store_is_not_recorded(
    pynenc_recorder: Recorder, pynenc_app: Pynenc, invocation_id: str
) -> None:
    """Nobody else sees what it does, whichever thread of it does so."""
    recorded.retry_in_fork(pynenc_app, invocation_id)

    counted = [each for each in pynenc_recorder.operations if each.name == "get_invocation_retries"]
    assert [(each.process, each.value) for each in counted] == [
        (str(os.getpid()), 1),
        (str(os.getpid()), 2),
    ]
    pynenc_recorder.assert_linearizable()


def test_each_of_two_recorders_has_the_operations_of_a_forked_process_once(
    pynenc_recorder: Recorder, pynenc_app: Pynenc
) -> None:
    """Neither of them has it write over a journal of its parent."""
    with recorder_of(pynenc_app) as inner:
        invocation_id = str(pynenc_app.task(crashing.add_one)(40).invocation_id)
        recorded.retry_in_fork(pynenc_app, invocation_id)

    for recorder in (inner, pynenc_recorder):
        counted = [each for each in recorder.operations if each.name == "get_invocation_retries"]
        assert [each.value for each in counted] == [1, 2, 3, 4]
        recorder.assert_linearizable()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_what_a_killed_process_was_at_has_no_end(
    pynenc_recorder: Recorder,
    pynenc_crash: CrashControl,
    pynenc_process: Children,
    pynenc_app: Pynenc,
    request: pytest.FixtureRequest,
    moment: str,
) -> None:
    """What it did before is all there, whether it took effect or not."""
    invocation_id = request.getfixturevalue("invocation_id")
    crash = getattr(pynenc_crash, moment)("increment_invocation_retries", nth=4)
    child = pynenc_process(recorded.retry, invocation_id, 10)
    crash.wait()
    pynenc_app.orchestrator.get_invocation_retries(invocation_id)

    with pytest.raises(ProcessDied):
        child.result()
    (unfinished,) = lost(pynenc_recorder)
    assert str(unfinished) == "increment_invocation_retries() (never returned)"
    assert told(pynenc_recorder, "get_invocation_retries") == [
        *(f"get_invocation_retries() = {count}" for count in (1, 2, 3)),
        f"get_invocation_retries() = {3 if moment == 'before' else 4}",
    ]
    pynenc_recorder.assert_linearizable()


def test_invocations_that_are_there_already_are_refused(pynenc_app: Pynenc) -> None:
    """Nobody knows what was done to them."""
    pynenc_app.task(crashing.add_one)(40)
    with pytest.raises(RecorderTooLate, match="has 1 invocations already"), recorder_of(pynenc_app):
        pass
    assert JOURNALS_VARIABLE not in os.environ


@pytest.mark.parametrize("pynenc_backend", ["sqlite", "memory"], indirect=True)
def test_another_app_is_not_recorded(
    pynenc_recorder: Recorder, pynenc_app: Pynenc, pynenc_app_factory: Callable[..., Pynenc]
) -> None:
    """Its invocations may have the same ids, and its purge is not ours."""
    invocation_id = str(pynenc_app.task(crashing.add_one)(40).invocation_id)
    other = pynenc_app_factory("another app")
    with pytest.raises(KeyError):
        other.orchestrator.get_invocation_status_record(invocation_id)  # type: ignore[arg-type]
    other.purge()
    pynenc_app.orchestrator.get_invocation_status_record(invocation_id)  # type: ignore[arg-type]

    assert [each.name for each in pynenc_recorder.operations] == [
        "register_new_invocations",
        "get_invocation_status_record",
    ]
    pynenc_recorder.assert_linearizable()


@pytest.mark.parametrize("pynenc_backend", ["sqlite", "memory"], indirect=True)
def test_a_further_handle_is_recorded_where_it_has_the_same_store(
    pynenc_recorder: Recorder, pynenc_app_factory: Callable[..., Pynenc], pynenc_backend: Backend
) -> None:
    """In memory it has one of its own. Afterwards it is as it was."""
    handle = pynenc_app_factory()
    handle.state_backend._set_result("it", "text")  # type: ignore[arg-type]

    is_shared = pynenc_backend.name == "sqlite"
    assert told(pynenc_recorder, "set_result") == ["set_result(text)"] * is_shared


def test_a_handle_that_was_built_meanwhile_is_left_as_it_was(
    pynenc_app: Pynenc, pynenc_app_factory: Callable[..., Pynenc]
) -> None:
    """Also if somebody holds on to it."""
    with recorder_of(pynenc_app):
        handle = pynenc_app_factory()
        assert "_set_result" in vars(handle.state_backend)
    assert "_set_result" not in vars(handle.state_backend)


def test_a_recorder_within_another_has_the_operations_of_its_time(
    pynenc_recorder: Recorder, pynenc_app: Pynenc
) -> None:
    """The outer one has all."""
    with recorder_of(pynenc_app) as inner:
        pynenc_app.state_backend._set_result("it", "one")  # type: ignore[arg-type]
    pynenc_app.state_backend._set_result("it", "two")  # type: ignore[arg-type]

    assert told(inner, "set_result") == ["set_result(one)"]
    assert told(pynenc_recorder, "set_result") == ["set_result(one)", "set_result(two)"]


def test_strange_values_are_recorded_and_break_nothing(
    pynenc_recorder: Recorder, pynenc_app: Pynenc, invocation_id: str
) -> None:
    """A runner's id may be of a class of its own; a broken store may answer anything."""
    orchestrator: Any = pynenc_app.orchestrator
    orchestrator._atomic_status_transition(invocation_id, InvocationStatus.PENDING, Name.ANN)
    orchestrator._statuses.record = lambda _: None
    assert orchestrator.get_invocation_status_record(invocation_id) is None

    moved, read = pynenc_recorder.operations[1:]
    assert (moved.arguments, moved.value) == (("pending", "ann"), ["pending", "ann"])
    assert (read.ending, read.value) == (Ending.OK, None)
    with pytest.raises(AssertionError, match="violated"):
        pynenc_recorder.assert_linearizable()


class Name(StrEnum):
    """Names of runners."""

    ANN = "ann"


def test_nobody_knows_what_came_of_an_error_that_is_no_refusal(
    pynenc_recorder: Recorder, pynenc_app: Pynenc, invocation_id: str
) -> None:
    """A connection may break after the store has done what it was told."""
    orchestrator: Any = pynenc_app.orchestrator
    orchestrator._statuses.increment_retries = _broken

    with pytest.raises(OSError, match="gone"):
        orchestrator.increment_invocation_retries(invocation_id)

    assert [each.value for each in lost(pynenc_recorder)] == [None]


def _broken(_: str) -> None:
    message = "gone"
    raise OSError(message)


def test_an_answer_that_no_correct_store_gives_is_found(
    pynenc_recorder: Recorder, pynenc_app: Pynenc, invocation_id: str
) -> None:
    """And told with what was done before."""
    recorded.retry(pynenc_app, invocation_id, 2)
    orchestrator: Any = pynenc_app.orchestrator
    orchestrator._statuses.retries = lambda _: 1
    orchestrator.get_invocation_retries(invocation_id)

    with pytest.raises(AssertionError) as failure:
        pynenc_recorder.assert_linearizable()

    assert f"{os.getpid()} got get_invocation_retries() = 1" in str(failure.value)
    assert "would have answered 2" in str(failure.value)


def test_what_a_call_does_inside_is_its_own_business(
    pynenc_recorder: Recorder, pynenc_app: Pynenc, invocation_id: str
) -> None:
    """A store may look at a copy, as long as its answer is right."""
    orchestrator: Any = pynenc_app.orchestrator
    orchestrator._statuses.retries = lambda _: (
        orchestrator.get_invocation_status_record(invocation_id)
        and len(told(pynenc_recorder, "increment_invocation_retries"))
    )
    recorded.retry(pynenc_app, invocation_id, 2)
    recorded.claim(pynenc_app, invocation_id, "r-1")

    assert [each.name for each in pynenc_recorder.operations][1:] == [
        *["increment_invocation_retries", "get_invocation_retries"] * 2,
        "atomic_status_transition",
    ]
    pynenc_recorder.assert_linearizable()


def test_nothing_recorded_is_no_proof(pynenc_recorder: Recorder) -> None:
    """It fails."""
    with pytest.raises(AssertionError, match="no operation was recorded"):
        pynenc_recorder.assert_linearizable()


def test_afterwards_everything_is_as_it_was(pynenc_app: Pynenc) -> None:
    """The app, and the apps and processes that come next."""
    before = {name: dict(vars(part)) for name, part in _parts(pynenc_app).items()}
    construct = type(pynenc_app.orchestrator).__mro__[-3].__init__
    with recorder_of(pynenc_app) as recorder:
        pynenc_app.orchestrator.count_invocations()
        assert JOURNALS_VARIABLE in os.environ
    assert JOURNALS_VARIABLE not in os.environ
    assert recorder.operations == []
    for name, part in _parts(pynenc_app).items():
        assert vars(part).keys() == before[name].keys()
    assert type(pynenc_app.orchestrator).__mro__[-3].__init__ is construct


def _parts(app: Pynenc) -> dict[str, object]:
    return {"orchestrator": app.orchestrator, "state_backend": app.state_backend}


def test_a_wrong_call_is_left_to_the_method_to_refuse(
    pynenc_recorder: Recorder, pynenc_app: Pynenc
) -> None:
    """With the error that it always raises."""
    with pytest.raises(TypeError, match="invocation_id"):
        pynenc_app.orchestrator.get_invocation_retries()  # type: ignore[call-arg]
    assert pynenc_recorder.operations == []


def test_recording_takes_less_than_two_lines_of_json(tmp_path: Path) -> None:
    """Three or four microseconds; what a kill leaves of a file takes twice as long otherwise."""
    (tmp_path / "app").write_text("office")
    recording = Recording(tmp_path)
    component = SimpleNamespace(app=SimpleNamespace(app_id="office"))
    record = SimpleNamespace(status=InvocationStatus.PENDING, runner_id="r-1")
    lines = os.open(tmp_path / "lines", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def plain(*_: object) -> object:
        return record

    def written(*arguments: object) -> object:
        for entry in (arguments, (record.status, record.runner_id)):
            os.write(lines, json.dumps([time.monotonic_ns(), *entry]).encode())
        return plain(*arguments)

    recorded_one = recording._recorded(
        component, "orchestrator", "_atomic_status_transition", plain
    )
    assert recorded_one is not None
    ratios = [_taken_ns(recorded_one) / _taken_ns(written) for _ in range(_ROUNDS)]
    os.close(lines)

    assert statistics.median(ratios) < 1
    assert len(operations_in(tmp_path)) == _ROUNDS * _CALLS


def _taken_ns(move: Callable[..., object]) -> int:
    start_ns = time.perf_counter_ns()
    for _ in range(_CALLS):
        move("an id", InvocationStatus.PENDING, "r-1")
    return time.perf_counter_ns() - start_ns


def test_a_journal_grows_and_can_be_read_meanwhile(tmp_path: Path) -> None:
    """Entries of any length come back, with their instants."""
    journal = Journal(tmp_path / "journal")
    written = [(number, bytes([number]) * 300_000 * number) for number in range(1, 12)]
    for entry in written:
        journal.append(*entry)
        assert [*entries_of(tmp_path / "journal")][-1] == entry

    assert [*entries_of(tmp_path / "journal")] == written


def test_an_entry_that_was_not_finished_is_not_there(tmp_path: Path) -> None:
    """Its length is written last."""
    journal = Journal(tmp_path / "journal")
    journal.append(1, b"whole")
    journal._pages[29:32] = b"hal"

    assert [*entries_of(tmp_path / "journal")] == [(1, b"whole")]
