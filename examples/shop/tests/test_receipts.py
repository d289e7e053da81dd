"""A trigger: a task that runs because something happened."""

from __future__ import annotations

import pytest
from waiting import result_of, wait_until

from shop.orders import Order, ship_order
from shop.receipts import send_receipt

# A runner looks for triggers twice a minute, and only in the first half of its turn, which may be
# minutes away. For a test: sixteen times a second, and at any time.
LOOK_FOR_TRIGGERS_AT_ONCE = {
    "atomic_service_check_interval_minutes": 0.001,
    "atomic_service_max_start_slot_fraction": 1.0,
}


@pytest.mark.pynenc(**LOOK_FOR_TRIGGERS_AT_ONCE)
def test_a_shipped_order_sends_one_receipt(pynenc_app, pynenc_runner, shop_folder):
    result_of(ship_order(Order("order-1", "Ada", "tea", 3, amount_cents=1350)))

    def receipts():
        return list(pynenc_app.orchestrator.get_task_invocation_ids(send_receipt.task_id))

    wait_until(lambda: len(receipts()) > 0, "a receipt to be sent")
    (receipt,) = receipts()
    text = "Dear Ada, your order order-1 is on its way."
    assert result_of(pynenc_app.state_backend.get_invocation(receipt)) == text
    assert (shop_folder / "receipts" / "order-1").read_text() == text
