"""The payment gateway, as the bank's sandbox plays it: the card decides what happens.

A real shop would call the bank over the network. The sandbox remembers every attempt in a file, so
that it counts across processes.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from shop.folders import folder

GOOD_CARD = "4000-0000"
DECLINED_CARD = "4000-0002"
BUSY_CARD = "4000-0119"
ALWAYS_BUSY_CARD = "4000-0999"

_BUSY_ATTEMPTS = {BUSY_CARD: 2, ALWAYS_BUSY_CARD: 1000}


class GatewayBusy(Exception):
    """The gateway cannot answer now; ask again."""


class PaymentDeclined(Exception):
    """The bank refuses the payment; asking again does not help."""

    def __init__(self, card: str, amount_cents: int) -> None:
        super().__init__(card, amount_cents)
        self.card = card
        self.amount_cents = amount_cents

    def __str__(self) -> str:
        return f"card {self.card} was declined for {self.amount_cents / 100:.2f}"


class Attempt(NamedTuple):
    """One request that reached the gateway."""

    process_id: int
    amount_cents: int


def request_payment(order_number: str, amount_cents: int, card: str) -> str:
    """Charge *card* and return the number of the payment."""
    with (folder("gateway") / order_number).open("a") as journal:
        journal.write(f"{os.getpid()} {amount_cents}\n")
    if len(attempts(order_number)) <= _BUSY_ATTEMPTS.get(card, 0):
        raise GatewayBusy(order_number)
    if card == DECLINED_CARD:
        raise PaymentDeclined(card, amount_cents)
    return f"payment-{order_number}"


def attempts(order_number: str) -> list[Attempt]:
    """Return every request for *order_number*, oldest first."""
    lines = (folder("gateway") / order_number).read_text().splitlines()
    return [Attempt(*map(int, line.split())) for line in lines]
