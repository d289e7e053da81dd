"""Plain tasks: a call, a runner, a result."""

from __future__ import annotations

import pytest
from shop.catalogue import UnknownArticle
from shop.orders import Order, place_order

from pytest_pynenc_state import HistoryReader, path

pytestmark = pytest.mark.usefixtures("pynenc_runner")


def test_an_order_is_numbered_and_priced() -> None:
    order = place_order("Ada", "tea", 3).result

    assert order == Order(order.number, "Ada", "tea", 3, amount_cents=1350)
    assert order.number


def test_every_order_gets_a_number_of_its_own() -> None:
    orders = place_order.parallelize([("Ada", "tea", 1)] * 5).results

    assert len({order.number for order in orders}) == 5


def test_an_order_is_registered_then_claimed_then_run(pynenc_history: HistoryReader) -> None:
    history = pynenc_history(place_order("Ada", "tea", 3)).wait_for("success")

    assert history == path("registered", "pending", "running", "success")


def test_an_unknown_article_fails_the_order_with_the_shops_own_exception(
    pynenc_history: HistoryReader,
) -> None:
    invocation = place_order("Ada", "sugar", 1)

    with pytest.raises(UnknownArticle, match="'sugar' is not sold here"):
        _ = invocation.result
    assert pynenc_history(invocation) == path("registered", ..., "failed")
