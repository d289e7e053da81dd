"""The same shop, its tasks run by other processes of the operating system."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from waiting import result_of, statuses_of, wait_until

from shop.gateway import BUSY_CARD, DECLINED_CARD, GOOD_CARD, PaymentDeclined, attempts
from shop.orders import fulfil_order, place_order
from shop.payments import charge
from shop.stock import in_stock, put_in_stock

if TYPE_CHECKING:
    from collections.abc import Iterator

# Other processes do not see the memory of this one, so the backend has to be a shared one.
pytestmark = pytest.mark.pynenc_requires("shared")

in_a_process_per_task = pytest.mark.parametrize("pynenc_runner", ["process"], indirect=True)
in_any_other_processes = pytest.mark.parametrize(
    "pynenc_runner", ["multi-thread", "persistent-process"], indirect=True
)


@in_a_process_per_task
@pytest.mark.usefixtures("pynenc_runner")
def test_an_order_is_placed_paid_and_shipped_by_other_processes():
    put_in_stock("tea", 10)

    order = result_of(place_order("Ada", "tea", 3))
    parcel = result_of(fulfil_order(order, GOOD_CARD))

    assert parcel == f"parcel-{order.number}"
    assert in_stock("tea") == 7
    (attempt,) = attempts(order.number)
    assert attempt.process_id != os.getpid()


@in_a_process_per_task
@pytest.mark.usefixtures("pynenc_runner")
def test_a_declined_payment_keeps_its_type_and_arguments_across_processes():
    put_in_stock("tea", 10)
    order = result_of(place_order("Ada", "tea", 3))

    with pytest.raises(PaymentDeclined) as declined:
        result_of(fulfil_order(order, DECLINED_CARD))
    assert declined.value.args == (DECLINED_CARD, 1350)
    assert in_stock("tea") == 10


@in_a_process_per_task
@pytest.mark.usefixtures("pynenc_runner")
def test_each_retry_is_made_by_a_process_of_its_own(pynenc_app):
    invocation = charge("order-1", 1350, BUSY_CARD)

    assert result_of(invocation) == "payment-order-1"
    assert len({attempt.process_id for attempt in attempts("order-1")}) == 3
    assert statuses_of(pynenc_app, invocation).count("retry") == 2


@in_any_other_processes
@pytest.mark.usefixtures("pynenc_runner")
def test_every_runner_of_pynenc_fulfils_an_order():
    put_in_stock("tea", 10)

    order = result_of(place_order("Ada", "tea", 3))

    assert result_of(fulfil_order(order, GOOD_CARD)) == f"parcel-{order.number}"
    assert attempts(order.number)[0].process_id != os.getpid()


@pytest.mark.usefixtures("pynenc_app")
def test_a_runner_started_from_the_command_line_works_on_the_same_store():
    put_in_stock("tea", 10)
    invocation = charge("order-1", 1350, GOOD_CARD)

    with _pynenc_runner_start() as runner:
        assert result_of(invocation) == "payment-order-1"
        assert attempts("order-1")[0].process_id == runner.pid


@contextmanager
def _pynenc_runner_start() -> Iterator[subprocess.Popen[bytes]]:
    """Start a runner as on a server; it finds the store of this test in the environment."""
    runner = subprocess.Popen(
        [sys.executable, "-m", "pynenc", "--app", "shop.app", "runner", "start"],
        cwd=Path(__file__).parents[1],
    )
    try:
        yield runner
        runner.terminate()
        wait_until(lambda: runner.poll() is not None, "the runner to end after SIGTERM")
    finally:
        runner.kill()
        runner.wait()
