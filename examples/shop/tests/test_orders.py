"""Plain tasks: a call, a runner, a result."""

from __future__ import annotations

import pytest
from waiting import result_of, statuses_of

from shop.catalogue import UnknownArticle
from shop.orders import Order, place_order

pytestmark = pytest.mark.usefixtures("pynenc_runner")


def test_an_order_is_numbered_and_priced():
    order = result_of(place_order("Ada", "tea", 3))

    assert order == Order(order.number, "Ada", "tea", 3, amount_cents=1350)
    assert order.number


def test_every_order_gets_a_number_of_its_own():
    invocations = [place_order("Ada", "tea", 1) for _ in range(5)]

    assert len({result_of(invocation).number for invocation in invocations}) == 5


def test_an_order_is_registered_then_claimed_then_run(pynenc_app):
    invocation = place_order("Ada", "tea", 3)

    assert statuses_of(pynenc_app, invocation) == ["registered", "pending", "running", "success"]


def test_an_unknown_article_fails_the_order_with_the_shops_own_exception(pynenc_app):
    invocation = place_order("Ada", "sugar", 1)

    with pytest.raises(UnknownArticle, match="'sugar' is not sold here"):
        result_of(invocation)
    assert statuses_of(pynenc_app, invocation)[-1] == "failed"
