"""How many mutants pynenc's own suites catch: ``python -m tests.conformance.upstream_score``.

Each mutant is put under the suites that pynenc ships for authors of backends; it is caught if a
test fails that passes on the sound backend. It takes some seconds for each mutant.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.conformance.mutants.all_of_them import MUTANTS
from tests.conformance.mutants.all_of_them import __name__ as home

_SUITES = Path(__file__).parents[1] / "upstream"
_LIMIT_S = 600.0


def is_caught(backend: str) -> bool:
    """Whether a test of the shared suites fails on a backend."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-c", str(_SUITES / "pytest.ini")]
    command += ["--rootdir", str(_SUITES), "-p", "no:cacheprovider", "-n", "2", str(_SUITES)]
    process = subprocess.run(
        [*command, "--pynenc-backend", backend],
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=_LIMIT_S,
    )
    return process.returncode != 0


def main(arguments: Sequence[str] | None = None) -> None:
    """Print each mutant and whether it was caught, and the score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="of mutants; all of them by default")
    names = parser.parse_args(arguments).names or sorted(MUTANTS)
    for sound in ("memory", "sqlite"):
        assert not is_caught(sound), f"the suites fail on {sound}"
    caught = 0
    for name in names:
        found = is_caught(f"{home}:{name}")
        caught += found
        print(f"{'caught' if found else 'missed'}  {name}: {MUTANTS[name].fault}", flush=True)  # noqa: T201
    print(f"{caught} of {len(names)}, {caught / len(names):.0%}")  # noqa: T201


if __name__ == "__main__":
    main()
