"""Retries, and an exception with arguments."""

from __future__ import annotations

import pytest
from shop.gateway import (
    ALWAYS_BUSY_CARD,
    BUSY_CARD,
    DECLINED_CARD,
    GOOD_CARD,
    GatewayBusy,
    PaymentDeclined,
    attempts,
)
from shop.payments import charge

from pytest_pynenc_state import HistoryReader, path, repeat

pytestmark = pytest.mark.usefixtures("pynenc_runner")


def test_a_good_card_is_charged_once() -> None:
    assert charge("order-1", 1350, GOOD_CARD).result == "payment-order-1"
    assert [attempt.amount_cents for attempt in attempts("order-1")] == [1350]


def test_a_busy_gateway_is_asked_again_until_it_answers(
    pynenc_history: HistoryReader,
) -> None:
    invocation = charge("order-1", 1350, BUSY_CARD)

    assert invocation.result == "payment-order-1"
    assert len(attempts("order-1")) == 3
    assert invocation.num_retries == 2
    attempt = path("pending", "running")
    assert pynenc_history(invocation) == path(
        "registered", repeat(path(attempt, "retry"), min=2, max=2), attempt, "success"
    )


def test_a_gateway_that_stays_busy_fails_the_payment_after_3_retries(
    pynenc_history: HistoryReader,
) -> None:
    invocation = charge("order-1", 1350, ALWAYS_BUSY_CARD)

    with pytest.raises(GatewayBusy, match="order-1"):
        _ = invocation.result
    assert len(attempts("order-1")) == 4
    assert pynenc_history(invocation).statuses.count("retry") == 3


def test_a_declined_payment_is_not_tried_again() -> None:
    invocation = charge("order-1", 1350, DECLINED_CARD)

    with pytest.raises(PaymentDeclined, match=r"declined for 13\.50") as declined:
        _ = invocation.result
    assert declined.value.args == (DECLINED_CARD, 1350)
    assert len(attempts("order-1")) == 1
