"""The same shop, its tasks run by other processes of the operating system."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from shop.gateway import BUSY_CARD, DECLINED_CARD, GOOD_CARD, PaymentDeclined, attempts
from shop.orders import fulfil_order, place_order
from shop.payments import charge
from shop.stock import in_stock, put_in_stock

from pytest_pynenc_state import HistoryReader, one_of, path, repeat

pytestmark = [
    # Other processes do not see the memory of this one: the store has to be a shared one.
    pytest.mark.pynenc_requires("shared"),
    # pynenc's process runner has a slot for each processor, and a task that waits for its
    # sub-tasks keeps its slot. With a single one, the sub-tasks would never run.
    pytest.mark.pynenc(min_parallel_slots=2),
]

run_by_processes = pytest.mark.parametrize("pynenc_runner", ["process"], indirect=True)


@run_by_processes
@pytest.mark.usefixtures("pynenc_runner")
def test_an_order_is_placed_paid_and_shipped_by_other_processes() -> None:
    put_in_stock("tea", 10)

    order = place_order("Ada", "tea", 3).result
    assert fulfil_order(order, GOOD_CARD).result == f"parcel-{order.number}"

    assert in_stock("tea") == 7
    assert [attempt.process_id != os.getpid() for attempt in attempts(order.number)] == [True]


@run_by_processes
@pytest.mark.usefixtures("pynenc_runner")
def test_a_declined_payment_keeps_its_type_and_arguments_across_processes() -> None:
    put_in_stock("tea", 10)
    order = place_order("Ada", "tea", 3).result

    with pytest.raises(PaymentDeclined) as declined:
        _ = fulfil_order(order, DECLINED_CARD).result
    assert declined.value.args == (DECLINED_CARD, 1350)
    assert in_stock("tea") == 10


@run_by_processes
@pytest.mark.usefixtures("pynenc_runner")
def test_each_retry_is_made_by_a_process_of_its_own(
    pynenc_history: HistoryReader,
) -> None:
    invocation = charge("order-1", 1350, BUSY_CARD)

    assert invocation.result == "payment-order-1"
    assert len({attempt.process_id for attempt in attempts("order-1")}) == 3
    attempt = path("pending", "running", one_of("retry", "success"))
    assert pynenc_history(invocation) == path("registered", repeat(attempt, min=3, max=3))


@pytest.mark.parametrize("pynenc_runner", ["multi-thread", "persistent-process"], indirect=True)
@pytest.mark.usefixtures("pynenc_runner")
def test_the_other_runners_of_pynenc_fulfil_an_order_too() -> None:
    put_in_stock("tea", 10)

    order = place_order("Ada", "tea", 3).result
    assert fulfil_order(order, GOOD_CARD).result == f"parcel-{order.number}"

    # One attempt, as a rule. Of two workers that find the same reservation, pynenc may lose one,
    # and has the other do again what that was doing.
    assert os.getpid() not in {attempt.process_id for attempt in attempts(order.number)}


@pytest.mark.pynenc(runner_cls="ThreadRunner")
def test_a_runner_started_from_the_command_line_works_on_the_store_of_the_test(
    pynenc_history: HistoryReader,
) -> None:
    invocation = charge("order-1", 1350, GOOD_CARD)

    with runner_from_the_command_line() as runner:
        pynenc_history(invocation).wait_for("success")
        assert invocation.result == "payment-order-1"
        assert [attempt.process_id for attempt in attempts("order-1")] == [runner.pid]


@contextmanager
def runner_from_the_command_line() -> Iterator[subprocess.Popen[bytes]]:
    """Start a runner as on a server. The environment tells it where the store of the test is."""
    command = [sys.executable, "-m", "pynenc", "--app", "shop.app", "runner", "start"]
    runner = subprocess.Popen(command, cwd=Path(__file__).parents[1])  # noqa: S603 - our own
    try:
        yield runner
    finally:
        runner.terminate()
        try:
            runner.wait(timeout=20)
        except subprocess.TimeoutExpired:
            runner.kill()
            raise
