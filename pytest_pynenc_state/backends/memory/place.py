"""Places of backend ``memory``: all are the memory of the process that opens them."""

from __future__ import annotations

import os

from pytest_pynenc_state.backends.backend import Backend, Capability, Place, Space
from pytest_pynenc_state.backends.memory.state_backend import PytestMemStateBackend


def open_place(space: Space) -> Place:  # noqa: ARG001 - every backend's opener takes one
    """Open the memory of this process, which needs no configuration value.

    Two apps never share state here, whatever their ids: each has its own components.

    :returns: A place whose `close` makes `PytestMemStateBackend.discover_app_infos`
        forget the apps that were registered after this call.
    """
    known_app_ids = frozenset(PytestMemStateBackend.discover_app_infos())

    def close() -> None:
        PytestMemStateBackend.forget_app_infos(keeping=known_app_ids)

    return Place(
        values={},
        location=f"memory of process {os.getpid()}",
        close=close,
        outlives_run=False,
    )


BACKEND = Backend(
    name="memory",
    components={
        "state_backend_cls": "PytestMemStateBackend",
        "orchestrator_cls": "PytestMemOrchestrator",
        "broker_cls": "MemBroker",
        "trigger_cls": "MemTrigger",
        "client_data_store_cls": "MemClientDataStore",
    },
    modules=("pytest_pynenc_state.pynenc_plugin",),
    open_place=open_place,
    capabilities=frozenset({Capability.REAL_ENGINE}),
    summary="the memory of one process",
)
