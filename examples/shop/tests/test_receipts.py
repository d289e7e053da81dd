"""A trigger: a task that runs because something happened."""

from __future__ import annotations

from pathlib import Path

import pytest
from pynenc import Pynenc
from pynenc.conf.config_pynenc import ConfigPynenc
from shop.orders import Order, ship_order
from shop.receipts import send_receipt
from waiting import wait_until

# By default a runner looks at triggers twice a minute. Here: about sixteen times a second.
LOOK_AT_TRIGGERS_OFTEN = {"atomic_service_check_interval_minutes": 0.001}
if "atomic_service_max_start_slot_fraction" in ConfigPynenc.config_fields():
    # Since pynenc 0.2.4 it does so only in the first half of every five minutes, unless told.
    LOOK_AT_TRIGGERS_OFTEN["atomic_service_max_start_slot_fraction"] = 1.0


@pytest.mark.pynenc(**LOOK_AT_TRIGGERS_OFTEN)
@pytest.mark.usefixtures("pynenc_runner")
def test_a_shipped_order_sends_its_receipt(pynenc_app: Pynenc, shop_folder: Path) -> None:
    text = "Dear Ada, your order order-1 is on its way."

    assert ship_order(Order("order-1", "Ada", "tea", 3, amount_cents=1350)).result

    def receipts() -> list[str]:
        return list(pynenc_app.orchestrator.get_task_invocation_ids(send_receipt.task_id))

    wait_until(receipts, "somebody to register send_receipt")
    (receipt,) = receipts()
    assert pynenc_app.state_backend.get_invocation(receipt).result == text
    assert (shop_folder / "receipts" / "order-1").read_text() == text
