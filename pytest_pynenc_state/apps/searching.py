"""pynenc's search for the variable that holds an app, where the answer is known.

Whenever it builds a state backend, pynenc (since 0.2.4) asks all names of all imported
modules for the app, to note where another process can import it. In a test session these are
ten thousand names and more for each test, which takes longer than all else that it costs.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from pynenc.app import Pynenc
from pynenc.util import import_app

from pytest_pynenc_state.apps.preserving import replaced

_SEARCH = "_find_app_in_user_modules"

# Apps that no module defines.
_made_for_tests: weakref.WeakSet[Pynenc] = weakref.WeakSet()

# By the identity of an app that a module holds: the names of the module and of the variable.
_found: dict[int, tuple[str, str]] = {}


def hold_in_no_module(app: Pynenc) -> None:
    """Note that there is nothing to be found.

    A test may put it into some module's variable, where pynenc would find it. Another process
    that imports that module does not: it builds the app from its configuration in any case.
    """
    _made_for_tests.add(app)


@contextmanager
def remembered_search() -> Iterator[None]:
    """Let pynenc look first where it has found the same app before."""
    search = getattr(import_app, _SEARCH, None)

    def search_once(app: Pynenc) -> tuple[str, str, str] | None:
        if app in _made_for_tests:
            return None
        name, variable = _found.get(id(app), ("", ""))
        module = sys.modules.get(name)
        if module is not None and vars(module).get(variable) is app:
            return name, str(module.__file__), variable
        found: tuple[str, str, str] | None = search(app) if search else None
        if found is not None:
            _found[id(app)] = found[0], found[2]
        return found

    with replaced(import_app, _SEARCH, search_once):
        yield
