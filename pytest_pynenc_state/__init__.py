"""Real, isolated, cross-process state backends for tests of pynenc applications.

The public names below are imported on first use, so that a pytest session which does
not use the plugin does not pay for it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_pynenc_state.backends.backend import Backend, Capability, Place, Space
    from pytest_pynenc_state.processes.runner import RunnerControl

__version__ = "0.1.0"

__all__ = ["Backend", "Capability", "Place", "RunnerControl", "Space", "__version__"]

_HOMES = {
    "Backend": "pytest_pynenc_state.backends.backend",
    "Capability": "pytest_pynenc_state.backends.backend",
    "Place": "pytest_pynenc_state.backends.backend",
    "RunnerControl": "pytest_pynenc_state.processes.runner",
    "Space": "pytest_pynenc_state.backends.backend",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(importlib.import_module(_HOMES[name]), name)
