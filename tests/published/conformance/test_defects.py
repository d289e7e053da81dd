"""The defects that the compatibility page shows are still there."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from pytest_pynenc_state.errors import BackendUnavailable
from pytest_pynenc_state.session import state_of
from tests.published.conformance.defects import DEFECTS, Defect
from tests.published.conformance.redis_server import DATABASES

# A hang guard: the slowest waits for ten seconds.
_TIMEOUT_S = 45.0

_LONGEST = 15

SHOWN = [defect for defect in DEFECTS if version("pynenc") in defect.pynencs]


@pytest.fixture
def servers(request: pytest.FixtureRequest, defect: Defect) -> dict[str, str]:
    """What a script is told of the server that it needs."""
    try:
        if defect.name.startswith("redis"):
            port = request.getfixturevalue("redis_port")
            # No place of the suite comes to this one.
            return {"REDIS_URL": f"redis://127.0.0.1:{port}/{DATABASES - 1}"}
        if defect.name.startswith("mongo"):
            return {"MONGO_URL": request.getfixturevalue("pynenc_mongomock_url")}
    except BackendUnavailable as error:
        if state_of(request.config).options.fails_on_missing():
            raise
        pytest.skip(str(error))
    return {}


@pytest.mark.parametrize("defect", SHOWN, ids=lambda defect: defect.name)
def test_a_script_prints_what_it_says(
    defect: Defect, servers: dict[str, str], tmp_path: Path
) -> None:
    """Once it does not, its backend was mended, and it is to be taken off the page."""
    result = subprocess.run(
        [sys.executable, str(defect.path)],
        env={**os.environ, **servers},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )

    assert result.stdout.splitlines()[-1:] == [defect.printed], result.stderr


@pytest.mark.parametrize("defect", SHOWN, ids=lambda defect: defect.name)
def test_a_script_is_short_and_uses_nothing_of_ours(defect: Defect) -> None:
    """So that anybody can read it, and run it as it is."""
    lines = [line for line in defect.code.splitlines() if line.strip()]
    nodes = ast.walk(ast.parse(defect.code))
    imported = [node.module for node in nodes if isinstance(node, ast.ImportFrom)]

    assert len(lines) <= _LONGEST
    assert [each for each in imported if each and each.startswith(("pytest", "tests"))] == []
