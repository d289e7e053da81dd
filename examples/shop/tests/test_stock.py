"""Concurrency control: one reservation of an article at a time."""

from __future__ import annotations

from itertools import pairwise

import pytest
from waiting import result_of, statuses_of

from shop.stock import OutOfStock, in_stock, put_in_stock, reserve_stock

pytestmark = pytest.mark.usefixtures("pynenc_runner")


def test_reserving_leaves_fewer_pieces():
    put_in_stock("tea", 10)

    assert result_of(reserve_stock("tea", 4)) == 6
    assert in_stock("tea") == 6


def test_more_than_is_there_cannot_be_reserved():
    put_in_stock("tea", 3)

    with pytest.raises(OutOfStock) as refused:
        result_of(reserve_stock("tea", 4))
    assert refused.value.args == ("tea", 4, 3)
    assert in_stock("tea") == 3


def test_every_one_of_many_reservations_is_counted():
    put_in_stock("tea", 8)
    put_in_stock("cup", 8)

    invocations = [reserve_stock(article, 1) for _ in range(8) for article in ("tea", "cup")]
    left = [result_of(invocation) for invocation in invocations]

    assert sorted(left) == sorted([*range(8), *range(8)])
    assert (in_stock("tea"), in_stock("cup")) == (0, 0)


def test_two_reservations_of_one_article_never_run_at_once(pynenc_app):
    put_in_stock("tea", 6)
    invocations = [reserve_stock("tea", 1) for _ in range(6)]

    runs = sorted(_began_and_ended(pynenc_app, invocation) for invocation in invocations)

    assert all(ended <= next_began for (_, ended), (next_began, _) in pairwise(runs))


def _began_and_ended(app, invocation):
    """Return when *invocation* began to run and when it succeeded, by its history."""
    assert statuses_of(app, invocation)[-1] == "success"
    history = app.state_backend.get_history(invocation.invocation_id)
    began_at = {line.status_record.status: line.status_record.timestamp for line in history}
    return began_at["running"], began_at["success"]
