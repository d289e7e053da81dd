"""A workflow: one task that calls others and waits for them."""

from __future__ import annotations

import pytest
from waiting import result_of

from shop.gateway import BUSY_CARD, DECLINED_CARD, GOOD_CARD, PaymentDeclined
from shop.orders import Order, fulfil_order
from shop.stock import OutOfStock, in_stock, put_in_stock

pytestmark = pytest.mark.usefixtures("pynenc_runner")

THREE_TEAS = Order("order-1", "Ada", "tea", 3, amount_cents=1350)


@pytest.mark.parametrize("card", [GOOD_CARD, BUSY_CARD])
def test_a_paid_order_is_shipped_and_leaves_the_stock(card):
    put_in_stock("tea", 10)

    assert result_of(fulfil_order(THREE_TEAS, card)) == "parcel-order-1"
    assert in_stock("tea") == 7


def test_a_declined_payment_puts_the_articles_back_and_reaches_the_caller():
    put_in_stock("tea", 10)

    with pytest.raises(PaymentDeclined) as declined:
        result_of(fulfil_order(THREE_TEAS, DECLINED_CARD))
    assert declined.value.args == (DECLINED_CARD, 1350)
    assert in_stock("tea") == 10


def test_nothing_is_charged_when_the_stock_is_too_small(shop_folder):
    put_in_stock("tea", 2)

    with pytest.raises(OutOfStock):
        result_of(fulfil_order(THREE_TEAS, GOOD_CARD))
    assert not (shop_folder / "gateway").exists()


def test_the_store_knows_the_workflow_its_tasks_and_its_notes(pynenc_app):
    put_in_stock("tea", 10)
    invocation = fulfil_order(THREE_TEAS, GOOD_CARD)
    result_of(invocation)
    store = pynenc_app.state_backend

    assert list(store.get_workflow_runs(fulfil_order.task_id)) == [invocation.workflow]
    assert store.get_workflow_data(invocation.workflow, "payment") == "payment-order-1"
    assert store.get_workflow_data(invocation.workflow, "left_in_stock") == 7
    children = [
        store.get_invocation(child_id).task.task_id.func_name
        for child_id in store.get_child_invocations(invocation.invocation_id)
    ]
    assert sorted(children) == ["charge", "reserve_stock", "ship_order"]
