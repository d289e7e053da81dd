"""The reference, made from the code: one function for each part, which returns reStructuredText.

A page has a part where it has a comment, ``<!-- reference: options -->``; on a code host nothing
is seen of it. The functions need no Sphinx, so that a test can ask what they leave out.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest_pynenc_state
from pytest_pynenc_state import errors, fixtures, hookspecs, options, plugin

#: What the public names give and take without being exported: a site without one of these is
#: refused, because a link to it leads nowhere.
GIVEN = (
    "history.records.Record",
    "history.report.Report",
    "history.verdict.Verdict",
    "history.verdict.Witness",
    "history.verdict.Outcome",
    "history.operations.Ending",
    "history.linearizability.Impossible",
    "history.models.Model",
    "processes.base_runner.Runner",
    "processes.crash_delay.HasPid",
)

#: The same of what is only handed on, so that nobody needs its members.
HANDED_ON = ("history.path.Path", "history.path.OneOf", "history.path.Repeat", "history.steps.Step")

_PLACE = re.compile(r"^<!-- reference: (\w+) -->$", flags=re.MULTILINE)


def fixture_names() -> list[str]:
    """The public fixtures, in the order of their module."""
    return [function.name for function in _fixtures()]


def fixture_reference() -> str:
    """Each fixture with what it gives, its docstring, and where to read on."""
    entries = []
    for function in _fixtures():
        body = ast.get_docstring(function) or ""
        given = _given(function)
        if given in pytest_pynenc_state.__all__:
            body += f"\n\nSee :py:class:`~{pytest_pynenc_state.__name__}.{given}`."
        scope = re.search(r"scope='(\w+)'", " ".join(map(ast.unparse, function.decorator_list)))
        signature = f"{function.name} -> {given}{f' (scope {scope[1]})' if scope else ''}"
        entries.append(_entry("fixture", signature, body))
    return "\n".join(entries)


def option_names() -> list[str]:
    """The options of the command line, in the order of ``pytest --help``."""
    return list(_declared_options())


def option_reference() -> str:
    """Each option with its help, its ini value, its variable and its default."""
    known = {option.flag: option for option in options._OPTIONS}
    entries = [".. program:: pytest\n"]
    for flag, settings in _declared_options().items():
        if (option := known.get(flag)) is None:
            entries.append(_entry("option", flag, settings["help"]))
            continue
        default = "none" if option.default in (None, ()) else options._joined(option.default)
        body = (
            f"{option.help}\n\nIni value ``{option.ini}``, variable ``{option.variable}``, "
            f"default: {default}."
        )
        entries.append(_entry("option", f"{flag} {settings['metavar']}", body))
    return "\n".join(entries)


def marker_names() -> list[str]:
    """The markers, in the order of ``pytest --markers``."""
    return [re.split(r"\W", marker, maxsplit=1)[0] for marker in plugin.MARKERS]


def marker_reference() -> str:
    """Each marker with its arguments and its meaning, as it is registered."""
    parts = (marker.split(": ", maxsplit=1) for marker in plugin.MARKERS)
    return "\n".join(_entry("marker", signature, meaning) for signature, meaning in parts)


def hook_names() -> list[str]:
    """The hooks that a conftest or a plugin may implement."""
    return [name for name in vars(hookspecs) if name.startswith("pytest_")]


def hook_reference() -> str:
    """Each hook with its arguments and its docstring."""
    return "\n".join(_entry("autofunction", f"{hookspecs.__name__}.{it}") for it in hook_names())


def error_reference() -> str:
    """The tree of errors, then each with its docstring, a base before what derives from it."""
    names = [error.__name__ for error in _derived(errors.PynencStateError)]
    classes = (_entry("autoexception", name, ":show-inheritance:") for name in names)
    tree = "\n".join(_branch(errors.PynencStateError, 0))
    return "\n".join([f".. py:currentmodule:: {errors.__name__}\n", tree, *classes])


def public_names() -> list[str]:
    """The names that the package exports, classes first."""
    names = sorted(pytest_pynenc_state.__all__, key=str.casefold)
    return sorted(names, key=lambda name: _KINDS.index(_kind(_public(name))))


def description(name: str) -> str:
    """What the code says of an exported name: its docstring, or the comment above a value."""
    value = _public(name)
    if _kind(value) != "data":
        return inspect.getdoc(value) or ""
    home = sys.modules[pytest_pynenc_state._HOMES.get(name, pytest_pynenc_state.__name__)]
    return _comment_above(name, home)


def public_reference() -> str:
    """Each exported name with its docstring and its members, under the package's own name."""
    entries = [f".. py:currentmodule:: {pytest_pynenc_state.__name__}\n"]
    for name in public_names():
        kind = _kind(_public(name))
        entries.append(
            _entry("py:data", name, description(name))
            if kind == "data"
            else _entry(f"auto{kind}", name, _MEMBERS if kind == "class" else "")
        )
    return "\n".join(entries)


def given_reference() -> str:
    """Each class in `GIVEN` and in `HANDED_ON` with its docstring."""
    package = pytest_pynenc_state.__name__
    return "\n".join(
        [_entry("autoclass", f"{package}.{name}", _MEMBERS) for name in GIVEN]
        + [_entry("autoclass", f"{package}.{name}") for name in HANDED_ON]
    )


#: What a page may ask for, by name.
PARTS: Mapping[str, Callable[[], str]] = {
    "fixtures": fixture_reference,
    "options": option_reference,
    "markers": marker_reference,
    "hooks": hook_reference,
    "errors": error_reference,
    "public": public_reference,
    "given": given_reference,
}


def insert_parts(_app: object, _page: str, source: list[str]) -> None:
    """Put each part in the place of its comment; what Sphinx calls for each page it reads."""
    source[0] = _PLACE.sub(
        lambda place: f"``````{{eval-rst}}\n{PARTS[place[1]]()}\n``````", source[0]
    )


_KINDS = ("class", "function", "data")

# Some of what fixtures give is called like a function.
_MEMBERS = ":members:\n:special-members: __call__"


def _public(name: str) -> Any:
    return getattr(pytest_pynenc_state, name)


def _kind(value: Any) -> str:
    return "class" if inspect.isclass(value) else "function" if callable(value) else "data"


def _entry(directive: str, argument: str, body: str = "") -> str:
    indented = "".join(f"   {line}\n" for line in body.splitlines())
    options_follow = body.startswith(":") and directive.startswith("auto")
    return f".. {directive}:: {argument}\n{'' if options_follow else chr(10)}{indented}\n"


def _comment_above(name: str, module: ModuleType) -> str:
    """The lines that begin with ``#:`` above the assignment of *name*."""
    found = re.search(rf"((?:^#:.*\n)+){name}\b.*=", inspect.getsource(module), flags=re.MULTILINE)
    return found[1].replace("#:", "").strip() if found else ""


def _fixtures() -> Iterator[ast.FunctionDef]:
    # From the source: pytest's releases wrap the functions in different ways.
    for node in ast.parse(Path(fixtures.__file__).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node


def _given(function: ast.FunctionDef) -> str:
    """The type of a fixture's value."""
    returned = ast.unparse(function.returns) if function.returns else "None"
    return re.sub(r"^Iterator\[(.*)\]$", r"\1", returned)


class _Declared(dict[str, dict[str, Any]]):
    """Stands in for pytest's parser, and remembers which options are declared."""

    def getgroup(self, *_names: str) -> _Declared:
        return self

    def addoption(self, flag: str, **settings: Any) -> None:
        self[flag] = settings

    def addini(self, *_arguments: str, **_settings: Any) -> None:
        """Each follows from its option."""


def _declared_options() -> dict[str, dict[str, Any]]:
    declared: Any = _Declared()
    options.add_options(declared)
    found: dict[str, dict[str, Any]] = declared
    return found


def _derived(error: type[Exception]) -> Iterator[type[Exception]]:
    yield error
    for each in error.__subclasses__():
        if each.__module__ == errors.__name__:
            yield from _derived(each)


def _branch(error: type[Exception], depth: int) -> Iterator[str]:
    """Nested lists, which reStructuredText wants an empty line around."""
    builtin = "".join(f" ({base.__name__})" for base in error.__bases__[1:])
    yield f"{'  ' * depth}- :py:exc:`{error.__name__}`{builtin}\n"
    for each in error.__subclasses__():
        if each.__module__ == errors.__name__:
            yield from _branch(each, depth + 1)
