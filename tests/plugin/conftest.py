"""Running pytest inside pytest, without what the developer has set for the outer run."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import psutil
import pytest

# An inner run in this process forgets the modules it was the first to import. Imported
# here, pynenc is not imported again by each of them.
import pytest_pynenc_state.backends.memory.place
import pytest_pynenc_state.backends.mongo.lease
import pytest_pynenc_state.backends.mongo.orchestrator
import pytest_pynenc_state.backends.mongo.place
import pytest_pynenc_state.backends.mongo.state_backend
import pytest_pynenc_state.backends.pynenc
import pytest_pynenc_state.backends.sqlite.place
import pytest_pynenc_state.conformance.suite
import pytest_pynenc_state.opening
import pytest_pynenc_state.pynenc_plugin
import pytest_pynenc_state.report.running
import pytest_pynenc_state.starting  # noqa: F401

collect_ignore = ["inner"]

_INNER = Path(__file__).with_name("inner")
_DEVELOPERS_OWN = ("CI", "PYTEST_ADDOPTS", "PYTEST_PLUGINS")
_DEVELOPERS_OWN_PREFIXES = ("PYTEST_PYNENC_", "PYNENC__", "PYTEST_XDIST_")
_PLUGINS = ("pynenc_state", "xdist", "xdist.looponfail")

_MARK = "OFFICE_RUN"


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Run pytest in an empty directory, and in an environment that sets nothing of ours."""
    for variable in os.environ:
        if variable in _DEVELOPERS_OWN or variable.startswith(_DEVELOPERS_OWN_PREFIXES):
            monkeypatch.delenv(variable)
    # Others that happen to be installed change what is printed, and some take seconds to load.
    installed = {plugin.name for plugin in entry_points(group="pytest11")}
    refused = " ".join(f"-p no:{name}" for name in sorted(installed.difference(_PLUGINS)))
    monkeypatch.setenv("PYTEST_ADDOPTS", refused)
    return pytester


@pytest.fixture
def copy_inner(pytester: pytest.Pytester) -> Callable[..., None]:
    """Copy programs of the folder ``inner`` into the directory of the inner run."""

    def copy(*names: str) -> None:
        for name in names:
            shutil.copy(_INNER / name, pytester.path)

    return copy


@pytest.fixture
def descendants(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """List what an inner run has started and is still there, also if it was adopted."""
    mark = uuid.uuid4().hex
    monkeypatch.setenv(_MARK, mark)

    def listed() -> list[str]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.pid != os.getpid() and process.environ().get(_MARK) == mark:
                    found.append(f"{process.pid}: {' '.join(process.cmdline())}")
            except psutil.Error:
                continue
        return found

    return listed


@pytest.fixture
def places_left(pytester: pytest.Pytester) -> Callable[[], list[str]]:  # noqa: ARG001 - sets it
    """List what is left of the places of the inner runs."""
    root = Path(os.environ["PYTEST_DEBUG_TEMPROOT"])
    places = "pytest-of-*/pytest-[0-9]*/pynenc/pynenc_t_*"
    return lambda: sorted(str(path) for path in root.glob(places))
