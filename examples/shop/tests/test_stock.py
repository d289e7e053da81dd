"""Concurrency control: one reservation of an article at a time."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import pytest
from shop.stock import OutOfStock, in_stock, put_in_stock, reserve_stock

from pytest_pynenc_state import History, HistoryReader, RunnerControl


@pytest.mark.usefixtures("pynenc_runner")
def test_reserving_leaves_fewer_pieces() -> None:
    put_in_stock("tea", 10)

    assert reserve_stock("tea", 4).result == 6
    assert in_stock("tea") == 6


@pytest.mark.usefixtures("pynenc_runner")
def test_more_than_is_there_cannot_be_reserved() -> None:
    put_in_stock("tea", 3)

    with pytest.raises(OutOfStock) as refused:
        _ = reserve_stock("tea", 4).result
    assert refused.value.args == ("tea", 4, 3)
    assert in_stock("tea") == 3


def test_two_reservations_of_one_article_never_run_at_once(
    pynenc_history: HistoryReader, pynenc_runner: RunnerControl
) -> None:
    pynenc_runner.stop()
    put_in_stock("tea", 6)
    put_in_stock("cup", 6)
    teas = [reserve_stock("tea", 1) for _ in range(6)]
    cups = [reserve_stock("cup", 1) for _ in range(6)]

    # Only now, so that the runner finds all of them waiting and has every chance to go wrong.
    pynenc_runner.start()

    for reservations in (teas, cups):
        assert sorted(reservation.result for reservation in reservations) == [0, 1, 2, 3, 4, 5]
        runs = sorted(_running_time(pynenc_history(each)) for each in reservations)
        assert all(ended <= next_began for (_, ended), (next_began, _) in pairwise(runs))


def _running_time(history: History) -> tuple[datetime, datetime]:
    """Return when an invocation began to run, and when it succeeded."""
    times = {record.status: record.at for record in history}
    return times["running"], times["success"]
