"""Paying for an order."""

from __future__ import annotations

from shop.app import app
from shop.gateway import GatewayBusy, request_payment


@app.task(retry_for=(GatewayBusy,), max_retries=3)
def charge(order_number: str, amount_cents: int, card: str) -> str:
    """Charge *card* and return the number of the payment.

    A busy gateway is asked again by pynenc, three times at most. A declined payment is not in
    ``retry_for``: it fails the task at once, and whoever waits for the result gets the exception.
    """
    return request_payment(order_number, amount_cents, card)
