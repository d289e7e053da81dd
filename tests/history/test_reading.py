"""Reading histories: settled, in order, within bounds, on every store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pynenc.invocation.status import InvocationStatus, InvocationStatusRecord

from pytest_pynenc_state.conformance import tasks
from pytest_pynenc_state.conformance.making import (
    OWNER,
    at,
    new_context,
    new_invocation,
    wait_for_later_clock,
)
from pytest_pynenc_state.errors import (
    HistoryError,
    HistoryNotSettled,
    PathError,
    StatusNotReached,
)
from pytest_pynenc_state.history import reading
from pytest_pynenc_state.history.reading import HistoryReader
from pytest_pynenc_state.history.records import Record
from pytest_pynenc_state.history.stored import PRECISION, agrees, read_histories
from tests.history.storing import move, registered, set_status
from tests.history.tracebacks import files_shown

if TYPE_CHECKING:
    from pynenc.app import Pynenc

# Hang guard: what is waited for is there after a few looks.
TIMEOUT_S = 30.0
# For what never comes.
SHORT_S = 0.05
LONG_S = 300.0

PENDING, RUNNING = InvocationStatus.PENDING, InvocationStatus.RUNNING
SUCCESS, RETRY = InvocationStatus.SUCCESS, InvocationStatus.RETRY
REROUTED = InvocationStatus.REROUTED


@pytest.fixture
def read(pynenc_app: Pynenc) -> HistoryReader:
    """Return what reads the histories of the app under test."""
    return HistoryReader(pynenc_app, TIMEOUT_S)


class Later:
    """Does something when a method of an object is called for the *n*-th time, before it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: object, method: str, n: int) -> None:
        self.calls = 0
        self.action: Callable[[], object] = lambda: None
        original = getattr(owner, method)

        def called(*args: object, **options: object) -> object:
            self.calls += 1
            if self.calls == n:
                self.action()
            return original(*args, **options)

        monkeypatch.setattr(owner, method, called)


def test_a_history_has_every_status_owner_and_mover_in_order(
    pynenc_app: Pynenc, read: HistoryReader
) -> None:
    invocation_id = registered(pynenc_app, arguments={"x": "1"})
    move(pynenc_app, invocation_id, PENDING, RUNNING, SUCCESS)

    history = read(invocation_id)

    assert history.statuses == ("registered", "pending", "running", "success")
    assert history.owners == (None, OWNER, OWNER, None)
    assert [record.mover for record in history] == ["client", OWNER, OWNER, OWNER]
    assert [record.process for record in history] == [("elsewhere", 4711)] * 4
    assert (history.task, history.arguments) == (
        "pytest_pynenc_state.conformance.tasks.add",
        {"x": "1"},
    )
    assert history.is_final
    assert history.order_unknown == ()
    assert "running" in history
    assert history[2] in history
    assert "retry" not in history


def test_a_history_ends_as_its_status_though_the_clock_of_the_last_one_is_behind(
    pynenc_app: Pynenc, read: HistoryReader
) -> None:
    """Another process took it and gave it back before, by a clock that is 20 ms ahead."""
    invocation_id = registered(pynenc_app)
    contexts = [new_context("other", pid=2)] * 2 + [new_context(OWNER, pid=3)] * 2
    moves = [
        pynenc_app.orchestrator._atomic_status_transition(invocation_id, status, context.runner_id)
        for status, context in zip([PENDING, REROUTED] * 2, contexts, strict=True)
    ]
    for moved, context, later_ms in zip(moves, contexts, [10, 15, -5, 0], strict=True):
        stamp = moves[-1].timestamp + timedelta(milliseconds=later_ms)
        stamped = replace(moved, timestamp=stamp)
        pynenc_app.state_backend.add_history(invocation_id, stamped, context)

    history = read(invocation_id)

    assert [record.mover for record in history] == ["client", "other", "other", OWNER, OWNER]
    assert history.order_unknown == (3,)
    assert [each.is_settled for each in read_histories(pynenc_app, SHORT_S)] == [True]


def test_an_invocation_can_be_given_instead_of_its_id(
    pynenc_app: Pynenc, read: HistoryReader
) -> None:
    invocation_id = registered(pynenc_app)
    invocation = pynenc_app.state_backend.get_invocation(invocation_id)

    assert read(invocation) == read(invocation_id)


def test_reading_waits_until_the_record_of_the_status_is_there(
    pynenc_app: Pynenc, read: HistoryReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pynenc releases who waits for the result before it writes that record."""
    invocation_id = registered(pynenc_app)
    move(pynenc_app, invocation_id, PENDING, RUNNING)
    write_record = set_status(pynenc_app, invocation_id, SUCCESS)
    later = Later(monkeypatch, pynenc_app.state_backend, "get_history", 4)
    later.action = write_record

    history = read(invocation_id)

    assert history.statuses[-1] == "success"
    assert later.calls == 4


def test_reading_waits_for_a_record_that_is_missing_in_between(
    pynenc_app: Pynenc, read: HistoryReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes write two records in the other order than they set the statuses."""
    invocation_id = registered(pynenc_app)
    write_record = set_status(pynenc_app, invocation_id, PENDING)
    move(pynenc_app, invocation_id, RUNNING)
    later = Later(monkeypatch, pynenc_app.state_backend, "get_history", 3)
    later.action = write_record

    history = read(invocation_id)

    assert history.statuses == ("registered", "pending", "running")


def test_an_earlier_record_of_the_same_status_does_not_settle_a_history(
    pynenc_app: Pynenc,
) -> None:
    """The invocation has come to it again, and the records of that are still to be written."""
    invocation_id = registered(pynenc_app)
    move(pynenc_app, invocation_id, PENDING)
    set_status(pynenc_app, invocation_id, InvocationStatus.REROUTED)
    wait_for_later_clock(2 * PRECISION)
    set_status(pynenc_app, invocation_id, PENDING)

    with pytest.raises(HistoryNotSettled):
        HistoryReader(pynenc_app, SHORT_S)(invocation_id)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"status": RETRY}, False),
        ({"runner_id": "another"}, False),
        ({"timestamp": at(1_001)}, False),
        ({"timestamp": at(1_000)}, True),
        ({"timestamp": at(0).replace(tzinfo=None)}, True),
    ],
)
def test_a_record_agrees_with_a_status_of_the_same_owner_and_millisecond(
    changes: dict[str, Any], *, expected: bool
) -> None:
    """Published stores keep milliseconds only, or forget that a time stamp is in UTC."""
    record = Record(PENDING, OWNER, at(0), at(3), OWNER)
    status_record = replace(InvocationStatusRecord(PENDING, OWNER, at(0)), **changes)

    assert agrees(record, status_record) is expected


def test_a_history_that_is_illegal_is_read_as_it_is(pynenc_app: Pynenc) -> None:
    """What is wrong with it is for the rules to say."""
    invocation_id = registered(pynenc_app)
    set_status(pynenc_app, invocation_id, PENDING)
    move(pynenc_app, invocation_id, RUNNING)

    assert HistoryReader(pynenc_app, SHORT_S)(invocation_id).statuses == ("registered", "running")


def test_a_history_that_does_not_settle_is_an_error_that_says_what_is_missing(
    pynenc_app: Pynenc,
) -> None:
    invocation_id = registered(pynenc_app)
    set_status(pynenc_app, invocation_id, PENDING)

    with pytest.raises(HistoryNotSettled) as caught:
        HistoryReader(pynenc_app, SHORT_S)(invocation_id)

    message = caught.value.message
    assert f"{invocation_id} did not settle within 0.05 s: the status is pending" in message
    assert f"owned by {OWNER}" in message
    assert "its last record is registered" in message


def test_whoever_waits_for_a_status_waits_for_its_record_no_longer(
    pynenc_app: Pynenc, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The longer timeout of the reader is not waited for as well."""
    monkeypatch.setattr(reading, "LAST_RECORDS_S", SHORT_S)
    invocation_id = registered(pynenc_app)
    history = HistoryReader(pynenc_app, LONG_S)(invocation_id)
    set_status(pynenc_app, invocation_id, PENDING)

    with pytest.raises(HistoryNotSettled, match=f"did not settle within {SHORT_S} s"):
        history.wait_for("pending", timeout_s=0)


def test_an_unknown_invocation_is_an_error_that_names_it(
    pynenc_app: Pynenc, read: HistoryReader
) -> None:
    with pytest.raises(HistoryError, match=f"app {pynenc_app.app_id!r} has no invocation 'x'"):
        read("x")


def test_what_is_no_invocation_is_an_error_that_says_what_to_pass(
    pynenc_app: Pynenc, read: HistoryReader
) -> None:
    """A result, as a text or not, or a group of invocations."""
    group = pynenc_app.task(tasks.add).parallelize([(1, 2), (3, 4)])
    remedy = "pass what the call of the task returned, not the result of that"

    for given, got in (
        (3, "got int 3"),
        ("paid", "'paid'"),
        (group, f"got {type(group).__name__}"),
    ):
        with pytest.raises(HistoryError) as caught:
            read(given)  # type: ignore[arg-type]
        assert got in caught.value.message
        assert remedy in caught.value.remedies
        assert len(caught.value.message) < 200


def test_an_error_of_reading_is_shown_where_the_test_reads(
    pynenc_app: Pynenc, read: HistoryReader
) -> None:
    history = read(registered(pynenc_app))
    unsettled = registered(pynenc_app)
    set_status(pynenc_app, unsettled, PENDING)
    reader = HistoryReader(pynenc_app, SHORT_S)

    for fail in (
        lambda: read("x"),
        lambda: read(3),  # type: ignore[arg-type]
        lambda: reader(unsettled),
        lambda: history.wait_for("succes"),
        lambda: history.wait_for("success", timeout_s=SHORT_S),
    ):
        with pytest.raises(HistoryError) as caught:
            fail()
        assert files_shown(caught) == ["test_reading.py"] * 2


def test_waiting_for_a_status_returns_the_history_it_came_to(
    pynenc_app: Pynenc, read: HistoryReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the invocation has gone on meanwhile; the history it was asked of stays as it is."""
    invocation_id = registered(pynenc_app)
    before = read(invocation_id)
    later = Later(monkeypatch, pynenc_app.state_backend, "get_history", 3)
    later.action = lambda: move(pynenc_app, invocation_id, PENDING, RUNNING, RETRY)

    after = before.wait_for("running")

    assert before.statuses == ("registered",)
    assert after.statuses == ("registered", "pending", "running", "retry")


def test_waiting_for_a_status_that_can_never_come_ends_at_once_and_says_why(
    pynenc_app: Pynenc, read: HistoryReader
) -> None:
    invocation_id = registered(pynenc_app)
    move(pynenc_app, invocation_id, PENDING, RUNNING, InvocationStatus.FAILED)
    pynenc_app.state_backend.set_exception(invocation_id, ValueError("no tea"))

    with pytest.raises(StatusNotReached) as caught:
        read(invocation_id).wait_for("success")

    assert "waited for success of pytest_pynenc_state.conformance.tasks.add" in caught.value.message
    assert "has ended as failed with ValueError('no tea')" in caught.value.message


def test_waiting_for_a_status_is_bounded(pynenc_app: Pynenc, read: HistoryReader) -> None:
    history = read(registered(pynenc_app))

    with pytest.raises(StatusNotReached, match="is registered after") as caught:
        history.wait_for("success", timeout_s=SHORT_S)

    assert "uses pynenc_runner" in caught.value.remedies[0]


def test_no_runner_is_asked_for_where_one_has_taken_the_invocation(
    pynenc_app: Pynenc, read: HistoryReader
) -> None:
    invocation_id = registered(pynenc_app)
    move(pynenc_app, invocation_id, PENDING)

    with pytest.raises(StatusNotReached) as caught:
        read(invocation_id).wait_for("success", timeout_s=SHORT_S)

    assert caught.value.remedies == ()


def test_waiting_for_a_status_that_does_not_exist_is_refused(
    pynenc_app: Pynenc, read: HistoryReader
) -> None:
    history = read(registered(pynenc_app))

    with pytest.raises(PathError, match="did you mean 'success'"):
        history.wait_for("succes")


def test_the_children_are_the_histories_of_what_its_task_registered(
    pynenc_app: Pynenc, read: HistoryReader
) -> None:
    parent_id = registered(pynenc_app)
    children = [registered(pynenc_app, parent_invocation_id=parent_id) for _ in range(2)]

    assert [child.invocation_id for child in read(parent_id).children] == children
    assert read(children[0]).children == ()


def test_all_invocations_of_an_app_are_read_in_the_order_of_their_registration(
    pynenc_app: Pynenc,
) -> None:
    ids = [registered(pynenc_app) for _ in range(3)]
    move(pynenc_app, ids[1], PENDING)

    stored = read_histories(pynenc_app, TIMEOUT_S)

    assert [each.history.invocation_id for each in stored] == ids
    assert [each.history.statuses[-1] for each in stored] == ["registered", "pending", "registered"]
    statuses = [each.status_record.status for each in stored if each.status_record]
    assert statuses == ["registered", "pending", "registered"]


def test_reading_all_waits_for_records_too(
    pynenc_app: Pynenc, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [registered(pynenc_app) for _ in range(2)]
    write_record = set_status(pynenc_app, ids[1], PENDING)
    later = Later(monkeypatch, pynenc_app.state_backend, "get_history", 3)
    later.action = write_record

    stored = read_histories(pynenc_app, TIMEOUT_S)

    assert [len(each.history) for each in stored] == [1, 2]


def test_reading_all_waits_for_records_in_between(
    pynenc_app: Pynenc, monkeypatch: pytest.MonkeyPatch
) -> None:
    invocation_id = registered(pynenc_app)
    write_record = set_status(pynenc_app, invocation_id, PENDING)
    move(pynenc_app, invocation_id, RUNNING)
    later = Later(monkeypatch, pynenc_app.state_backend, "get_history", 2)
    later.action = write_record

    (stored,) = read_histories(pynenc_app, TIMEOUT_S)

    assert stored.history.statuses == ("registered", "pending", "running")


def test_an_invocation_without_any_record_is_read_as_such(pynenc_app: Pynenc) -> None:
    """Its status is there, so somebody was to write a record."""
    invocation = new_invocation(pynenc_app, tasks.add)
    pynenc_app.orchestrator._register_new_invocations([invocation])

    (stored,) = read_histories(pynenc_app, SHORT_S)

    assert not stored.is_settled
    assert (stored.history.statuses, stored.invocation) == ((), None)


def test_histories_of_invocations_that_the_orchestrator_has_forgotten_are_read(
    pynenc_app: Pynenc,
) -> None:
    invocation_id = registered(pynenc_app)
    pynenc_app.orchestrator.purge()

    (stored,) = read_histories(pynenc_app, TIMEOUT_S)

    assert (stored.history.invocation_id, stored.status_record) == (invocation_id, None)
