"""From the order to the parcel."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from shop.app import app, workflow
from shop.catalogue import price_of
from shop.gateway import PaymentDeclined
from shop.payments import charge
from shop.stock import reserve_stock


@dataclass(frozen=True)
class Order:
    """What a customer wants, and what it costs."""

    number: str
    customer: str
    article: str
    pieces: int
    amount_cents: int


@app.task
def place_order(customer: str, article: str, pieces: int) -> Order:
    """Number the order and work out its price."""
    return Order(
        number=uuid.uuid4().hex[:8],
        customer=customer,
        article=article,
        pieces=pieces,
        amount_cents=pieces * price_of(article),
    )


@app.task
def ship_order(order: Order) -> str:
    """Send the parcel, tell everybody who listens, and return the number of the parcel."""
    app.trigger.emit_event(
        "order_shipped", {"order_number": order.number, "customer": order.customer}
    )
    return f"parcel-{order.number}"


@workflow
def fulfil_order(order: Order, card: str) -> str:
    """Reserve, charge and ship, each as a task of its own; return the number of the parcel."""
    left = reserve_stock(order.article, order.pieces).result
    fulfil_order.wf.set_data("left_in_stock", left)
    try:
        payment = charge(order.number, order.amount_cents, card).result
    except PaymentDeclined:
        left = reserve_stock(order.article, -order.pieces).result
        fulfil_order.wf.set_data("left_in_stock", left)
        raise
    fulfil_order.wf.set_data("payment", payment)
    parcel: str = ship_order(order).result
    return parcel
