"""The receipt, which nobody asks for: it is sent because an order was shipped."""

from __future__ import annotations

from typing import Any

from pynenc.trigger import TriggerBuilder
from pynenc.trigger.conditions import EventContext

from shop.app import app
from shop.folders import folder


def receipt_arguments(event: EventContext) -> dict[str, Any]:
    """Make the arguments of `send_receipt` from the event ``order_shipped``.

    A named function of a module, because pynenc stores its name and calls it in another process.
    """
    return dict(event.payload)


@app.task(
    triggers=TriggerBuilder().on_event("order_shipped").with_args_from_event(receipt_arguments)
)
def send_receipt(order_number: str, customer: str) -> str:
    """Put the receipt into the folder that the post is fetched from, and return its text."""
    text = f"Dear {customer}, your order {order_number} is on its way."
    (folder("receipts") / order_number).write_text(text)
    return text
