"""How many mutants pynenc's own suites catch: ``python -m tests.conformance.upstream_score``.

Each mutant is put under the suites that pynenc ships for authors of backends; it is caught if a
test fails that passes on the sound backend. It takes a second or two for each mutant.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

from tests.conformance.mutants.all_of_them import MUTANTS
from tests.conformance.mutants.all_of_them import __name__ as home

_SUITES = Path(__file__).parents[1] / "upstream"
_SOUND = ("memory", "sqlite")

# So many backends in one run of pytest, whose start takes longer than the tests of one.
_BATCH = 20
_LIMIT_S = 1800.0

# A test that takes ten times as long as on a sound backend waits for what never comes.
_TEST_S = 20


def caught(backends: Sequence[str]) -> set[str]:
    """Those of some backends on which a test of the shared suites fails."""
    with TemporaryDirectory() as folder:
        junit = Path(folder, "junit.xml")
        command = [sys.executable, "-m", "pytest", "-q", "-c", str(_SUITES / "pytest.ini")]
        command += ["--rootdir", str(_SUITES), "-p", "no:cacheprovider", "-n", "2", str(_SUITES)]
        command += ["--pynenc-backend", ",".join(backends), "--pynenc-keep", "none"]
        command += ["--timeout", str(_TEST_S)]
        subprocess.run(
            [*command, f"--junitxml={junit}"],
            check=False,
            stdout=subprocess.DEVNULL,
            timeout=_LIMIT_S,
        )
        failed = list(_failed(junit))
    return {name for name in backends if any(_is_of(test, name) for test in failed)}


def _is_of(test: str, backend: str) -> bool:
    return f"[{backend}]" in test or f"[{backend}-" in test


def _failed(junit: Path) -> Iterator[str]:
    """The names of the tests that failed, or could not be set up; each has its backend's."""
    cases = list(ET.parse(junit).iter("testcase"))  # noqa: S314 - our own run wrote it
    assert cases, "no test was run"
    for case in cases:
        if case.find("failure") is not None or case.find("error") is not None:
            yield case.get("name", "")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print each mutant and whether it was caught, and the score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="of mutants; all of them by default")
    names = parser.parse_args(arguments).names or sorted(MUTANTS)
    assert caught(_SOUND) == set(), f"the suites fail on {' or '.join(_SOUND)}"
    count = 0
    for first in range(0, len(names), _BATCH):
        some = names[first : first + _BATCH]
        found = caught([f"{home}:{name}" for name in some])
        count += len(found)
        for name in some:
            word = "caught" if f"{home}:{name}" in found else "missed"
            print(f"{word}  {name}: {MUTANTS[name].fault}", flush=True)  # noqa: T201
    print(f"{count} of {len(names)}, {count / len(names):.0%}")  # noqa: T201


if __name__ == "__main__":
    main()
