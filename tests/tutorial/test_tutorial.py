"""The tutorial, followed word for word by a stranger: an empty directory, nothing installed.

The tutorial's own command installs the package of this checkout: a variable tells pip of one more
folder to look into.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.tutorial.page import steps

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorial.md"

# Hang guard: most of it is installing, and building the package.
RUN_S = 600

# What would change how the reader's Python, pytest, or our plugin behaves.
OURS = ("CI", "BUILD_NUMBER", "COV", "NO_COLOR", "FORCE_COLOR", "PY", "TOX", "VIRTUAL_ENV")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir")
    subprocess.run((*build, str(folder), str(ROOT)), check=True)
    [built] = folder.iterdir()
    return built


@pytest.fixture
def environment(wheel: Path) -> dict[str, str]:
    """The variables of somebody who has just opened a terminal, with this Python."""
    theirs = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return theirs | {
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), theirs["PATH"])),
        "PIP_FIND_LINKS": f"{theirs.get('PIP_FIND_LINKS', '')} {wheel.parent}".strip(),
        "COLUMNS": "80",
    }


def hashes(record: str) -> set[str]:
    """The lines of a wheel's RECORD: path, hash and size of each file."""
    return {line for line in record.splitlines() if ",sha256=" in line}


@pytest.mark.timeout(RUN_S)
def test_the_tutorial_can_be_followed(
    tmp_path: Path, wheel: Path, environment: dict[str, str]
) -> None:
    """Each file and each command, in order; each prints what is shown."""
    folder = tmp_path / "empty"
    folder.mkdir()

    for step in steps(PAGE.read_text()):
        step.follow(folder, environment)

    [installed] = folder.glob(".venv/lib/*/site-packages/pytest_pynenc_state-*/RECORD")
    with ZipFile(wheel) as built:
        [record] = [name for name in built.namelist() if name.endswith(".dist-info/RECORD")]
        ours = hashes(built.read(record).decode())
    assert ours
    assert ours - hashes(installed.read_text()) == set(), "this is not the package of the checkout"
