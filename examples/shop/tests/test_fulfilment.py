"""A workflow: one task that calls others and waits for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from pynenc import Pynenc
from shop.gateway import BUSY_CARD, DECLINED_CARD, GOOD_CARD, PaymentDeclined
from shop.orders import Order, fulfil_order
from shop.stock import OutOfStock, in_stock, put_in_stock

pytestmark = pytest.mark.usefixtures("pynenc_runner")

THREE_TEAS = Order("order-1", "Ada", "tea", 3, amount_cents=1350)


@pytest.mark.parametrize("card", [GOOD_CARD, BUSY_CARD])
def test_a_paid_order_is_shipped_and_leaves_the_stock(card: str) -> None:
    put_in_stock("tea", 10)

    assert fulfil_order(THREE_TEAS, card).result == "parcel-order-1"
    assert in_stock("tea") == 7


def test_a_declined_payment_puts_the_articles_back_and_reaches_the_caller() -> None:
    put_in_stock("tea", 10)

    with pytest.raises(PaymentDeclined) as declined:
        _ = fulfil_order(THREE_TEAS, DECLINED_CARD).result
    assert declined.value.args == (DECLINED_CARD, 1350)
    assert in_stock("tea") == 10


def test_nothing_is_charged_when_the_stock_is_too_small(shop_folder: Path) -> None:
    put_in_stock("tea", 2)

    with pytest.raises(OutOfStock):
        _ = fulfil_order(THREE_TEAS, GOOD_CARD).result
    assert not (shop_folder / "gateway").exists()


def test_the_store_knows_the_workflow_its_notes_and_its_tasks(pynenc_app: Pynenc) -> None:
    put_in_stock("tea", 10)
    invocation = fulfil_order(THREE_TEAS, GOOD_CARD)
    assert invocation.result == "parcel-order-1"
    store = pynenc_app.state_backend

    assert list(store.get_workflow_runs(fulfil_order.task_id)) == [invocation.workflow]
    assert store.get_workflow_data(invocation.workflow, "left_in_stock") == 7
    assert store.get_workflow_data(invocation.workflow, "payment") == "payment-order-1"
    children = store.get_child_invocations(invocation.invocation_id)
    names = [store.get_invocation(child).task.task_id.func_name for child in children]
    assert sorted(names) == ["charge", "reserve_stock", "ship_order"]
