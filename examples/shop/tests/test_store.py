"""What `pynenc_app` is: the shop's own application, on an empty store, for one test."""

from __future__ import annotations

import shop.app
from pynenc import Pynenc
from pynenc.invocation import InvocationStatus
from shop.orders import place_order


def test_the_application_under_test_is_the_one_the_shop_imports(pynenc_app: Pynenc) -> None:
    assert pynenc_app is shop.app.app


def test_without_a_runner_a_task_is_registered_and_nothing_more(pynenc_app: Pynenc) -> None:
    invocation = place_order("Ada", "tea", 3)

    assert invocation.status is InvocationStatus.REGISTERED
    assert pynenc_app.broker.count_invocations() == 1


def test_nothing_is_left_over_from_another_test(pynenc_app: Pynenc) -> None:
    assert pynenc_app.orchestrator.count_invocations() == 0
    assert pynenc_app.broker.count_invocations() == 0
