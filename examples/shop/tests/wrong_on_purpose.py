"""A test that is wrong, to see what a failure says: ``pytest tests/wrong_on_purpose.py``.

Whoever wrote it believed that a busy gateway is asked only twice.
"""

from __future__ import annotations

import pytest
from shop.gateway import BUSY_CARD
from shop.payments import charge

from pytest_pynenc_state import HistoryReader, path, repeat


@pytest.mark.usefixtures("pynenc_runner")
def test_a_busy_gateway_is_asked_twice(pynenc_history: HistoryReader) -> None:
    invocation = charge("order-1", 1350, BUSY_CARD)

    assert invocation.result == "payment-order-1"
    assert pynenc_history(invocation) == path(
        "registered",
        repeat(path("pending", "running", "retry"), max=1),
        "pending",
        "running",
        "success",
    )
