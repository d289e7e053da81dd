"""Histories in plain text: the table, the line, the call."""

from __future__ import annotations

import json

import pytest

from pytest_pynenc_state.history.records import History
from pytest_pynenc_state.history.timeline import call, runner_names, timeline, trail
from tests.history.builders import context, history, record

#: Ids as pynenc makes them.
RUNNER_ID = "3f2a91c4-5b1e-4d0e-9a68-0c1f6a7be2d1"
CLIENT_ID = "ExternalRunner@host-1-4700"


def charge(*, order_unknown: tuple[int, ...] = (), other_host: str = "host-1") -> History:
    """Return the history of a charge by a runner that is not the client's process."""
    client = context(CLIENT_ID, "ExternalRunner", pid=4700)
    runner = context(RUNNER_ID, "ThreadRunner", pid=4711, hostname=other_host)
    return history(
        record("registered", 0.0, mover=CLIENT_ID, runner_context=client),
        record("pending", 0.0121, RUNNER_ID, runner_context=runner),
        record("running", 0.02, RUNNER_ID, runner_context=runner),
        record("success", 10.5, mover=RUNNER_ID, runner_context=runner),
        order_unknown=order_unknown,
    )


def retried(attempts: int) -> History:
    return history("registered", *["pending", "running", "retry"] * attempts)


def test_each_record_is_a_line_with_its_time_status_owner_and_process() -> None:
    assert timeline(charge()) == [
        "  1   +0.000 s  registered  nobody             pid 4700",
        "  2   +0.012 s  pending     ThreadRunner 3f2a  pid 4711",
        "  3   +0.020 s  running     ThreadRunner 3f2a  pid 4711",
        "  4  +10.500 s  success     nobody             pid 4711",
    ]


def test_the_mark_points_at_a_record() -> None:
    lines = timeline(charge(), mark=2)

    assert [line[0] for line in lines] == [" ", " ", ">", " "]


def test_the_mark_points_behind_the_last_record_too() -> None:
    lines = timeline(charge(), mark=4)

    assert lines == [*timeline(charge()), "> the history ends here"]


def test_a_record_whose_order_is_unknown_says_so() -> None:
    lines = timeline(charge(order_unknown=(1,)))

    assert [line.endswith("  (perhaps before the one above)") for line in lines] == [
        False,
        True,
        False,
        False,
    ]


def test_hosts_are_named_where_there_are_several() -> None:
    setters = [line.split("  ")[-1].strip() for line in timeline(charge(other_host="host-2"))]

    assert setters == ["pid 4700 on host-1", *["pid 4711 on host-2"] * 3]


def test_whoever_set_a_status_is_named_if_its_process_is_unknown() -> None:
    assert timeline(history("registered", ("pending", "runner-2"))) == [
        "  1  +0.000 s  registered  nobody    by client-1",
        "  2  +0.010 s  pending     runner-2  by runner-2",
    ]


def test_a_clock_that_is_behind_gives_a_negative_time() -> None:
    lines = timeline(history("registered", record("pending", -0.0031, "runner-1")))

    assert lines[1].split()[:3] == ["2", "-0.003", "s"]


def test_no_record_is_said_in_words() -> None:
    assert timeline(history()) == ["  no records"]
    assert timeline(history(), mark=0) == ["  no records"]
    assert trail(history()) == "no records"


def test_of_a_long_history_the_ends_and_what_surrounds_the_mark_are_shown() -> None:
    lines = timeline(retried(3333), mark=5000)

    numbers = [line.split()[0] for line in lines if "..." not in line and line[0] != ">"]
    around = [str(number) for number in range(4995, 5008) if number != 5001]
    assert numbers == ["1", "2", "3", *around, "9998", "9999", "10000"]
    assert lines[3] == "  ... 4,991 records left out ..."
    assert lines[10].startswith(">  5001  +50.000 s  running ")
    assert lines[17] == "  ... 4,990 records left out ..."


@pytest.mark.parametrize("mark", [None, 0, 2, 9997, 9999, 10000])
def test_of_a_long_history_no_record_is_lost_from_the_count(mark: int | None) -> None:
    lines = timeline(retried(3333), mark)

    shown = [line for line in lines if " s  " in line]
    left_out = [int(line.split()[1].replace(",", "")) for line in lines if "left out" in line]
    assert len(shown) + sum(left_out) == 10_000
    assert len(lines) <= 25


def test_a_history_that_fits_on_a_screen_is_shown_whole() -> None:
    assert len(timeline(retried(9), mark=14)) == 28


def test_the_trail_is_one_line_that_names_an_owner_where_it_takes_over() -> None:
    assert trail(charge(order_unknown=(2,))) == (
        "registered > pending +0.012 ThreadRunner 3f2a > ?running +0.020 > success +10.500"
    )


def test_the_trail_names_who_registered_if_the_record_does() -> None:
    assert trail(history(record("registered", owner="client-1"))) == "registered client-1"


def test_the_trail_of_a_long_history_leaves_out_its_middle() -> None:
    told = trail(retried(3333))

    assert told.startswith("registered > pending +0.010 runner-1 > running +0.020 > retry +0.030")
    assert " > (9,984 records left out) > " in told
    assert told.endswith(" > running +99.980 > retry +99.990")


@pytest.mark.parametrize(
    ("runner_id", "runner_cls", "name"),
    [
        (RUNNER_ID, "ThreadRunner", "ThreadRunner 3f2a"),
        (RUNNER_ID, None, "runner 3f2a"),
        (f"ThreadRunner-{RUNNER_ID}", "ThreadRunner", "ThreadRunner 3f2a"),
        (f"ThreadRunner-{RUNNER_ID}", None, "ThreadRunner 3f2a"),
        (CLIENT_ID, "ExternalRunner", "ExternalRunner host-1-4700"),
        ("runner-1", "ThreadRunner", "ThreadRunner runner-1"),
        ("ThreadRunner", "ThreadRunner", "ThreadRunner ThreadRunner"),
        ("an-id-that-somebody-made-long-1", None, "...body-made-long-1"),
    ],
)
def test_a_runner_is_named_by_its_class_and_a_part_of_its_id(
    runner_id: str, runner_cls: str | None, name: str
) -> None:
    known = runner_cls and context(runner_id, runner_cls)

    names = runner_names(history(record("registered", mover=runner_id, runner_context=known)))

    assert names == {runner_id: name}


def test_an_owner_is_named_as_known_from_any_record_of_it() -> None:
    known = context(RUNNER_ID, "ThreadRunner")
    shown = history(
        record("registered"),
        record("pending", 0.01, RUNNER_ID, runner_context=known),
        record("running", 0.02, RUNNER_ID),
    )

    assert runner_names(shown) == {"client-1": "client-1", RUNNER_ID: "ThreadRunner 3f2a"}


def test_a_call_is_written_as_in_python() -> None:
    arguments = {"order_number": '"order-1"', "amount_cents": "1350", "tags": '["a", null]'}

    assert call(history("registered", arguments=arguments)) == (
        "shop.payments.charge(order_number='order-1', amount_cents=1350, tags=['a', None])"
    )


def test_long_arguments_are_shortened() -> None:
    arguments = {"note": json.dumps("x" * 1000), "items": json.dumps(list(range(1000)))}

    told = call(history("registered", arguments=arguments))

    assert told == (
        "shop.payments.charge(note='xxxxxxxxxxxxxxxxx...xxxxxxxxxxxxxxxxxx', "
        "items=[0, 1, 2, 3, 4, 5, ...])"
    )


def test_a_call_of_many_arguments_is_cut() -> None:
    arguments = {f"argument_{number}": "1" for number in range(100)}

    told = call(history("registered", arguments=arguments))

    assert len(told) == 160
    assert told.endswith("...)")


def test_arguments_of_another_serializer_are_shown_as_they_are_stored() -> None:
    assert call(history("registered", arguments={"order": "gASVCgAA"})) == (
        "shop.payments.charge(order='gASVCgAA')"
    )


def test_without_a_task_the_call_is_its_invocation() -> None:
    assert call(history("registered", task="")) == "invocation charge-1"
