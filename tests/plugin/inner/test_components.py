"""Which component classes and which place a test really got."""

# ruff: noqa: ANN001, ANN201
# Written as the author of an application would, without annotations.

from __future__ import annotations

import office
import pytest

COMPONENTS = ("state_backend", "orchestrator", "broker", "trigger", "client_data_store")


@pytest.mark.pynenc(app=office.app)
def test_a_thread_runs_a_task(pynenc_app, pynenc_runner, pynenc_backend):
    """Return what the declared components are, by really using them."""
    used = {f"{name}_cls": type(getattr(pynenc_app, name)).__name__ for name in COMPONENTS}
    assert used == dict(pynenc_backend.components)

    invocation = office.add(1, 2)
    assert invocation.result == 3
    assert pynenc_runner.kind == "thread"
    stored = pynenc_app.state_backend.get_invocation(invocation.invocation_id)
    assert stored.invocation_id == invocation.invocation_id
