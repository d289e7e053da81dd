"""Real, isolated, cross-process state backends for tests of pynenc applications.

The public names below are imported on first use, so that a pytest session which does
not use the plugin does not pay for it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_pynenc_state.backends.backend import Backend, Capability, Place, Space
    from pytest_pynenc_state.conformance.exclusions import KnownBug
    from pytest_pynenc_state.conformance.suite import AppInstanceConformance, StateConformance
    from pytest_pynenc_state.history.checking import check_histories
    from pytest_pynenc_state.history.linearizability import (
        Linearizability,
        NotLinearizable,
        assert_linearizable,
        check_linearizable,
    )
    from pytest_pynenc_state.history.models import MODELS
    from pytest_pynenc_state.history.operations import Operation
    from pytest_pynenc_state.history.path import one_of, path, repeat, step
    from pytest_pynenc_state.history.reading import HistoryReader
    from pytest_pynenc_state.history.records import History
    from pytest_pynenc_state.processes.child import Child, Children
    from pytest_pynenc_state.processes.crash import Crash
    from pytest_pynenc_state.processes.crash_control import CrashControl
    from pytest_pynenc_state.processes.crash_files import Hit
    from pytest_pynenc_state.processes.race import Outcome, Race
    from pytest_pynenc_state.processes.racing import Races
    from pytest_pynenc_state.processes.recorder import Recorder
    from pytest_pynenc_state.processes.runner import RunnerControl

#: The version of this package.
__version__ = "0.1.0"

__all__ = [
    "MODELS",
    "AppInstanceConformance",
    "Backend",
    "Capability",
    "Child",
    "Children",
    "Crash",
    "CrashControl",
    "History",
    "HistoryReader",
    "Hit",
    "KnownBug",
    "Linearizability",
    "NotLinearizable",
    "Operation",
    "Outcome",
    "Place",
    "Race",
    "Races",
    "Recorder",
    "RunnerControl",
    "Space",
    "StateConformance",
    "__version__",
    "assert_linearizable",
    "check_histories",
    "check_linearizable",
    "one_of",
    "path",
    "repeat",
    "step",
]

_HOMES = {
    "MODELS": "pytest_pynenc_state.history.models",
    "AppInstanceConformance": "pytest_pynenc_state.conformance.suite",
    "Backend": "pytest_pynenc_state.backends.backend",
    "Capability": "pytest_pynenc_state.backends.backend",
    "Child": "pytest_pynenc_state.processes.child",
    "Children": "pytest_pynenc_state.processes.child",
    "Crash": "pytest_pynenc_state.processes.crash",
    "CrashControl": "pytest_pynenc_state.processes.crash_control",
    "History": "pytest_pynenc_state.history.records",
    "HistoryReader": "pytest_pynenc_state.history.reading",
    "Hit": "pytest_pynenc_state.processes.crash_files",
    "KnownBug": "pytest_pynenc_state.conformance.exclusions",
    "Linearizability": "pytest_pynenc_state.history.linearizability",
    "NotLinearizable": "pytest_pynenc_state.history.linearizability",
    "Operation": "pytest_pynenc_state.history.operations",
    "Outcome": "pytest_pynenc_state.processes.race",
    "Place": "pytest_pynenc_state.backends.backend",
    "Race": "pytest_pynenc_state.processes.race",
    "Races": "pytest_pynenc_state.processes.racing",
    "Recorder": "pytest_pynenc_state.processes.recorder",
    "RunnerControl": "pytest_pynenc_state.processes.runner",
    "Space": "pytest_pynenc_state.backends.backend",
    "StateConformance": "pytest_pynenc_state.conformance.suite",
    "assert_linearizable": "pytest_pynenc_state.history.linearizability",
    "check_histories": "pytest_pynenc_state.history.checking",
    "check_linearizable": "pytest_pynenc_state.history.linearizability",
    "one_of": "pytest_pynenc_state.history.path",
    "path": "pytest_pynenc_state.history.path",
    "repeat": "pytest_pynenc_state.history.path",
    "step": "pytest_pynenc_state.history.path",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(importlib.import_module(_HOMES[name]), name)
