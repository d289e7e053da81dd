"""The rules that keep the tree readable: size, direction of imports, one owner of each job."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import pytest_pynenc_state

PACKAGE = Path(pytest_pynenc_state.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST_MODULE = 400

# A module may import from its own layer and from those before it.
LAYERS = (
    ("errors", "atomic_service", "option_values", "options", "hookspecs", "waiting"),
    ("compat",),
    ("history",),
    ("backends",),
    ("apps",),
    ("pynenc_plugin", "processes"),
    ("session",),
    ("conformance",),
    ("report",),
    ("markers", "selection", "parametrizing", "conformance_selection", "history_check"),
    ("opening", "starting"),
    ("fixtures", "ending", "replaying"),
    ("plugin",),
)


def layer_of(dotted: str) -> int:
    """The layer of ``pytest_pynenc_state.<part>...``."""
    part = dotted.split(".")[1]
    return next(number for number, names in enumerate(LAYERS) if part in names)


def dotted_name(path: Path) -> str:
    return ".".join(("pytest_pynenc_state", *path.relative_to(PACKAGE).with_suffix("").parts))


class WithoutTyping(ast.NodeTransformer):
    """Removes what only a type checker sees."""

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        """Keep what runs."""
        return node.orelse if ast.unparse(node.test) == "TYPE_CHECKING" else node


def imported_modules(path: Path) -> Iterator[str]:
    """The modules that *path* imports at run time, lazily or not."""
    for node in ast.walk(WithoutTyping().visit(ast.parse(path.read_text()))):
        if isinstance(node, ast.ImportFrom) and node.module == "pytest_pynenc_state":
            yield from (f"pytest_pynenc_state.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def calls(path: Path) -> set[str]:
    """The functions that *path* calls, as they are written there."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}


@pytest.mark.parametrize("path", MODULES, ids=dotted_name)
def test_a_module_is_short_enough_to_be_read_in_one_sitting(path: Path) -> None:
    """Aim at 250 lines; 400 is the limit."""
    assert len(path.read_text().splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.name != "__init__.py"], ids=dotted_name
)
def test_imports_point_one_way(path: Path) -> None:
    """A store knows nothing of pytest, a runner nothing of fixtures."""
    own_layer = layer_of(dotted_name(path))
    ours = [name for name in imported_modules(path) if name.startswith("pytest_pynenc_state.")]

    assert [name for name in ours if layer_of(name) > own_layer] == []


@pytest.mark.parametrize(
    ("call", "owners"),
    [
        ("sqlite3.connect", {"backends/sqlite/connection.py", "backends/sqlite/schema.py"}),
        ("config.getoption", {"options.py"}),
        ("config.getini", {"options.py"}),
        ("time.sleep", {"backends/sqlite/connection.py", "waiting.py"}),
    ],
)
def test_one_job_has_one_owner(call: str, owners: set[str]) -> None:
    """Whoever wants to know how it is done has one place to look."""
    users = {str(path.relative_to(PACKAGE)) for path in MODULES if call in calls(path)}

    assert users == owners


def test_versions_are_never_compared() -> None:
    """Features are tested for, in compat.py; a development build has what it has."""
    suspicious = [
        str(path.relative_to(PACKAGE))
        for path in MODULES
        if "importlib.metadata import version" in path.read_text()
        or "pynenc.__version__" in path.read_text()
    ]

    assert suspicious == []


def test_errors_are_told_apart_by_code_not_by_text() -> None:
    """SQLite's messages are the same for errors that need different treatment."""
    matched = [path for path in MODULES if "in str(error)" in path.read_text()]

    assert matched == []
