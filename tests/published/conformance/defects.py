"""Scripts that show a defect of a published backend, with nothing but pynenc and that backend.

Each says, in its last lines, what it prints, and what it should print.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "defects"

#: All pynencs that published backends are checked on.
PYNENCS = ("0.1.1", "0.2.0", "0.2.4", "0.3.1", "0.4.0")


@dataclass(frozen=True)
class Defect:
    """One defect.

    :param name: That of its script, without the ending.
    :param backend: Whose it is.
    :param pynencs: On which it is shown.
    """

    name: str
    backend: str
    pynencs: tuple[str, ...]

    @property
    def path(self) -> Path:
        """Its script."""
        return FOLDER / f"{self.name}.py"

    @property
    def title(self) -> str:
        """What is wrong, in a sentence."""
        return ast.get_docstring(ast.parse(self.path.read_text())) or ""

    @property
    def code(self) -> str:
        """The script, without its docstring and without what it says of its output."""
        return self.path.read_text().partition('"""\n\n')[2].partition("\n\n# Prints")[0]

    @property
    def printed(self) -> str:
        """The last line that it prints."""
        return self._said("# Prints: ")

    @property
    def expected(self) -> str:
        """What this line should be."""
        return self._said("# Should: ")

    def _said(self, prefix: str) -> str:
        (line,) = [line for line in self.path.read_text().splitlines() if line.startswith(prefix)]
        return line.removeprefix(prefix)


DEFECTS = (
    Defect("redis_two_owners", "pynenc-redis 0.3.0", ("0.3.1",)),
    Defect("mongo_one_database", "pynenc-mongo 0.3.0", ("0.3.1",)),
    Defect("mongo_old_result", "pynenc-mongo 0.3.0", ("0.3.1",)),
    Defect("mongo_lost_history", "pynenc-mongo 0.3.0", ("0.3.1",)),
    Defect("mongo_invocations_of_a_call", "pynenc-mongo 0.3.0", ("0.3.1",)),
    Defect("rustvello_empty_range", "pynenc-rustvello 0.1.3", ("0.2.0",)),
    Defect("sqlite_purge_waits_for_itself", "pynenc-sqlite", PYNENCS),
    Defect("memory_runs_twice", "pynenc-memory", PYNENCS),
    Defect("memory_second_service", "pynenc-memory", PYNENCS[2:]),
    Defect("plugins_cannot_be_built", "The four plugins", ("0.4.0",)),
)
