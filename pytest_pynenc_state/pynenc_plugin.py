"""Make our component classes known by name, wherever pynenc builds an app.

pynenc imports this module in every process, through the entry-point group
``pynenc.plugins``, and finds component classes by name among all subclasses. A backend
that is not installed as a pynenc plugin itself names its modules in
``PYTEST_PYNENC_MODULES`` (comma-separated), which a place sets for child processes.
A test with crash points sets another variable, and so does one whose operations are recorded:
then components made here look for the points, or record.
"""

from __future__ import annotations

import importlib
import os

import pytest_pynenc_state.backends.memory.orchestrator
import pytest_pynenc_state.backends.memory.state_backend
import pytest_pynenc_state.backends.sqlite.broker
import pytest_pynenc_state.backends.sqlite.client_data_store
import pytest_pynenc_state.backends.sqlite.orchestrator
import pytest_pynenc_state.backends.sqlite.state_backend
import pytest_pynenc_state.backends.sqlite.trigger  # noqa: F401 - defines the classes
from pytest_pynenc_state.apps.configuration import MODULES_VARIABLE
from pytest_pynenc_state.processes.crash_files import CRASHES_VARIABLE
from pytest_pynenc_state.processes.journal import JOURNALS_VARIABLE

for _module in filter(None, os.environ.get(MODULES_VARIABLE, "").split(",")):
    importlib.import_module(_module)

if CRASHES_VARIABLE in os.environ:
    from pytest_pynenc_state.processes import crash_points

    crash_points.install()

if JOURNALS_VARIABLE in os.environ:
    from pytest_pynenc_state.processes import recording

    recording.install()
